package sandbox

import (
	"path/filepath"
	"strings"
)

// Names that the sandbox's own answers for Password Secure use, and that a person therefore types.
const (
	vaultAccount   = "NPS Password"
	vaultAccountAs = "NPS"
	vaultConnector = "NPS Password"
	vaultActivity  = "Password Secure Logon"
	vaultPolicy    = "Password Secure (resource)"
	vaultHost      = "app01." + domainName
)

const entryLogin = domainNetBIOS + `\` + entryUser

// vaultInPlay says whether somebody sets Password Secure up: it was asked, or NPS has a key of it.
func (w *world) vaultInPlay() bool {
	return w.vault.asked || w.connectors.named("name", vaultConnector) != nil || w.credentials.named("displayName", vaultAccount) != nil
}

// auditorInPlay says whether somebody sets Auditor up, or nobody anything yet.
func (w *world) auditorInPlay() bool { return !w.vaultInPlay() || w.applicationID() != "" }

// vaultHands does the person's part for Password Secure: a key, where none works any more, the entry, and in NPS what this sandbox does not
// offer as calls.
func (s *Server) vaultHands() []Did {
	w := &s.world
	var done []Did
	if s.livingKey() == nil {
		s.newVaultKey(s.o.Now().AddDate(1, 0, 0))
		s.renewEnvironment()
		w.human.VaultKey = true
		done = append(done, Did{"vault-key"})
	}
	if w.vault.entries.named("username", entryUser) == nil {
		w.vault.entry(row{"name": "Application administrator", "domain": domainNetBIOS, "username": entryUser}, vaultUser)
		w.human.VaultEntry = true
		done = append(done, Did{"vault-entry"})
	}
	if (s.o.API != "full" || s.faults.has("connector-405")) && s.connectorByHand() {
		done = append(done, Did{"connector"})
	}
	if s.o.API != "full" && w.vaultActivityByHand() {
		done = append(done, Did{"vault-activity"})
	}
	if s.o.API == "documented" && w.vaultPolicyByHand() {
		done = append(done, Did{"vault-policy"})
	}
	return done
}

// renewEnvironment hands the new key over: the person keeps it where the answers look for it.
func (s *Server) renewEnvironment() {
	if s.o.Dir != "" {
		_ = putFile(filepath.Join(s.o.Dir, "env"), []byte(s.world.environment())) // whoever needs it misses it
	}
}

// connectorByHand makes the connector in the user interface; false: it is there, or its service account or template is not.
func (s *Server) connectorByHand() bool {
	w := &s.world
	account := w.credentials.named("displayName", vaultAccount)
	if account == nil || w.connectors.named("name", vaultConnector) != nil {
		return false
	}
	var template row
	for _, t := range s.offeredTemplates() {
		if t.text("name") == templatePasswordSecure {
			template = t
		}
	}
	if template == nil {
		return false
	}
	r := row{"id": newID(), "name": vaultConnector, "description": "", "connectorTemplateId": template["id"], "connectorConfigurationId": newID()}
	typed := map[string]string{"ApiUrl": s.VaultURL() + "api/", "ServiceAccount": account.text("credentialId"), "SkipCertificateCheck": "false"}
	values := []any{}
	for _, t := range template.values() {
		v := t.clone()
		v["id"], v["configurationId"], v["connectorId"], v["integrationConnectorTemplateId"], v["value"] = newID(), r["connectorConfigurationId"], r["id"], nil, typed[t.text("name")]
		values = append(values, map[string]any(v))
	}
	r["configurationValues"] = values
	w.connectors.add(r)
	return true
}

func (w *world) vaultActivityByHand() bool {
	connector := w.connectors.named("name", vaultConnector)
	if connector == nil || w.activities.named("name", vaultActivity) != nil {
		return false
	}
	w.activities.add(row{
		"name": vaultActivity, "description": "", "platformId": w.platforms.named("name", platformWindows)["id"], "activityType": 0, "loginAccount": loginVault,
		"loginAccountNameFormat": entryLogin, "requesterLoginFormat": 0, "vaultId": connector["id"], "vaultInfo": nil, "createAccount": false, "deleteAccount": false, "isDeleted": false, "isDefault": false,
	})
	return true
}

// vaultPolicyByHand makes the access policy, or gives it what it lacks; false: nothing is to be done, or the activity is not there yet.
func (w *world) vaultPolicyByHand() bool {
	activity := w.activities.named("name", vaultActivity)
	if activity == nil {
		return false
	}
	changed := false
	p := w.policies.named("name", vaultPolicy)
	if p == nil {
		changed = true
		p = w.policies.add(row{
			"name": vaultPolicy, "description": "", "policyType": 0, "isDeleted": false, "isDisabled": false, "priority": len(w.policies.rows) + 1,
			"activityConfigurationId": w.profiles.named("name", "Default")["id"],
		})
		w.members[p.text("id")] = &members{}
	}
	m := w.members[p.text("id")]
	for k, id := range map[memberKind]string{
		memberAccounts: w.accounts.named("name", adminName).text("id"), memberActivities: activity.text("id"), memberResources: w.resources.named("dnsHostName", vaultHost).text("id"),
	} {
		if !m.has(k, id) {
			m.ids[k], changed = append(m.ids[k], strings.ToLower(id)), true
		}
	}
	return changed
}

// environment are the secrets that the answers refer to.
func (w *world) environment() string {
	admin := w.people[adminName]
	text := ""
	for _, pair := range [][2]string{
		{"NPS_PASSWORD", admin.password},
		{"NPS_TOTP_SECRET", admin.totp},
		{"NPS_PFX_PASSPHRASE", w.passphrase},
		{"PASSWORD_SECURE_API_KEY", w.vault.newestKey()},
	} {
		text += "export " + pair[0] + "='" + pair[1] + "'\n"
	}
	return text
}

func (s *Server) vaultAnswers() string {
	lines := []string{
		"version: 1",
		"guide: password-secure",
		"nps:",
		"  url: " + s.URL(),
		"  trust: pin:" + s.tls.pin,
		"  signIn:",
		"    user: " + adminName,
		"    password: env:NPS_PASSWORD",
		"    mfa: totp:env:NPS_TOTP_SECRET",
		"passwordSecure:",
		"  url: " + s.VaultURL(),
		"  trust: pin:" + s.VaultPin(),
		"  version: '9.2'",
		"  apiKey: env:PASSWORD_SECURE_API_KEY",
		"  entry: {domain: " + domainNetBIOS + ", user: " + entryUser + "}",
		"serviceAccount: {name: " + vaultAccount + ", username: " + vaultAccountAs + "}",
		"connector:",
		"  name: " + vaultConnector,
		"  description: ''",
		"  skipCertificateCheck: false",
		"activity:",
		"  name: " + vaultActivity,
		"  description: ''",
		"  platform: " + platformWindows,
		"  loginAccountTemplate: '" + entryLogin + "'",
		"accessPolicy:",
		"  name: " + vaultPolicy,
		"  connectionProfile: Default",
		"  users: ['" + adminName + "']",
		"  resources: [" + vaultHost + "]",
		"acceptRisks: []",
	}
	return strings.Join(lines, "\n") + "\n"
}
