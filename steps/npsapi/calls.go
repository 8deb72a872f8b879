package npsapi

import (
	"strconv"

	"npsetup/steps/plan"
)

// call makes a call of the table. Its method and path come from the table, so that a builder cannot drift from the
// contract; an unknown id gives an empty call, which the gate refuses and a test finds.
func call(id string, body plan.Value, params ...plan.Param) plan.Call {
	op, _ := Lookup(id)
	return plan.Call{Operation: id, Method: op.Method, Path: op.Path, Params: params, Body: body}
}

func at(name string, v plan.Value) plan.Param { return plan.Param{Name: name, Path: true, Value: v} }

func query(name, v string) plan.Param { return plan.Param{Name: name, Value: plan.String(v)} }

func number(name string, n int) plan.Param { return query(name, strconv.Itoa(n)) }

// Page sets the window of a list call. Pages are always asked for: default sizes differ (10, 30, 100).
func Page(c plan.Call, skip, take int) plan.Call {
	params := make([]plan.Param, 0, len(c.Params)+2)
	for _, p := range c.Params {
		if p.Name != "skip" && p.Name != "take" {
			params = append(params, p)
		}
	}
	c.Params = append(params, number("skip", skip), number("take", take))
	return c
}

// Paged says whether a list call takes skip and take.
func Paged(c plan.Call) bool {
	switch c.Operation {
	case "searchManagedAccounts", "searchPolicyAccounts", "searchPolicyActivities", "searchPolicyActivityCandidates", "searchPolicyResources", "searchResources",
		"searchPolicyCredentials", "searchPolicyCredentialCandidates", "searchCandidates", "searchCredentials", "searchSessions":
		return true
	}
	return false
}

// Health, Version and LicenseInfo tell what answers there.
func Health() plan.Call { return call("health", nil) }

// Version answers the server's version as a JSON string.
func Version() plan.Call { return call("version", nil) }

// LicenseInfo answers an object whose members are not documented.
func LicenseInfo() plan.Call { return call("licenseInfo", nil) }

// SearchApplicationUsers lists application users whose columns contain text.
func SearchApplicationUsers(text string) plan.Call {
	return call("searchManagedAccounts", nil, number("filterEntityType", EntityApplication), query("filterText", text))
}

// GetAccount reads one account in full.
func GetAccount(id plan.Value) plan.Call {
	return call("getManagedAccountView", nil, at("managedAccountId", id))
}

// CreateApplicationUser makes an application user; NPS makes its API key with it.
func CreateApplicationUser(body plan.Object) plan.Call { return call("createApplicationUser", body) }

// UpdateApplicationUser writes a full account back.
func UpdateApplicationUser(body plan.Object) plan.Call { return call("updateApplicationUser", body) }

// GenerateAPIKey makes a new API key; the old one dies at once.
func GenerateAPIKey(account plan.Value) plan.Call {
	return call("generateApiKey", nil, at("managedAccountId", account))
}

// RevealAPIKey brings back the API key in clear text; the server may record it.
func RevealAPIKey(account plan.Value) plan.Call {
	return call("revealApiKey", nil, at("managedAccountId", account))
}

// DeleteApplicationUsers deletes application users.
func DeleteApplicationUsers(ids ...plan.Value) plan.Call {
	return call("deleteApplicationUsers", plan.Array(ids))
}

// ListConnectionProfiles lists every connection profile, ActivityConfiguration on the wire.
func ListConnectionProfiles() plan.Call { return call("listConnectionProfiles", nil) }

// CreateConnectionProfile makes a connection profile.
func CreateConnectionProfile(body plan.Object) plan.Call {
	return call("createConnectionProfile", body)
}

// UpdateConnectionProfile writes a full connection profile back.
func UpdateConnectionProfile(id plan.Value, body plan.Object) plan.Call {
	return call("updateConnectionProfile", body, at("id", id))
}

// DeleteConnectionProfile deletes a connection profile.
func DeleteConnectionProfile(id plan.Value) plan.Call {
	return call("deleteConnectionProfile", nil, at("id", id))
}

// ListPlatforms lists the platforms.
func ListPlatforms() plan.Call { return call("listPlatforms", nil) }

// ListActionTemplates lists the action templates with their parameters.
func ListActionTemplates() plan.Call { return call("listActionTemplates", nil) }

// ListActivities lists the activities, softly deleted ones too.
func ListActivities() plan.Call { return call("listActivities", nil) }

// CreateActivity makes an activity.
func CreateActivity(body plan.Object) plan.Call { return call("createActivity", body) }

// UpdateActivity writes a full activity back.
func UpdateActivity(id plan.Value, body plan.Object) plan.Call {
	return call("updateActivity", body, at("id", id))
}

// DeleteActivity deletes an activity.
func DeleteActivity(id plan.Value) plan.Call { return call("deleteActivity", nil, at("id", id)) }

// ListActionGroups lists the action groups.
func ListActionGroups() plan.Call { return call("listActionGroups", nil) }

// GetActionGroup reads one action group with its actions and their parameters.
func GetActionGroup(id plan.Value) plan.Call { return call("getActionGroup", nil, at("id", id)) }

// CreateActionGroup makes an action group with its actions.
func CreateActionGroup(body plan.Object) plan.Call { return call("createActionGroup", body) }

// DeleteActionGroup deletes an action group.
func DeleteActionGroup(id plan.Value) plan.Call {
	return call("deleteActionGroup", nil, at("id", id))
}

// ListPolicies lists the access policies; with all, the deleted and disabled ones too.
func ListPolicies(all bool) plan.Call {
	return call("listPolicies", nil, query("ignoreStatus", strconv.FormatBool(all)))
}

// GetPolicy reads one access policy in full, whatever its status.
func GetPolicy(id plan.Value) plan.Call {
	return call("getPolicy", nil, at("accessControlPolicyId", id), query("ignoreStatus", "true"))
}

// CreatePolicy makes an access policy.
func CreatePolicy(body plan.Object) plan.Call { return call("createPolicy", body) }

// UpdatePolicy writes a full access policy back.
func UpdatePolicy(id plan.Value, body plan.Object) plan.Call {
	return call("updatePolicy", body, at("accessControlPolicyId", id))
}

// SetPolicyStatus deletes, disables or brings back a policy.
func SetPolicyStatus(id plan.Value, deleted, disabled bool) plan.Call {
	return call("setPolicyStatus", nil, at("accessControlPolicyId", id), query("isDeleted", strconv.FormatBool(deleted)), query("isDisabled", strconv.FormatBool(disabled)))
}

// DeletePolicy deletes an access policy.
func DeletePolicy(id plan.Value) plan.Call {
	return call("deletePolicy", nil, at("accessControlPolicyId", id))
}

// Member is one entry of a member call: an id and the number of its kind.
type Member struct {
	ID   plan.Value
	Kind int
}

func members(ms []Member) plan.Array {
	a := plan.Array{}
	for _, m := range ms {
		a = append(a, plan.Object{{Name: "id", Value: m.ID}, {Name: "entityType", Value: plan.Int(m.Kind)}})
	}
	return a
}

// MemberKind is one of the three lists of a resource-based policy.
type MemberKind int

// The lists of members.
const (
	Accounts MemberKind = iota
	Activities
	Resources
)

// MemberKinds lists the kinds.
func MemberKinds() []MemberKind { return []MemberKind{Accounts, Activities, Resources} }

// AddMembers adds members to a policy. NPS associates by PUT.
func AddMembers(k MemberKind, policy plan.Value, ms ...Member) plan.Call {
	switch k {
	case Accounts:
		return call("addPolicyAccounts", members(ms), at("accessControlPolicyId", policy))
	case Activities:
		return call("addPolicyActivities", members(ms), at("policyId", policy))
	case Resources:
		return call("addPolicyResources", members(ms), at("policyId", policy))
	case Credentials:
		return call("addPolicyCredentials", members(ms), at("policyId", policy))
	}
	return plan.Call{}
}

// RemoveMembers takes members out of a policy.
func RemoveMembers(k MemberKind, policy plan.Value, ms ...Member) plan.Call {
	switch k {
	case Accounts:
		return call("removePolicyAccounts", members(ms), at("policyId", policy))
	case Activities:
		return call("removePolicyActivities", members(ms), at("policyId", policy))
	case Resources:
		return call("removePolicyResources", members(ms), at("policyId", policy))
	case Credentials:
		return call("removePolicyCredentials", members(ms), at("policyId", policy))
	}
	return plan.Call{}
}

// SearchMembers lists the members of a policy whose columns contain text.
func SearchMembers(k MemberKind, policy plan.Value, text string) plan.Call {
	switch k {
	case Accounts:
		return call("searchPolicyAccounts", nil, at("accessPolicyId", policy), query("filterText", text))
	case Activities:
		return call("searchPolicyActivities", nil, at("accessPolicyId", policy), query("filterText", text))
	case Resources:
		return call("searchPolicyResources", nil, at("accessPolicyId", policy), query("filterText", text))
	case Credentials:
		return call("searchPolicyCredentials", nil, at("accessPolicyId", policy), query("filterText", text))
	}
	return plan.Call{}
}

// SearchActivityCandidates lists the activities, and groups of such, that a policy could still take and whose columns contain text.
func SearchActivityCandidates(policy plan.Value, text string) plan.Call {
	return call("searchPolicyActivityCandidates", nil, at("accessPolicyId", policy), query("filterText", text))
}

// FindPolicies asks which policies let an account run an activity on a resource; 404 when none does.
func FindPolicies(account plan.Value, activity, resource string) plan.Call {
	return call("findPolicies", nil, plan.Param{Name: "managedAccountId", Value: account}, query("activityName", activity), query("resourceName", resource))
}

// SearchResources lists hosts whose columns contain text.
func SearchResources(text string) plan.Call {
	return call("searchResources", nil, query("filterText", text), number("filterType", ResourceHost))
}

// SearchDomains lists the domains among the resources.
func SearchDomains() plan.Call {
	return call("searchResources", nil, query("filterText", ""), number("filterType", ResourceDomain))
}

// SearchCandidates lists servers of the synchronised domains whose columns contain text.
func SearchCandidates(text string) plan.Call {
	return call("searchCandidates", nil, query("filterText", text), query("filterServers", "true"))
}

// AddCandidates imports hosts with a service account; it answers how many.
func AddCandidates(serviceAccount plan.Value, hosts ...plan.Value) plan.Call {
	return call("addCandidates", plan.Object{{Name: "hostIds", Value: plan.Array(hosts)}, {Name: "serviceAccountId", Value: serviceAccount}})
}

// GetResourceByHost reads the resource of a host.
func GetResourceByHost(host plan.Value) plan.Call {
	return call("getResourceByHost", nil, at("hostId", host))
}

// SetServiceAccount gives resources a service account; the answer has a status per row.
func SetServiceAccount(account plan.Value, resources ...plan.Value) plan.Call {
	return call("setServiceAccount", plan.Object{{Name: "resourceIds", Value: plan.Array(resources)}, {Name: "property", Value: account}})
}

// SetPlatform gives resources a platform; the answer has a status per row.
func SetPlatform(platform plan.Value, resources ...plan.Value) plan.Call {
	return call("setPlatform", plan.Object{{Name: "resourceIds", Value: plan.Array(resources)}, {Name: "property", Value: platform}})
}

// DeleteResource deletes a resource.
func DeleteResource(id plan.Value) plan.Call {
	return call("deleteResource", nil, at("managedResourceId", id))
}

// ListDomains lists the domains that NPS knows, by managed-resource id.
func ListDomains() plan.Call { return call("listDomains", nil) }

// SearchServiceAccounts lists service accounts whose user name contains text.
func SearchServiceAccounts(text string) plan.Call {
	return call("searchCredentials", nil, query("filterText", text), number("managedType", -1), number("credentialType", CredentialConfiguration))
}

// SearchSessions lists sessions whose columns contain text.
func SearchSessions(text string) plan.Call {
	return call("searchSessions", nil, query("filterText", text))
}

// NewestSessions lists the same, the newest first. That sessions can be ordered is documented, by which names is not: they are
// assumed to be those of the members.
func NewestSessions(text string) plan.Call {
	return call("searchSessions", nil, query("filterText", text), query("orderBy", "createdDateTimeUtc"), query("orderDescending", "true"))
}

// RowStatuses says whether the answer of a call is a list of rows with an HTTP status each inside a 200.
func RowStatuses(operation string) bool {
	return operation == "setServiceAccount" || operation == "setPlatform"
}

// SessionRequest is what a privileged session is asked for, by a resource or by a credential. Resource is the DNS host name; Policy is the id of the policy that
// shall grant it, or nil; Start and End are UTC times in ISO 8601, and may be empty: at once, and the profile's duration.
type SessionRequest struct {
	Account    plan.Value
	Activity   string
	Resource   string // of a resource-based policy
	User       string // of a credential-based policy: the account's user name
	Domain     string // and its domain; may be empty
	Policy     plan.Value
	Start, End string
	Note       string
}

// StartSession asks for a session; it answers the session, which starts behind the answer.
func StartSession(r SessionRequest) plan.Call {
	body := plan.Object{{Name: "managedAccountId", Value: r.Account}, {Name: "activityName", Value: plan.String(r.Activity)}}
	for _, m := range []struct{ name, value string }{{"managedResourceName", r.Resource}, {"credentialUsername", r.User}, {"credentialDomain", r.Domain}} {
		if m.value != "" {
			body = append(body, plan.Member{Name: m.name, Value: plan.String(m.value)})
		}
	}
	if r.Policy != nil {
		body = append(body, plan.Member{Name: "accessPolicyId", Value: r.Policy})
	}
	for _, m := range []struct{ name, value string }{{"startDateTimeUtc", r.Start}, {"endDateTimeUtc", r.End}, {"note", r.Note}} {
		if m.value != "" {
			body = append(body, plan.Member{Name: m.name, Value: plan.String(m.value)})
		}
	}
	return call("startSession", body)
}

// EndSession ends a session; the answer comes before its end.
func EndSession(id plan.Value) plan.Call { return call("endSession", nil, at("sessionId", id)) }

// GetSessionProfile reads the connection profile of a session in full.
func GetSessionProfile(id plan.Value) plan.Call { return call("getSessionProfile", nil, at("id", id)) }

// GetSession reads the summary of a session.
func GetSession(id plan.Value) plan.Call { return call("getSession", nil, at("sessionId", id)) }

// CanViewPassword asks whether the password of a session may be read.
func CanViewPassword(id plan.Value) plan.Call {
	return call("canViewSessionPassword", nil, at("sessionId", id))
}

// GetSessionPassword answers the password of an active session.
func GetSessionPassword(id plan.Value) plan.Call {
	return call("getSessionPassword", nil, at("sessionId", id))
}

// GetSessionLog reads the last lines of what NPS noted down while it prepared or ended a session.
func GetSessionLog(id plan.Value, lines int) plan.Call {
	return call("getSessionLog", nil, at("sessionId", id), query("orderDescending", "true"), number("skip", 0), number("take", lines))
}

// SignInApplication signs an application user in; the TLS connection carries its client certificate. short is the second
// form of the address, for where the first answers 404.
func SignInApplication(login, key, serial plan.Value, short bool) plan.Call {
	id := "signInApplication"
	if short {
		id = "signInApplicationShort"
	}
	return call(id, plan.Object{{Name: "login", Value: login}, {Name: "password", Value: key}, {Name: "certificateSerialNumber", Value: serial}})
}
