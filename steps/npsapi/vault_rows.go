package npsapi

import (
	"encoding/json"
	"strings"
)

type (
	// StoredCredential is a Credential or CredentialDto, such as a service account. Its secrets are not decoded: ID is what
	// Credential.CredentialID is in a search.
	StoredCredential struct {
		ID, Name, Username, Domain, Description string
		PlatformID, PasswordVaultConnectorID    string
		Type, AuthenticationMethod              Enum
		IsDeleted                               bool
	}
	// ConnectorTemplate is an IntegrationConnectorTemplate.
	ConnectorTemplate struct {
		ID, Name, ConfigurationID string
		Type                      Enum
		ConfigurationValues       []ConnectorSetting
	}
	// Connector is an IntegrationConnector.
	Connector struct {
		ID, Name, Description                         string
		ConnectorTemplateID, ConnectorConfigurationID string
		ConfigurationValues                           []ConnectorSetting
	}
	// ConnectorSetting is a ConnectorConfigurationValue: a setting of a template, with its default, or of a connector, with its value.
	ConnectorSetting struct {
		ID, Name, Description                                        string
		ConfigurationID, ConnectorID, IntegrationConnectorTemplateID string
		Value                                                        SettingValue
		DefaultValue                                                 *string
		Type                                                         Enum
		Required, Advanced                                           bool
		DisplayOrder                                                 int
	}
	// ProfileTerms is an ActivityConfiguration, as far as it decides whether a session gives its password and what it asks before.
	// MaxSessionLength is in minutes; nil: not told.
	ProfileTerms struct {
		ID, Name                                       string
		IsDefault, IsDeleted                           bool
		AllowPasswordAccess, AllowViewPassword, Record bool
		NotesRequired, TicketRequired                  bool
		ApprovalTypeRequired                           Enum
		ApprovalWorkflowID                             string
		MaxSessionLength                               *int
	}
	// SettingValue is the value of a setting as text: "" for none. Numbers and switches are taken as they are written.
	SettingValue string
)

// UnmarshalJSON takes a text, a number, a truth value or null. Anything else is no value.
func (v *SettingValue) UnmarshalJSON(raw []byte) error {
	var text string
	switch {
	case json.Unmarshal(raw, &text) == nil:
		*v = SettingValue(text)
	case len(raw) > 0 && raw[0] != '{' && raw[0] != '[':
		*v = SettingValue(raw)
	}
	return nil
}

// UnmarshalJSON leaves the values of settings that hold a secret out.
func (s *ConnectorSetting) UnmarshalJSON(raw []byte) error {
	type plain ConnectorSetting
	var p plain
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	*s = ConnectorSetting(p)
	if s.Type.Is(SettingToken, "Token") || s.Type.Is(SettingPassword, "Password") {
		s.Value, s.DefaultValue = "", nil
	}
	return nil
}

func (s ConnectorSetting) isURL() bool     { return s.Type.Is(SettingURI, "Uri") }
func (s ConnectorSetting) isAccount() bool { return s.Type.Is(SettingCredential, "Credential") }

func (s ConnectorSetting) isSkip() bool {
	return s.Type.Is(SettingBoolean, "Boolean") && strings.Contains(strings.ToLower(s.Name), "certificate")
}

// Role is what a setting is to a connector to Password Secure.
type Role int

// The roles of settings.
const (
	RoleOther Role = iota
	RoleURL
	RoleAccount
	RoleSkip
)

// Role tells by the type of the setting, and for the switch by its name too.
func (s ConnectorSetting) Role() Role {
	switch {
	case s.isURL():
		return RoleURL
	case s.isAccount():
		return RoleAccount
	case s.isSkip():
		return RoleSkip
	}
	return RoleOther
}

// settings counts the three kinds of settings of a vault's connector, and has the value of the last of each.
type settings struct {
	url, account, skip int
	values             VaultSettings
}

// VaultSettings is what a connector to Password Secure holds.
type VaultSettings struct {
	APIURL               string
	ServiceAccount       string // credential id
	SkipCertificateCheck bool
}

func settingsOf(rows []ConnectorSetting) settings {
	var found settings
	for _, s := range rows {
		switch {
		case s.isURL():
			found.url, found.values.APIURL = found.url+1, string(s.Value)
		case s.isAccount():
			found.account, found.values.ServiceAccount = found.account+1, string(s.Value)
		case s.isSkip():
			found.skip, found.values.SkipCertificateCheck = found.skip+1, strings.EqualFold(string(s.Value), "true")
		}
	}
	return found
}

// Settings reads back what VaultConnector.Body wrote; false when the rows do not hold exactly one setting of each kind.
func (c Connector) Settings() (VaultSettings, bool) { return VaultSettingsOf(c.ConfigurationValues) }

// VaultSettingsOf is Connector.Settings for rows of ListConnectorSettings, those of one connector.
func VaultSettingsOf(rows []ConnectorSetting) (VaultSettings, bool) {
	found := settingsOf(rows)
	return found.values, found.url == 1 && found.account == 1 && found.skip == 1
}

// DefaultProfile is the profile that NPS marks as its default.
func DefaultProfile(profiles []ProfileTerms) (ProfileTerms, bool) {
	for _, p := range profiles {
		if p.IsDefault && !p.IsDeleted {
			return p, true
		}
	}
	return ProfileTerms{}, false
}
