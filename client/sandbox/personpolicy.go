package sandbox

import (
	"encoding/json"
	"strings"
)

// byCredential and byResource say which kinds of policy are set up here: a person sees it by what was looked for. Before anybody
// looked, the article's first kind it is.
func (w *world) byCredential() bool { return w.usersAsked }

func (w *world) byResource() bool { return w.hostsAsked || !w.usersAsked }

// insteadOfCalls makes in the user interface what this sandbox does not offer as calls.
func (s *Server) insteadOfCalls() []Did {
	var done []Did
	if s.o.API == "full" {
		return nil
	}
	done = append(done, s.world.byHand()...)
	if s.world.byCredential() && s.manageByHand() {
		done = append(done, Did{"managed-credential"})
	}
	if s.o.API != "documented" {
		return done
	}
	if s.world.byResource() && s.world.policyByHand() {
		done = append(done, Did{"policy-resource"})
	}
	if s.world.byCredential() && s.world.credentialPolicyByHand() {
		done = append(done, Did{"policy-credential"})
	}
	return done
}

// manageByHand is Manage > Automatic and Schedule Rotation for the account of the sandbox's own answers.
func (s *Server) manageByHand() bool {
	u := s.world.account()
	if u.number("rotationType") == managedAutomatic {
		return false
	}
	s.manage(u, managedAutomatic)
	if u.number("passwordStatus") == passwordUnspecified {
		s.rotate(u)
	}
	return true
}

func (w *world) account() row {
	for _, u := range w.users.rows {
		if u.text("domain") == domainNetBIOS && u.text("userName") == accountName {
			return u
		}
	}
	return nil
}

// planItems is what has to be typed into the monitoring plan: the names by which Auditor will ask.
func (w *world) planItems() (activity, resource, user string) {
	if w.byResource() {
		m := w.members[w.policies.named("name", policyName).text("id")]
		activity, resource = w.activities.get(m.ids[memberActivities][0]).text("name"), w.resources.get(m.ids[memberResources][0]).text("dnsHostName")
	}
	if w.byCredential() {
		m := w.members[w.policies.named("name", credentialPolicy).text("id")]
		user = w.userOf(m.ids[memberCredentials][0]).text("userName")
	}
	return activity, resource, user
}

// policiesComplete says whether each policy that is set up here has its members.
func (w *world) policiesComplete() bool {
	complete := func(name string, kinds ...memberKind) bool {
		p := w.policies.named("name", name)
		if p == nil {
			return false
		}
		for _, k := range kinds {
			if len(w.members[p.text("id")].ids[k]) == 0 {
				return false
			}
		}
		return true
	}
	return (!w.byResource() || complete(policyName, memberAccounts, memberActivities, memberResources)) &&
		(!w.byCredential() || complete(credentialPolicy, memberAccounts, memberCredentials))
}

// credentialPolicyByHand is policyByHand for the credential-based policy.
func (w *world) credentialPolicyByHand() bool {
	user := w.account()
	if w.applicationID() == "" || user.text("credentialId") == "" {
		return false
	}
	p, changed := w.policyOf(credentialPolicy, 1)
	id, _ := credentialOf(user)
	return w.completed(p, map[memberKind]string{memberAccounts: w.applicationID(), memberCredentials: id}) || changed
}

// policyOf finds a policy with the article's profile, or makes it. It says whether anything was changed.
func (w *world) policyOf(name string, kind int) (p row, changed bool) {
	if p = w.policies.named("name", name); p == nil {
		changed = true
		p = w.policies.add(row{"name": name, "description": "", "policyType": kind, "isDeleted": false, "isDisabled": false, "priority": len(w.policies.rows) + 1})
		w.members[p.text("id")] = &members{}
	}
	if profile := w.profiles.named("name", profileName); p.text("activityConfigurationId") != profile.text("id") {
		p["activityConfigurationId"], changed = profile["id"], true
	}
	return p, changed
}

// completed gives a policy the members that it lacks. It says whether any were lacking.
func (w *world) completed(p row, wanted map[memberKind]string) bool {
	m, changed := w.members[p.text("id")], false
	for k, id := range wanted {
		if !m.has(k, id) {
			m.ids[k], changed = append(m.ids[k], strings.ToLower(id)), true
		}
	}
	return changed
}

// byHand makes in the user interface what this sandbox does not offer as calls, by the article's values.
func (w *world) byHand() []Did {
	var done []Did
	if w.profiles.named("name", profileName) == nil {
		p := defaultProfile()
		var set row
		_ = json.Unmarshal([]byte(articleSettings), &set) // a constant
		for k, v := range set {
			p[k] = v
		}
		p["name"], p["description"], p["isDefault"] = profileName, "Netwrix Auditor integration", false
		w.profiles.add(p)
		done = append(done, Did{"connection-profile"})
	}
	if w.byResource() && w.activities.named("name", activityName) == nil {
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
	p, changed := w.policyOf(policyName, 0)
	return w.completed(p, map[memberKind]string{memberAccounts: w.applicationID(), memberActivities: w.activities.named("name", activityName).text("id"), memberResources: resource.text("id")}) || changed
}
