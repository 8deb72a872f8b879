package npsapi

import "npsetup/steps/plan"

// ActivityRelease is the name of the only activity of a credential-based policy; it is built in.
const ActivityRelease = "Credential Release"

// Credentials is the list of a credential-based policy that stands in the place of activities and resources.
const Credentials MemberKind = 3

// CredentialMemberKinds lists the kinds of members of a credential-based policy.
func CredentialMemberKinds() []MemberKind { return []MemberKind{Accounts, Credentials} }

// SearchCredentials lists the accounts that NPS knows, managed or not, and its service accounts, whose user name contains text. In its
// rows, id is the user, and credentialId the credential: null until NPS has stored one.
func SearchCredentials(text string) plan.Call {
	return call("searchCredentials", nil, query("filterText", text), number("managedType", -1), number("credentialType", -1), number("managedFilter", -1))
}

// ManageUser lets NPS manage the password of a user from now on.
func ManageUser(user plan.Value, how int) plan.Call {
	return call("manageUser", plan.Object{{Name: "userId", Value: user}, {Name: "credentialId", Value: plan.Null()}, {Name: "managedType", Value: plan.Int(how)}})
}

// RotateAccounts gives users new passwords; the answer comes before they have them. Each call changes them once more.
func RotateAccounts(users ...plan.Value) plan.Call {
	return call("rotateAccounts", plan.Object{{Name: "ids", Value: plan.Array(users)}})
}

// SearchCredentialCandidates lists the credentials that a policy could still take and whose columns contain text.
func SearchCredentialCandidates(policy plan.Value, text string) plan.Call {
	return call("searchPolicyCredentialCandidates", nil, at("accessPolicyId", policy), query("filterText", text))
}

// credentialAssumptions are what the credential-based road takes for granted besides its calls.
func credentialAssumptions() []Assumption {
	return []Assumption{
		{"ids of a rotation", "the ids that RotateAccounts takes are those of the rows of the search for credentials: the users'"},
		{"a managed account as a member of a policy", "a candidate is told apart by its user name and domain, and is a Credential (0) once NPS has stored its password"},
		{"the end of a rotation", "passwordStatus is Verified (1) and lastPasswordChangeDateTimeUtc is told when the password that NPS stored is the account's"},
		{"a session by a credential", "the activity Credential Release, with credentialUsername and credentialDomain; Auditor finds the credential by its user name (event 5804)"},
	}
}
