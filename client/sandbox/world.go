package sandbox

import (
	"crypto/x509"
	"fmt"
)

// world is everything that the stand-ins know.
type world struct {
	people  map[string]*person
	jwtKey  string
	secrets []string // every secret value that ever lived, besides those of people

	accounts, profiles, platforms, templates, groups, activities, policies *table
	hosts, resources, credentials                                          *table
	apiKeys                                                                map[string]string // account id → key
	members                                                                map[string]*members
	human                                                                  human
	clientSerial                                                           string              // of Auditor's certificate, as .NET writes it
	trusted                                                                []*x509.Certificate // the machine's Trusted Root
	between                                                                []*x509.Certificate // its Intermediate Certification Authorities
	issuing                                                                *issuing            // the organisation's authority; nil until a request is handed in
	passphrase                                                             string              // that the person types for a PFX
	sessions                                                               []*session
	connectors, connectorTemplates                                         *table
	accountKeys                                                            map[string]string // credential id → password
	vault                                                                  vault
	users                                                                  *table            // accounts of the domains, with the rows of a search for credentials
	passwords                                                              map[string]string // user id → password that NPS stored
	rotations                                                              []rotation
	usersAsked, hostsAsked                                                 bool // somebody looked for accounts, or for hosts
}

// human is what a person did by hand.
type human struct {
	AuditorDialog      bool `json:"auditorDialog"`
	CertificateTrusted bool `json:"certificateTrusted"`
	APIKeyPasted       bool `json:"apiKeyPasted"`
	MonitoringPlan     bool `json:"monitoringPlan"`
	VaultKey           bool `json:"vaultKey"`
	VaultEntry         bool `json:"vaultEntry"`
	pasted             string
	handedIn           bool
	imported           string // the PFX that lies in Auditor's store
}

const (
	platformAD      = "Active Directory"
	platformWindows = "Windows"
	domainName      = "contoso.com"
	domainNetBIOS   = "CONTOSO"
)

func newWorld(resources, accounts int) world {
	w := world{people: newPeople(), jwtKey: randomHex(32), passphrase: marker("passphrase"), apiKeys: map[string]string{}, members: map[string]*members{}}
	w.secrets = append(w.secrets, w.passphrase)
	w.platforms = newTable()
	for _, name := range []string{platformWindows, platformAD, "Linux", "Microsoft Entra ID", "Website", "Cisco"} {
		w.platforms.add(row{"name": name, "description": "", "type": 0})
	}
	w.accounts = newTable()
	for _, p := range w.people {
		w.accounts.add(row{"id": p.account, "entityType": 0, "name": p.name, "displayName": p.name, "samAccountName": p.name[len(domainNetBIOS)+1:], "domainName": domainName})
	}
	w.accounts.add(row{"entityType": 1, "name": "NPS Administrators", "displayName": "NPS Administrators", "domainName": domainName})
	w.profiles = newTable(defaultProfile())
	w.templates = actionTemplates()
	w.groups = newTable()
	w.activities = w.builtInActivities()
	w.policies = newTable()
	w.credentials = newTable()
	for _, c := range [][3]string{{"svc-nps", "svc-nps", domainNetBIOS}, {"svc-backup", "svc-backup", domainNetBIOS}, {"Fabrikam service", "svc-fabrikam", "FABRIKAM"}, {"Fabrikam backup", "svc-backup", "FABRIKAM"}} {
		w.credentials.add(row{"credentialId": newID(), "displayName": c[0], "userName": c[1], "domain": c[2], "type": 0})
	}
	w.directory(resources)
	w.users, w.passwords = w.newUsers(accounts), map[string]string{}
	w.connectors, w.connectorTemplates, w.accountKeys, w.vault = newTable(), connectorTemplates(), map[string]string{}, newVault()
	return w
}

func defaultProfile() row {
	return row{
		"name": "Default", "description": "Default connection profile", "type": 1, "isDefault": true, "isDeleted": false, "isUserModified": false, "nodeId": newID(),
		"createdBy": nil, "modifiedBy": nil, "createdDateTimeUtc": "2026-01-05T08:00:00Z", "modifiedDateTimeUtc": "2026-01-05T08:00:00Z",
		"activityConfigurationSettings": []any{map[string]any{"id": newID(), "key": "LsaLookupCache", "value": "0", "type": 0}}, "customFields": []any{},
		"deleteAccount": false, "sessionRetryInterval": 5, "maxSessionLength": 480, "allowSessionExtension": true, "sessionExtensionMinutes": 30, "sessionExtensionCount": 2,
		"sessionMonitorInterval": 5, "expirationTimeoutThreshold": 10, "rdpProxyHost": nil, "sshProxyHost": nil, "sshScanDc": true, "recordAudio": false,
		"proxyAutoConnect": false, "record": false, "approvalTypeRequired": 1, "approvalWorkflowId": nil, "monitorEntireSession": true, "allowViewPassword": true,
		"allowPasswordAccess": true, "allowAutofillPassword": true, "leaveInGroup": false, "activityTokenComplexity": nil, "clearWebsiteDataAfterStop": false,
		"clearWebsiteDataBeforeStart": false, "notesRequired": false, "ticketRequired": false, "viewPasswordInSeconds": 10,
		"recordKeystrokes": true, // a member of newer versions: it must survive
	}
}

// directory is contoso.com as NPS synchronised it: hosts that can be imported, and some that were.
func (w *world) directory(extra int) {
	w.hosts, w.resources = newTable(), newTable()
	ad, windows := w.platforms.named("name", platformAD).text("id"), w.platforms.named("name", platformWindows).text("id")
	w.resources.add(row{"name": domainName, "displayName": domainName, "type": 1, "dnsHostName": nil, "domainName": domainName, "platformId": ad})
	for _, h := range []struct {
		name     string
		dc       bool
		platform string
	}{{"dc01", true, ad}, {"dc02", true, windows}, {"dc03", true, ad}, {"file01", false, windows}, {"app01", false, windows}, {"auditor01", false, windows}} {
		w.host(h.name, h.dc, h.platform)
	}
	app := w.hosts.named("dnsHostName", "app01."+domainName)
	w.enrol(app, w.credentials.named("displayName", "svc-nps"))
	for i := range extra {
		h := w.host(fmt.Sprintf("srv%05d", i+1), false, windows)
		w.enrol(h, w.credentials.named("displayName", "svc-nps"))
		w.host(fmt.Sprintf("new%05d", i+1), false, windows)
	}
}

func (w *world) host(name string, dc bool, platform string) row {
	return w.hosts.add(row{
		"displayName": domainNetBIOS + `\` + name, "dnsHostName": name + "." + domainName, "isDomainController": dc, "platformId": platform,
		"platformName": w.platforms.get(platform).text("name"), "os": "Windows Server 2022", "domainName": domainName,
		"distinguishedName": "CN=" + name + ",OU=Servers,DC=contoso,DC=com",
	})
}

func (w *world) enrol(host, credential row) row {
	r := w.resources.add(row{
		"name": nil, "displayName": domainName + `\` + host.text("dnsHostName"), "type": 0, "hostId": host.text("id"), "dnsHostName": host.text("dnsHostName"),
		"domainName": domainName, "platformId": host.text("platformId"), "serviceAccountId": credential.text("credentialId"), "os": host.text("os"), "disableWinRm": false,
	})
	host["managedResourceId"] = r.text("id")
	return r
}
