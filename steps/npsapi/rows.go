package npsapi

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Row types hold what the steps judge; a row's full JSON stays beside them, so that unknown members survive a round trip.
type (
	// Account is a ManagedAccountView.
	Account struct {
		ID, Name, DisplayName, SamAccountName, CertificateSerialNumber string
		EntityType                                                     Enum
		Locked                                                         bool
	}
	// Profile is an ActivityConfiguration.
	Profile struct {
		ID, Name             string
		IsDefault, IsDeleted bool
	}
	// Named is a row of which only id and name matter: platforms, domains.
	Named struct{ ID, Name string }
	// ActionTemplate is an action type with its parameters.
	ActionTemplate struct {
		ID, DisplayName         string
		Classification          Enum
		PairedActionTemplateID  string
		ActionTemplateParameter []TemplateParameter
	}
	// TemplateParameter is one parameter of an action type.
	TemplateParameter struct {
		ID, Name, DisplayName string
		DefaultValue          *string
		Required              bool
	}
	// Activity is an activity.
	Activity struct {
		ID, Name                                           string
		PlatformID, StartActionGroupID, EndActionGroupID   string
		Description, LoginAccountNameFormat                string
		VaultID, VaultInfo                                 string
		ActivityType, LoginAccount                         Enum
		CreateAccount, DeleteAccount, IsDeleted, IsDefault bool
	}
	// ActionGroup is a group of actions of one phase.
	ActionGroup struct {
		ID, Name string
		Action   []Action
	}
	// Action is one action of a group.
	Action struct {
		ID, DisplayName, ActionTemplateID, PairedActionID string
		ContinueOnFail, IsDeleted                         bool
		Classification                                    Enum
		ActionParameter                                   []ActionParameter
	}
	// ActionParameter is one value of an action.
	ActionParameter struct{ Value, ActionTemplateParameterID string }
	// Policy is a SimpleAccessControlPolicy; isDeleted and isDisabled are not documented but seen.
	Policy struct {
		ID, Name, ActivityConfigurationID     string
		ActivityConfiguration                 NameOf
		ActivityConfigurationMaxSessionLength *int
		Activities                            []json.RawMessage // of the model Activity; often left out
		PolicyType                            Enum
		IsDeleted, IsDisabled                 *bool
	}
	// Resource is a ManagedResourceView. Name may be empty; the DNS host name tells hosts apart.
	Resource struct {
		ID, Name, DisplayName, DNSHostName, HostID, PlatformID, PlatformName, ServiceAccountID, SaName, DomainName string
		DisableWinRm                                                                                               bool
	}
	// Candidate is a host that can be imported: ID is the host id.
	Candidate struct {
		ID, DNSHostName, DisplayName, PlatformID, PlatformName, ManagedResourceID, DomainName string
		IsDomainController                                                                    bool
	}
	// Credential is a row of Credential/Search: ID is the user, CredentialID the credential.
	Credential struct {
		ID, CredentialID, DisplayName, UserName, SamAccountName, Domain, Platform string
		ManagedUserID                                                             string
		CredentialType, ManagedType, RotationType, PasswordStatus                 Enum
		LastPasswordChangeDateTimeUTC                                             *string
		DependencyCount                                                           int
	}
	// MemberRow is a member of a policy, or one that it could take.
	MemberRow struct {
		ID, Name, DisplayName, DNSHostName string
		Username, Domain, UserID           string // of a credential
		EntityType                         Enum
	}
	// Session is a SessionSummary. SessionStatus is its state; its member status is another enum.
	Session struct {
		ID, ManagedAccountID, ActivityName, ManagedResourceName, Note, CreatedByDisplayName, UserDisplayName string
		AccessPolicyID, LoginAccountName, TargetUserDisplayName                                              string
		SessionStatusDescription, StatusMessage                                                              string
		CreatedDateTimeUTC, ActualStartDateTimeUTC, ActualEndDateTimeUTC, ExpirationDateTimeUTC              *string
		SessionStatus                                                                                        Enum
	}
)

// NameOf is the name of an object that a row refers to: documented as a text, seen live as an object. Anything else is no name.
type NameOf string

// UnmarshalJSON takes a text, an object with a name, or null.
func (n *NameOf) UnmarshalJSON(raw []byte) error {
	var text string
	var nested struct{ Name string }
	switch {
	case json.Unmarshal(raw, &text) == nil:
		*n = NameOf(text)
	case json.Unmarshal(raw, &nested) == nil:
		*n = NameOf(nested.Name)
	}
	return nil
}

// Words are what NPS says of a session besides its state.
func (s Session) Words() string {
	return strings.TrimSpace(strings.TrimSpace(s.SessionStatusDescription) + " " + strings.TrimSpace(s.StatusMessage))
}

// Decode reads one row. Member names match whatever their case; a row that does not fit is an error.
func Decode[T any](raw json.RawMessage) (T, error) {
	var t T
	if err := json.Unmarshal(raw, &t); err != nil {
		return t, fmt.Errorf("a row of NPS cannot be read: %w", err)
	}
	return t, nil
}
