package sandbox

import (
	"strings"
	"time"
)

// loginVault is the login account "Vault" of an activity.
const loginVault = 3

// checkout is what the seven stages of the vendor's diagram do for an activity with a vault's login account: Action Service, Action Service
// Worker, the module VaultConnector PasswordSecure, its cmdlet Get-VaultCredential, the sign-in with the API key, the search for
// Domain\User, and the credential or null. The diagram has the stages and one name; every other word of these lines is our guess. given is
// false where the session cannot go on; a null goes on, without a password, since the diagram calls it no error.
func (s *Server) checkout(x *session, at time.Time) (beats []beat, given bool) {
	if x.activity.number("loginAccount") != loginVault {
		return nil, true
	}
	w := &s.world
	connector := w.connectors.get(x.activity.text("vaultId"))
	say := func(level int, text string) { beats = append(beats, beat{at, level, text, same}) }
	fail := func(text string) ([]beat, bool) {
		say(levelError, text)
		return beats, false
	}
	say(levelInfo, "Action Service: starting activity "+x.activity.text("name"))
	say(levelInfo, "Action Service Worker: requesting credential checkout from vault "+connector.text("name"))
	template := w.connectorTemplates.get(connector.text("connectorTemplateId")).text("name")
	if template != templatePasswordSecure {
		return fail("Action Service Worker: the vault connector of the activity does not exist or is of another kind")
	}
	say(levelInfo, "VaultConnector PasswordSecure: calling Get-VaultCredential")
	if problem := s.roadTo(connector); problem != "" {
		return fail("Get-VaultCredential: " + problem)
	}
	key, state := s.judgeKey(func(k apiKey) bool { return k.whole == w.keyOf(connector) })
	if state != keyGood || s.faults.hit("vault-refused") {
		why := map[keyState]string{keyUnknown: "unknown API key", keyExpired: "the API key has expired", keyDeleted: "the API key was deleted", keyGood: "access denied"}[state]
		return fail("Get-VaultCredential: login to Password Secure failed (401): " + why)
	}
	say(levelInfo, "Get-VaultCredential: logged in to Password Secure, database "+key.text("database"))
	login := x.login()
	say(levelInfo, `Get-VaultCredential: searching for `+login)
	found := w.vault.visible(key.text("user"), login)
	switch {
	case len(found) > 1, s.faults.hit("vault-several"):
		say(levelWarn, "Get-VaultCredential: several entries found for "+login)
		say(levelWarn, "Get-VaultCredential: null returned")
	case len(found) == 0, s.faults.hit("vault-null"):
		say(levelWarn, "Get-VaultCredential: no entry found for "+login)
		say(levelWarn, "Get-VaultCredential: null returned")
	case s.faults.hit("vault-seal"):
		say(levelWarn, "Get-VaultCredential: a reason is required to read the entry of "+login)
		say(levelWarn, "Get-VaultCredential: null returned")
	default:
		x.checkedOut = w.vault.passwords[found[0].text("id")]
		say(levelInfo, "Get-VaultCredential: credential found for "+login+" and returned")
	}
	return beats, true
}

// roadTo is what stands between NPS and Password Secure, by a connector's settings; "" is nothing.
func (s *Server) roadTo(connector row) string {
	values := connector.settings()
	address := values["ApiUrl"]
	switch {
	case s.faults.hit("vault-dll"):
		return "could not load PsrApi: the version of the server is not supported"
	case s.faults.hit("vault-unreachable"), s.faults.has("vault-down"):
		return "Password Secure is not reachable at " + address
	case address != s.VaultURL()+"api/" && address != s.VaultDirectURL():
		if strings.HasPrefix(address, s.VaultURL()) || strings.HasPrefix(address, s.VaultDirectURL()) {
			return "Password Secure answers 404 at " + address
		}
		return "Password Secure is not reachable at " + address
	case (s.faults.hit("vault-untrusted") || s.faults.has("vault-self-signed")) && values["SkipCertificateCheck"] != "true":
		return "the certificate of Password Secure is not trusted (RemoteCertificateChainErrors), and Skip Certificate Check is off"
	}
	return ""
}

// keyOf is the password of a connector's service account.
func (w *world) keyOf(connector row) string {
	return w.accountKeys[connector.settings()["ServiceAccount"]]
}

// passwordOf is what a session that becomes active can show.
func (s *Server) passwordOf(x *session) string {
	if x.activity.number("loginAccount") == loginVault {
		if x.checkedOut != "" {
			s.world.secrets = append(s.world.secrets, x.checkedOut)
		}
		return x.checkedOut
	}
	if x.user != nil {
		return s.world.passwords[x.user.text("id")]
	}
	password := marker("session")
	s.world.secrets = append(s.world.secrets, password)
	return password
}
