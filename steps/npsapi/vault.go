package npsapi

import (
	"strconv"
	"strings"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// The calls of this file are those of the guide for Password Secure. Service accounts (Credential of the type Configuration) are
// documented; of connectors only the models are, and one reading call was seen live.

// ListServiceAccounts lists the service accounts, of the model Credential (see StoredCredential); with deleted, the softly deleted
// ones too. Unlike SearchServiceAccounts it gives their names, and it is not paged.
func ListServiceAccounts(deleted bool) plan.Call {
	return call("listCredentials", nil, number("type", CredentialConfiguration), query("includeDeleted", strconv.FormatBool(deleted)))
}

// GetCredential reads one credential. The parameter showPassword is never sent: it brings the password back and raises an audit event.
func GetCredential(id plan.Value) plan.Call {
	return call("getCredential", nil, at("credentialId", id))
}

// CreateServiceAccount makes a service account; it answers the Credential with its id. 409: user name and domain are taken, which
// for a vault's key, whose domain is empty, means the user name.
func CreateServiceAccount(a ServiceAccount) plan.Call { return call("createCredential", a.body()) }

// UpdateCredential writes a credential back: the full object as it was read, whose id is that of the route, and with its password, which
// no read gives back (see ServiceAccount.Over).
func UpdateCredential(id plan.Value, body plan.Object) plan.Call {
	return call("updateCredential", body, at("credentialId", id))
}

// DeleteCredential deletes a credential, softly as it seems.
func DeleteCredential(id plan.Value) plan.Call {
	return call("deleteCredential", nil, at("credentialId", id))
}

// ServiceAccount is a service account that holds a vault's key.
type ServiceAccount struct {
	Name        string
	Username    string // any label: Password Secure never sees it
	Description string
	Key         plan.SecretLeaf // <JWT>:<base64 private key>
}

// body leaves domain and platform empty: the article does not name them, and a vault connector would make a loop of it.
func (a ServiceAccount) body() plan.Object {
	return plan.Object{
		{Name: "name", Value: plan.String(a.Name)},
		{Name: "username", Value: plan.String(a.Username)},
		{Name: "password", Value: a.Key},
		{Name: "domain", Value: plan.Null()},
		{Name: "description", Value: plan.String(a.Description)},
		{Name: "type", Value: plan.Int(CredentialConfiguration)},
		{Name: "authenticationMethod", Value: plan.Int(AuthenticationPassword)},
		{Name: "platformId", Value: plan.Null()},
	}
}

// Over is the full object that UpdateCredential takes: as it was read, with name, user name, description and key of a.
func (a ServiceAccount) Over(read plan.Object) plan.Object {
	out := append(plan.Object{}, read...)
	for _, m := range (plan.Object{{Name: "name", Value: plan.String(a.Name)}, {Name: "username", Value: plan.String(a.Username)}, {Name: "description", Value: plan.String(a.Description)}, {Name: "password", Value: a.Key}}) {
		out = with(out, m)
	}
	return out
}

func with(o plan.Object, m plan.Member) plan.Object {
	for i := range o {
		if strings.EqualFold(o[i].Name, m.Name) {
			o[i].Value = m.Value
			return o
		}
	}
	return append(o, m)
}

// ListConnectorSettings lists the setting rows (ConnectorSetting) of templates and of connectors.
func ListConnectorSettings() plan.Call { return call("listConnectorSettings", nil) }

// ListConnectorTemplates lists the templates of integration connectors (ConnectorTemplate).
func ListConnectorTemplates() plan.Call { return call("listConnectorTemplates", nil) }

// ListConnectors lists the integration connectors (Connector).
func ListConnectors() plan.Call { return call("listConnectors", nil) }

// GetConnector reads one integration connector.
func GetConnector(id plan.Value) plan.Call { return call("getConnector", nil, at("id", id)) }

// CreateConnector makes an integration connector; for its body see VaultConnector.Body.
func CreateConnector(body plan.Object) plan.Call { return call("createConnector", body) }

// UpdateConnector writes an integration connector; the body is that of CreateConnector with the connector's id.
func UpdateConnector(id plan.Value, body plan.Object) plan.Call {
	return call("updateConnector", body, at("id", id))
}

// DeleteConnector deletes an integration connector.
func DeleteConnector(id plan.Value) plan.Call { return call("deleteConnector", nil, at("id", id)) }

// TemplatePasswordSecure is the connector template's name in the user interface, from 25.12 on.
const TemplatePasswordSecure = "Password Secure"

// VaultConnector is what the article asks of a connector to Password Secure.
type VaultConnector struct {
	Name, Description    string
	APIURL               string     // https://HOST/api/ or https://HOST:11016/, with the slash at its end
	ServiceAccount       plan.Value // credential id
	SkipCertificateCheck bool
}

// Body is an IntegrationConnectorRequest with every setting of the template, in its order. The three that matter are found by type: the
// one Uri, the one Credential, and the Boolean whose name speaks of a certificate; others keep their default. It is an error, of the
// kind NotOffered, when the template does not have exactly these: then a person makes the connector.
func (c VaultConnector) Body(t ConnectorTemplate) (plan.Object, error) {
	found := settingsOf(t.ConfigurationValues)
	if found.url != 1 || found.account != 1 || found.skip != 1 {
		return nil, problem.New("the settings of the connector template " + problem.Plain(t.Name) + " are not understood").
			Because("npsetup looks for one address, one service account and one certificate switch among them").
			Try("make the connector in NPS under Configuration > Integration Connectors").Of(problem.NotOffered)
	}
	settings := plan.Array{}
	for _, s := range t.ConfigurationValues {
		settings = append(settings, plan.Object{
			{Name: "id", Value: plan.String(s.ID)},
			{Name: "name", Value: plan.String(s.Name)},
			{Name: "type", Value: plan.Int(s.Type.Number)},
			{Name: "advanced", Value: plan.Bool(s.Advanced)},
			{Name: "value", Value: c.value(s)},
		})
	}
	return plan.Object{
		{Name: "name", Value: plan.String(c.Name)},
		{Name: "description", Value: plan.String(c.Description)},
		{Name: "connectorTemplateId", Value: plan.String(t.ID)},
		{Name: "connectorConfigurationId", Value: plan.String(t.ConfigurationID)},
		{Name: "settings", Value: settings},
	}, nil
}

func (c VaultConnector) value(s ConnectorSetting) plan.Value {
	switch {
	case s.isURL():
		return plan.String(c.APIURL)
	case s.isAccount():
		return c.ServiceAccount
	case s.isSkip():
		return plan.String(strconv.FormatBool(c.SkipCertificateCheck))
	case s.DefaultValue != nil:
		return plan.String(*s.DefaultValue)
	}
	return plan.Null()
}

// VaultActivity is an activity whose login account comes from a vault.
type VaultActivity struct {
	Name, Description string
	Platform          plan.Value // platform id, or nil for none
	Connector         plan.Value // integration connector id
	Login             string     // DOMAIN\user as the entry in Password Secure has it, or a template that gives it
}

// Body is the Activity that CreateActivity takes.
func (a VaultActivity) Body() plan.Object {
	platform := a.Platform
	if platform == nil {
		platform = plan.Null()
	}
	return plan.Object{
		{Name: "name", Value: plan.String(a.Name)},
		{Name: "description", Value: plan.String(a.Description)},
		{Name: "platformId", Value: platform},
		{Name: "activityType", Value: plan.Int(ActivityInteractive)},
		{Name: "loginAccount", Value: plan.Int(LoginVault)},
		{Name: "loginAccountNameFormat", Value: plan.String(a.Login)},
		{Name: "vaultId", Value: a.Connector},
		{Name: "vaultInfo", Value: plan.Null()},
		{Name: "createAccount", Value: plan.Bool(false)},
		{Name: "deleteAccount", Value: plan.Bool(false)},
	}
}

// SearchAccounts lists accounts of every kind (people, groups, applications, local ones) whose columns contain text.
func SearchAccounts(text string) plan.Call {
	return call("searchManagedAccounts", nil, query("filterText", text))
}

// vaultAssumptions is what the bodies above take for granted beyond their calls.
func vaultAssumptions() []Assumption {
	return []Assumption{
		{"service account with a vault's key: domain and platform", "both stay empty, and no vault connector is chosen: the article names only name, user name and password"},
		{"service account: update", "no read gives the password back, and an update without it may lose it: the key is always sent along"},
		{"connector: settings of the template Password Secure", "the address is its one setting of the type Uri, the service account its one of the type Credential, Skip Certificate Check its Boolean whose name has the word certificate; the template is found by its name in the user interface"},
		{"connector: values of settings", "a service account is written as its credential id, a switch as true or false in letters; connectorConfigurationId takes the template's configurationId"},
		{"vault activity: vaultId", "it is the connector's id: an activity has no other reference to a vault; vaultInfo stays empty"},
		{"vault activity: loginAccountNameFormat", `it holds the DOMAIN\user that is looked up in Password Secure, by the examples of other vaults; the article does not mention the field`},
	}
}
