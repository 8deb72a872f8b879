package npsapi

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Enum is an enum value as NPS sends it: an integer, on some builds a name. Numbers that this program does not know are
// kept as they are.
type Enum struct {
	Number int
	Name   string // set when the server sent a name
}

// UnmarshalJSON takes a number, a name, a number in quotes, or null.
func (e *Enum) UnmarshalJSON(raw []byte) error {
	var n int
	if json.Unmarshal(raw, &n) == nil {
		e.Number = n
		return nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if n, err := strconv.Atoi(s); err == nil {
		e.Number = n
		return nil
	}
	e.Number, e.Name = -1<<31, s
	return nil
}

// Is compares with a number and its name, letters' case aside.
func (e Enum) Is(number int, name string) bool {
	if e.Name != "" {
		return strings.EqualFold(e.Name, name)
	}
	return e.Number == number
}

// Numbers of the enums that are sent or judged. Their sources: confirmed means that the number stands in a vendor script or
// document or was seen live; the others are inferred from the order of the names.
const (
	EntityAccount     = 0 // ManagedAccountViewEntityTypeEnum, inferred but for the group
	EntityGroup       = 1 // seen live
	EntityApplication = 2

	PolicyResource   = 0 // PolicyType, seen live
	PolicyCredential = 1

	ActivityInteractive = 0 // ActivityType, inferred but for TaskAutomation

	LoginActivityIdentity = 2 // ActivityLoginType, inferred: "Activity Token" in the user interface
	LoginVault            = 3

	RequesterSamaccountname = 0 // RequesterLoginFormat, inferred

	ConfigurationConnectionProfile = 1 // ActivityConfigurationType, inferred

	ApprovalAllow = 1 // ApprovalType, inferred: "Automatic" in the user interface

	ResourceHost   = 0 // ManagedResourceType, from a vendor script
	ResourceDomain = 1 // seen live

	CredentialConfiguration = 0 // CredentialType, documented: service accounts

	ManagedNot       = 0 // ManagedUserType, inferred
	ManagedManual    = 1
	ManagedAutomatic = 2

	ManagedService = 2 // ManagedType, inferred

	PasswordUnspecified = 0 // VerificationScanStatus, inferred
	PasswordVerified    = 1
	PasswordPending     = 2
	PasswordChanged     = 3
	PasswordFailed      = 4
	PasswordMismatch    = 5

	MemberCredential = 0 // CredentialOrHostUser, inferred

	AuthenticationPassword = 0 // AuthenticationMethodType, inferred

	SettingURI        = 0 // ConnectorConfigurationValueType, inferred
	SettingToken      = 2
	SettingCredential = 3
	SettingBoolean    = 9
	SettingPassword   = 11

	ConnectorPasswordVault = 2 // IntegrationConnectorType, inferred

	SessionApprovalRequired = -1 // SessionStatus, from a vendor script
	SessionPending          = 0
	SessionActive           = 1
	SessionCancelling       = 2
	SessionComplete         = 3
	SessionFailed           = 4
	SessionCancelled        = 5
	SessionApprovalDenied   = 6
	SessionApprovalFailed   = 7

	ClassPreSession  = 0 // ActionClassification
	ClassPostSession = 2 // seen in vendor packages
	ClassAny         = 4

	MemberActivity = 0 // ActivityAndGroupEntityType, inferred
	MemberResource = 0 // ManagedResourceAndGroupEntityType, inferred
)

// Spoken is how NPS words a member and its value where a number or another name is sent; empty where it is the same.
func Spoken(member string, value []byte) (label, word string) {
	var e Enum
	if member != "rotationType" || json.Unmarshal(value, &e) != nil {
		return "", ""
	}
	words := []string{"Not Managed", "Manual", "Automatic"}
	if e.Number >= 0 && e.Number < len(words) {
		word = words[e.Number]
	}
	return "Rotation", word
}

// inferred names the enums whose numbers are inferred and that this program sends or judges.
func inferred() []string {
	return []string{
		"ManagedAccountViewEntityTypeEnum (Application 2)", "ManagedAccountViewEntityTypeEnum (ManagedAccount 0)", "ActivityLoginType (ActivityIdentity 2)", "ActivityLoginType (Vault 3)", "ActivityType (Interactive 0)",
		"RequesterLoginFormat (Samaccountname 0)", "ActivityConfigurationType (ConnectionProfile 1)", "ApprovalType (Allow 1)",
		"ActivityAndGroupEntityType (Activity 0)", "ManagedResourceAndGroupEntityType (Resource 0)", "ActionClassification (PreSession 0)",
		"AuthenticationMethodType (Password 0)", "ConnectorConfigurationValueType (Uri 0, Credential 3, Boolean 9)", "IntegrationConnectorType (PasswordVaultConnector 2)",
		"ManagedUserType (Manual 1, Automatic 2)", "ManagedType (Service 2)", "VerificationScanStatus (Verified 1, Pending 2, Changed 3, Failed 4, Mismatch 5)", "CredentialOrHostUser (Credential 0)",
	}
}
