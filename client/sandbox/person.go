package sandbox

import "context"

// Names that the sandbox's own answers use, and that a person therefore types.
const (
	applicationName  = "NetwrixAuditor"
	profileName      = "Netwrix Auditor"
	activityName     = "Netwrix Auditor Domain Admin"
	policyName       = "Netwrix Auditor (resource)"
	credentialPolicy = "Netwrix Auditor (credential)"
)

// Did is one step that the person did.
type Did struct {
	Step string `json:"step"`
}

// Person does what a person would do by hand now, as far as it can be done and is not done. What the API can do is left to
// it, unless this sandbox does not offer it.
func (s *Server) Person() []Did {
	done, _ := s.hands()
	return done
}

// hands does the person's part, and says how many events Auditor will tell since.
func (s *Server) hands() (done []Did, collects int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	done = []Did{}
	h := &s.world.human
	if s.world.vaultInPlay() {
		done = append(done, s.vaultHands()...)
	}
	if !s.world.auditorInPlay() {
		return done, 0
	}
	did := func(step string, flag *bool) {
		*flag = true
		done = append(done, Did{step})
	}
	if s.isMade() {
		s.handCertificate(did)
	} else {
		if !h.AuditorDialog {
			did("auditor-start", &h.AuditorDialog)
		}
		if !h.CertificateTrusted {
			s.world.trust(&s.world.trusted, s.auditor.certificate.Leaf)
			did("certificate-trust", &h.CertificateTrusted)
		}
	}
	done = append(done, s.insteadOfCalls()...)
	before := s.auditor.settings
	if key := s.world.apiKeys[s.world.applicationID()]; key != "" && h.pasted != key && h.AuditorDialog {
		h.pasted = key
		s.auditor.settings.url, s.auditor.settings.name, s.auditor.settings.key = s.URL(), applicationName, key
		did("auditor-key", &h.APIKeyPasted)
	}
	if !h.MonitoringPlan && h.APIKeyPasted && s.world.policiesComplete() { // Auditor offers it only once it is connected
		s.auditor.settings.activity, s.auditor.settings.resource, s.auditor.settings.user = s.world.planItems()
		did("monitoring-plan", &h.MonitoringPlan)
	}
	if s.auditor.settings != before {
		collects = s.startCollection()
	}
	return done, collects
}

// PersonThrough is Person, and waits until Auditor has collected for the first time when it was told to: a person would look
// whether it works.
func (s *Server) PersonThrough(ctx context.Context) []Did {
	before := len(s.Events())
	done, collects := s.hands()
	if collects > 0 {
		_, _ = s.AwaitEvents(ctx, before+collects) // what it came to stands in the events
	}
	return done
}

func (w *world) applicationID() string {
	for _, r := range w.accounts.rows {
		if r.number("entityType") == entityApplication && r.text("name") == applicationName {
			return r.text("id")
		}
	}
	return ""
}

const articleSettings = `{"proxyAutoConnect":true,"record":true,"maxSessionLength":60,"expirationTimeoutThreshold":5,"allowSessionExtension":false,
"monitorEntireSession":false,"leaveInGroup":true,"sshScanDc":false,"notesRequired":false,"ticketRequired":false,"allowPasswordAccess":true,
"allowAutofillPassword":false,"allowViewPassword":false,"viewPasswordInSeconds":20,"clearWebsiteDataBeforeStart":true,"clearWebsiteDataAfterStop":true,
"recordAudio":true,"approvalTypeRequired":1,"approvalWorkflowId":null}`

func (w *world) activityByHand() {
	grant := w.templates.named("displayName", "Add User to Domain Group")
	revoke := w.templates.get(grant.text("pairedActionTemplateId"))
	group := func(phase string, t row, name string, class int) (row, row) {
		g := row{"id": newID(), "name": activityName + " " + phase, "trigger": false}
		params, _ := t["actionTemplateParameter"].([]any)
		values := []any{}
		for _, p := range params {
			pm, _ := p.(map[string]any)
			v := map[string]string{"Domain": "%target_domain%", "Group": "Domain Admins"}[row(pm).text("displayName")]
			if v != "" {
				values = append(values, map[string]any{"id": newID(), "actionTemplateParameterId": pm["id"], "value": v})
			}
		}
		a := map[string]any{"id": newID(), "actionGroupId": g["id"], "actionTemplateId": t["id"], "displayName": name, "classification": class, "continueOnFail": false, "isDeleted": false, "actionParameter": values}
		g["action"] = []any{a}
		return w.groups.add(g), a
	}
	pre, add := group("Pre-Session", grant, "Add to Domain Admins", 0)
	post, remove := group("Post-Session", revoke, "Remove from Domain Admins", 2)
	add["pairedActionId"], remove["pairedActionId"] = remove["id"], add["id"]
	w.activities.add(row{
		"name": activityName, "description": "", "platformId": w.platforms.named("name", platformAD)["id"], "activityType": 0, "loginAccount": 2,
		"loginAccountNameFormat": `%targetDomain%\%samAccountName%`, "requesterLoginFormat": 0, "createAccount": true, "deleteAccount": true,
		"startActionGroupId": pre["id"], "endActionGroupId": post["id"], "isDeleted": false, "isDefault": false,
	})
}
