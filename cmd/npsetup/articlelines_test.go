package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func initialSetupLines() []carried {
	application := func(*article) []labelled { return []labelled{{"application name", "NetwrixAuditor"}} }
	user := func(t *testing.T, a *article) map[string]any {
		return object(t, a.state, "applicationUsers", "name", "NetwrixAuditor")
	}
	return []carried{
		byPerson("auditor-start", "Initial Setup 1", []string{"“Settings > Privilege Secure”", "“Set Up Integration”"}, nil),
		byPerson("auditor-start", "Initial Setup 2", []string{"“Next”"}, func(a *article) []labelled {
			return []labelled{{"address of the NPS server", a.full.s.URL()}}
		}),
		byPerson("auditor-start", "Initial Setup 3", []string{"“I want Auditor to trust this certificate when connecting to this server”", "only if they are the same", "as “Thumbprint”", "“Next”"}, func(a *article) []labelled {
			return []labelled{{"SHA-1 of the server's certificate", a.serverThumbprint}, {"SHA-256 of the server's certificate", a.fingerprint}}
		}),
		{"Initial Setup 4", func(t *testing.T, a *article) {
			byPerson("auditor-start", "Initial Setup 4", []string{"without blanks"}, application).check(t, a)
			r := a.full.do("validate", "-f", a.full.edited("name: NetwrixAuditor", "name: Netwrix Auditor")).want(t, exitUsage)
			says(t, r.err, "blank", "Entra ID")
			a.full.do("validate", "-f", a.full.edited("  name: NetwrixAuditor\n", "")).want(t, exitOK) // the article's name is the default
		}},
		byPerson("auditor-start", "Initial Setup 5", []string{"“Specify the client certificate”", "“Generate new certificate”", "“Next”"}, func(a *article) []labelled {
			return []labelled{{"certificate serial number", a.serial}}
		}),
		{"Initial Setup 6", func(t *testing.T, a *article) {
			says(t, a.certificatePage(t, "Initial Setup 6"), "Export the certificate")
			text, _ := a.planned.click(t, "certificate-trust", "Export 11")
			says(t, text, "NPS server")
		}},
		{"Initial Setup 7", func(t *testing.T, a *article) {
			a.looked(t, "/api/v1/ManagedAccount/Search?filterEntityType=2")
			a.once(t, "POST", "/api/v1/ManagedAccount/CreateApplicationUser")
			wants(t, user(t, a), map[string]any{"entityType": 2})
		}},
		{"Initial Setup 8", func(t *testing.T, a *article) {
			names := map[string]any{"name": "NetwrixAuditor", "displayName": "NetwrixAuditor", "samAccountName": "NetwrixAuditor"}
			wants(t, a.planned.body(t, "application-user", "create"), names)
			wants(t, user(t, a), names)
			_, typed := a.planned.click(t, "auditor-start", "Initial Setup 4")
			if !slices.Equal(typed, application(a)) {
				t.Errorf("in Auditor it is %v", typed)
			}
		}},
		{"Initial Setup 9", func(t *testing.T, a *article) {
			wants(t, a.planned.body(t, "application-user", "create"), map[string]any{"certificateSerialNumber": a.serial})
			wants(t, user(t, a), map[string]any{"certificateSerialNumber": "(that of Auditor's certificate)"})
			says(t, a.certificatePage(t, "Initial Setup 9"), "its serial number is read from it")
			a.once(t, "POST", "/api/v1/ManagedAccount/CreateApplicationUser")
		}},
		{"Initial Setup 10", func(t *testing.T, a *article) {
			byPerson("auditor-key", "Initial Setup 10", []string{"npsetup key --to FILE", "“API key”"}, application).check(t, a)
			key := strings.TrimRight(string(a.key), "\n")
			if a.keyCode != exitOK || key == "" || !slices.Contains(a.full.s.Secrets(), key) || !strings.HasPrefix(key, "S3CR3T-apikey-") {
				t.Errorf("npsetup key ended with %d and wrote %d bytes that are not the key", a.keyCode, len(a.key))
			}
			wants(t, a.state["person"].(map[string]any), map[string]any{"apiKeyPasted": true})
		}},
		byPerson("auditor-key", "Initial Setup 11", []string{"“Next”", "“Finish”"}, nil),
	}
}

func exportLines() []carried {
	return []carried{
		exported(1, "“Windows + R”", "mmc", "“OK”"),
		exported(2, "“File > Add/Remove Snap-in...”"),
		exported(3, "“Certificates”", "“Add >”"),
		exported(4, "“Computer account”", "“Next”", "“Local computer”", "“Finish”"),
		exported(5, "“OK”"),
		exported(6, "“Certificates (Local Computer) > Personal > Certificates”"),
		exported(7, "Privilege Secure client certificate", "“All Tasks > Export...”"),
		exported(8, "“Next”, “No, do not export the private key”, “Next”, “DER encoded binary”, “Next”"),
		exported(9, "Name the file", "“Next”", "“Finish”"),
		exported(10, "success message", "the file is in its folder"),
		byPerson("certificate-trust", "Export 11", []string{"exported certificate", "NPS server"}, func(a *article) []labelled { return []labelled{{"subject", a.subject}} }),
		byPerson("certificate-trust", "Export 12", []string{"Right-click", "“Install Certificate"}, nil),
		{"Export 13", func(t *testing.T, a *article) {
			byPerson("certificate-trust", "Export 13", []string{"“Local Machine”", "“Place all certificates in the following store”", "“Trusted Root Certification Authorities”", "“Finish”", "import was successful"}, nil).check(t, a)
			says(t, a.shown, "thumbprint: "+a.thumbprint) // by it the person sees that it worked, and finds it again
			wants(t, a.state["person"].(map[string]any), map[string]any{"certificateTrusted": true})
		}},
	}
}

// profileWords are the settings as the article lists them, and what each is in the API.
func profileWords() (settings []labelled, members map[string]any) {
	settings = []labelled{
		{"Allow Proxy Auto-connect", "True"},
		{"Record Proxy Session", "True"},
		{"Max Duration", "60"},
		{"Session End Notification", "5"},
		{"Enable Session Extension", "False"},
		{"Monitor for Logon", "False"},
		{"Leave Existing Members in Group", "True"},
		{"Validate Users for SSH Sessions", "False"},
		{"Require Notes for Sessions", "False"},
		{"Require Ticket Number for Sessions", "False"},
		{"Allow User to Access Password", "True"},
		{"Enable credential auto-fill in browser extension", "False"},
		{"Enable 'Show Password' option in user interface and browser extension", "False"},
		{"View Password Timeout", "20"},
		{"Clear Website Data Before Start", "True"},
		{"Clear Website Data After Stop", "True"},
		{"Record Session Audio", "True"},
		{"Approval Workflow", "Automatic"},
	}
	return settings, map[string]any{
		"proxyAutoConnect": true, "record": true, "maxSessionLength": 60, "expirationTimeoutThreshold": 5, "allowSessionExtension": false, "monitorEntireSession": false, "leaveInGroup": true, "sshScanDc": false,
		"notesRequired": false, "ticketRequired": false, "allowPasswordAccess": true, "allowAutofillPassword": false, "allowViewPassword": false, "viewPasswordInSeconds": 20, "clearWebsiteDataBeforeStart": true,
		"clearWebsiteDataAfterStop": true, "recordAudio": true, "approvalTypeRequired": 1,
	}
}

// twice is a line that is done by a call where the server offers it, and by hand where it does not.
func twice(step, line string, words []string, values []labelled, call func(*testing.T, *article)) carried {
	return carried{line, func(t *testing.T, a *article) {
		call(t, a)
		for name, d := range map[string]document{"beside the call": a.planned, "in its place": a.byHand} {
			text, have := d.click(t, step, line)
			says(t, text, words...)
			if !slices.Equal(have, values) {
				t.Errorf("%s: the values are %v, want %v", name, have, values)
			}
		}
		for _, v := range values {
			says(t, a.pages, fmt.Sprintf("value    %s: %s\n", v.Label, v.Value))
		}
	}}
}

func profileLines() []carried {
	const step, path = "connection-profile", "/api/v1/ConnectionProfile"
	profile := func(t *testing.T, state map[string]any) map[string]any {
		return object(t, state, "connectionProfiles", "name", "Netwrix Auditor")
	}
	return []carried{
		twice(step, "Connection Profile 1", []string{"“Policy”", "“Access Policy > Connection Profiles”"}, nil, func(t *testing.T, a *article) { a.looked(t, path) }),
		twice(step, "Connection Profile 2", []string{"plus sign"}, nil, func(t *testing.T, a *article) {
			a.once(t, "POST", path)
			profile(t, a.state)
		}),
		twice(step, "Connection Profile 3", []string{"Netwrix Auditor"}, []labelled{{"connection profile", "Netwrix Auditor"}}, func(t *testing.T, a *article) {
			wants(t, a.planned.body(t, step, "create"), map[string]any{"name": "Netwrix Auditor"})
			profile(t, a.state)
		}),
		{"Connection Profile 4", func(t *testing.T, a *article) {
			settings, members := profileWords()
			if len(settings) != 18 || len(members) != 18 {
				t.Fatalf("%d settings, %d members", len(settings), len(members))
			}
			twice(step, "Connection Profile 4", []string{"leave everything else as it is"}, settings, func(t *testing.T, a *article) {
				wants(t, a.planned.body(t, step, "create"), members)
				wants(t, profile(t, a.state), members)
				wants(t, profile(t, a.handState), members)
			}).check(t, a)
		}},
		twice(step, "Connection Profile 5", []string{"“Save”"}, nil, func(t *testing.T, a *article) {
			says(t, a.full.do("verify", "-f", a.full.answers()).out, "connection-profile proven read back: all 18 settings")
			says(t, a.hand.do("verify", "-f", a.hand.answers()).out, "connection-profile proven read back: all 18 settings")
		}),
	}
}

// actionOf is the one action of a phase in a canonical state.
func actionOf(t *testing.T, activity map[string]any, phase string) map[string]any {
	t.Helper()
	list, _ := activity[phase].([]any)
	if len(list) != 1 {
		t.Fatalf("%d actions in %s", len(list), phase)
	}
	return list[0].(map[string]any)
}

func activityLines() []carried {
	const step, path, name = "activity", "/api/v1/Activity", "Netwrix Auditor Domain Admin"
	const template = `%targetDomain%\%samAccountName%`
	both := func(t *testing.T, a *article, check func(map[string]any)) {
		t.Helper()
		for _, state := range []map[string]any{a.state, a.handState} {
			check(object(t, state, "activities", "name", name))
		}
	}
	return []carried{
		twice(step, "Activity 1", []string{"“Policy”", "“Activities”"}, nil, func(t *testing.T, a *article) { a.looked(t, path) }),
		twice(step, "Activity 2", []string{"plus sign"}, nil, func(t *testing.T, a *article) { a.once(t, "POST", path) }),
		twice(
			step, "Activity 3", []string{"Platform = Active Directory", "Login Account = Activity Token", "Activity Type = Interactive", "Login Account Template = " + template + " (no blank"},
			[]labelled{{"activity", name}, {"platform", "Active Directory"}, {"login account template", template}}, func(t *testing.T, a *article) {
				settings := map[string]any{"name": name, "loginAccount": 2, "activityType": 0, "loginAccountNameFormat": template, "createAccount": true, "deleteAccount": true}
				wants(t, a.planned.body(t, step, "create"), settings)
				both(t, a, func(o map[string]any) {
					wants(t, o, settings)
					wants(t, o, map[string]any{"platform": "Active Directory"})
				})
				for _, r := range a.arrived {
					if r.Method == "POST" && r.Path == path && !strings.Contains(string(r.Body), `"loginAccountNameFormat":"%targetDomain%\\%samAccountName%"`) {
						t.Errorf("the bytes sent are %s", r.Body)
					}
				}
			},
		),
		twice(step, "Activity 4", []string{"“Save”"}, nil, func(t *testing.T, a *article) { both(t, a, func(map[string]any) {}) }),
		twice(step, "Activity 5", []string{"plus sign", "“Pre-Session (Grant)”"}, nil, func(t *testing.T, a *article) {
			both(t, a, func(o map[string]any) {
				wants(t, actionOf(t, o, "startActions"), map[string]any{"classification": 0})
				wants(t, actionOf(t, o, "endActions"), map[string]any{"classification": 2})
			})
		}),
		twice(
			step, "Activity 6", []string{"Action Type = Add User to Domain Group", "Domain = %target_domain%", "Group = Domain Admins", "Continue on Error = False", "Action Name = Add to Domain Admins", "Paired Action's Name = Remove from Domain Admins"},
			[]labelled{{"domain", "%target_domain%"}, {"group", "Domain Admins"}, {"action name", "Add to Domain Admins"}, {"paired action's name", "Remove from Domain Admins"}}, func(t *testing.T, a *article) {
				both(t, a, func(o map[string]any) {
					wants(t, actionOf(t, o, "startActions"), map[string]any{"template": "Add User to Domain Group", "displayName": "Add to Domain Admins", "continueOnFail": false, "paired": "Remove from Domain Admins"})
					wants(t, actionOf(t, o, "endActions"), map[string]any{"template": "Remove User from Domain Group", "displayName": "Remove from Domain Admins", "continueOnFail": false, "paired": "Add to Domain Admins"})
					for _, phase := range []string{"startActions", "endActions"} {
						wants(t, actionOf(t, o, phase)["parameters"].(map[string]any), map[string]any{"Domain": "%target_domain%", "Group": "Domain Admins"})
					}
				})
				for op, shown := range map[string]string{"create-pre-session": "Add to Domain Admins", "create-post-session": "Remove from Domain Admins"} {
					says(t, fmt.Sprint(a.planned.body(t, step, op)), "continueOnFail:false", "displayName:"+shown, "value:%target_domain%", "value:Domain Admins")
				}
			},
		),
		twice(step, "Activity 7", []string{"“Okay”"}, nil, func(t *testing.T, a *article) {
			says(t, a.full.do("verify", "-f", a.full.answers()).out, "activity proven read back: platform, login account, template, and the pair of actions")
			says(t, a.hand.do("verify", "-f", a.hand.answers()).out, "activity proven read back: platform, login account, template, and the pair of actions")
		}),
	}
}

func resourceLines() []carried {
	const step, host = "resource/dc01.contoso.com", "dc01.contoso.com"
	return []carried{
		{"Resource 1", func(t *testing.T, a *article) { a.looked(t, "/api/v1/ManagedResource/Search") }},
		{"Resource 2", func(t *testing.T, a *article) {
			a.looked(t, "/api/v1/ManagedResource/Candidate/Search")
			a.once(t, "POST", "/api/v1/ManagedResource/Candidate/AddMultiple")
			if hosts, _ := a.planned.body(t, step, "import")["hostIds"].([]any); len(hosts) != 1 {
				t.Errorf("hosts to import: %v", hosts)
			}
			wants(t, object(t, a.state, "resources", "dnsHostName", host), map[string]any{"platform": "Active Directory"})
			says(t, strings.Join(strings.Fields(a.shown), " "), "has several domain controllers", "name the PDC emulator as the resource")
		}},
		{"Resource 3", func(t *testing.T, a *article) {
			if id, _ := a.planned.body(t, step, "import")["serviceAccountId"].(string); id == "" {
				t.Error("no service account is planned")
			}
			wants(t, object(t, a.state, "resources", "dnsHostName", host), map[string]any{"serviceAccount": "svc-nps"})
		}},
	}
}

func policyLines() []carried {
	const step, path, name = "policy-resource", "/api/v1/AccessControlPolicy", "Netwrix Auditor (resource)"
	policy := func(t *testing.T, a *article) map[string]any { return object(t, a.state, "policies", "name", name) }
	member := func(key, planned, inState, want string) func(*testing.T, *article) {
		return func(t *testing.T, a *article) {
			says(t, a.planned.list(t, step+"/"+key), planned)
			wants(t, policy(t, a), map[string]any{inState: "[" + want + "]"})
		}
	}
	return []carried{
		{"Resource-based Access Policy 1", func(t *testing.T, a *article) { a.looked(t, path+"?ignoreStatus=true") }},
		{"Resource-based Access Policy 2", func(t *testing.T, a *article) { a.once(t, "POST", path) }},
		{"Resource-based Access Policy 3", func(t *testing.T, a *article) {
			wants(t, a.planned.body(t, step, "create"), map[string]any{"name": name})
			policy(t, a)
		}},
		{"Resource-based Access Policy 4", func(t *testing.T, a *article) {
			wants(t, a.planned.body(t, step, "create"), map[string]any{"policyType": 0, "activityConfigurationId": `(id of connection profile "Netwrix Auditor", known after apply)`})
			wants(t, policy(t, a), map[string]any{"policyType": 0, "connectionProfile": "Netwrix Auditor"})
		}},
		{"Resource-based Access Policy 5", member("user", `"entityType": 2`, "users", "NetwrixAuditor")},
		{"Resource-based Access Policy 6", member("activity", "Netwrix Auditor Domain Admin", "activityNames", "Netwrix Auditor Domain Admin")},
		{"Resource-based Access Policy 7", member("resources", "dc01.contoso.com", "resourceNames", "dc01.contoso.com")},
	}
}

func integrationLines() []carried {
	const step = "monitoring-plan"
	return []carried{
		byPerson(step, "Enable Integration 1", []string{"“Monitoring Plans”"}, func(*article) []labelled { return []labelled{{"monitoring plan", "AD Monitoring"}} }),
		byPerson(step, "Enable Integration 2", []string{"Double-click", "“Specify the Account for Collecting Data”", "“Privilege Secure”"}, func(*article) []labelled { return []labelled{{"item", "contoso.com"}} }),
		byPerson(step, "Enable Integration 3", []string{"“Access Policy”", "“Resource-based”"}, nil),
		byPerson(step, "Enable Integration 4", []string{"only for a credential-based policy"}, nil),
		{"Enable Integration 5", func(t *testing.T, a *article) {
			byPerson(step, "Enable Integration 5", []string{"letter by letter"}, func(*article) []labelled {
				return []labelled{{"activity", "Netwrix Auditor Domain Admin"}, {"resource", "dc01.contoso.com"}}
			}).check(t, a)
			// Each of several resources is a value of its own.
			st := a.hand
			two := st.edited("resources: [dc01.contoso.com]", "resources: [dc01.contoso.com, dc03.contoso.com]")
			_, values := decoded[document](t, []byte(st.do("plan", "-f", two, "--output", "json").out)).click(t, step, "Enable Integration 5")
			if !slices.Contains(values, labelled{"resource", "dc01.contoso.com"}) || !slices.Contains(values, labelled{"resource", "dc03.contoso.com"}) {
				t.Errorf("the values are %v in %s", values, filepath.Base(two))
			}
		}},
		byPerson(step, "Enable Integration 6", []string{"“Save & Close”"}, nil),
	}
}
