package sandbox

import (
	"context"
	"encoding/json"
	"strings"
)

// Names that the sandbox's own answers use, and that a person therefore types.
const (
	applicationName = "NetwrixAuditor"
	profileName     = "Netwrix Auditor"
	activityName    = "Netwrix Auditor Domain Admin"
	policyName      = "Netwrix Auditor (resource)"
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

// hands does the person's part, and says whether Auditor collects since.
func (s *Server) hands() (done []Did, collects bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	done = []Did{}
	h := &s.world.human
	if s.world.vaultInPlay() {
		done = append(done, s.vaultHands()...)
	}
	if !s.world.auditorInPlay() {
		return done, false
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
	if s.o.API != "full" {
		done = append(done, s.world.byHand()...)
	}
	if s.o.API == "documented" && s.world.policyByHand() {
		done = append(done, Did{"policy-resource"})
	}
	before := s.auditor.settings
	if key := s.world.apiKeys[s.world.applicationID()]; key != "" && h.pasted != key && h.AuditorDialog {
		h.pasted = key
		s.auditor.settings.url, s.auditor.settings.name, s.auditor.settings.key = s.URL(), applicationName, key
		did("auditor-key", &h.APIKeyPasted)
	}
	if !h.MonitoringPlan && h.APIKeyPasted && s.world.policyComplete() { // Auditor offers it only once it is connected
		s.auditor.settings.activity, s.auditor.settings.resource = s.world.planItem()
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
	if collects {
		_, _ = s.AwaitEvents(ctx, before+1) // what it came to stands in the events
	}
	return done
}

// planItem is what has to be typed into the monitoring plan: the names by which Auditor will ask.
func (w *world) planItem() (activity, resource string) {
	m := w.members[w.policies.named("name", policyName).text("id")]
	return w.activities.get(m.ids[memberActivities][0]).text("name"), w.resources.get(m.ids[memberResources][0]).text("dnsHostName")
}

func (w *world) applicationID() string {
	for _, r := range w.accounts.rows {
		if r.number("entityType") == entityApplication && r.text("name") == applicationName {
			return r.text("id")
		}
	}
	return ""
}

func (w *world) policyComplete() bool {
	p := w.policies.named("name", policyName)
	if p == nil {
		return false
	}
	for _, ids := range w.members[p.text("id")].ids {
		if len(ids) == 0 {
			return false
		}
	}
	return true
}

// byHand makes in the user interface what this sandbox does not offer as calls, by the article's values.
func (w *world) byHand() []Did {
	var done []Did
	if w.profiles.named("name", profileName) == nil {
		p := defaultProfile()
		var set row
		_ = json.Unmarshal([]byte(articleSettings), &set) // a constant of this file
		for k, v := range set {
			p[k] = v
		}
		p["name"], p["description"], p["isDefault"] = profileName, "Netwrix Auditor integration", false
		w.profiles.add(p)
		done = append(done, Did{"connection-profile"})
	}
	if w.activities.named("name", activityName) == nil {
		w.activityByHand()
		done = append(done, Did{"activity"})
	}
	return done
}

// policyByHand makes the access policy, or gives it what it lacks of the article's; false: nothing is to be done, or its user or
// its resource is not there yet.
func (w *world) policyByHand() bool {
	resource := w.resources.named("dnsHostName", "dc01."+domainName)
	if w.applicationID() == "" || resource == nil {
		return false
	}
	changed := false
	p := w.policies.named("name", policyName)
	if p == nil {
		changed = true
		p = w.policies.add(row{"name": policyName, "description": "", "policyType": 0, "isDeleted": false, "isDisabled": false, "priority": len(w.policies.rows) + 1})
		w.members[p.text("id")] = &members{}
	}
	if profile := w.profiles.named("name", profileName); p.text("activityConfigurationId") != profile.text("id") {
		p["activityConfigurationId"], changed = profile["id"], true
	}
	m := w.members[p.text("id")]
	for k, id := range map[memberKind]string{memberAccounts: w.applicationID(), memberActivities: w.activities.named("name", activityName).text("id"), memberResources: resource.text("id")} {
		if !m.has(k, id) {
			m.ids[k], changed = append(m.ids[k], strings.ToLower(id)), true
		}
	}
	return changed
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
