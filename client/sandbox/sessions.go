package sandbox

import (
	"encoding/json"
	"net/http"
	"sort"
	"strings"
	"time"
)

// sessionOfOne names the calls that ask for no role: everybody may start sessions that a policy grants, and look after them.
func sessionOfOne(operation string) bool {
	switch operation {
	case "startSession", "endSession", "getSession", "canViewSessionPassword", "getSessionPassword", "getSessionLog":
		return true
	}
	return false
}

func (s *Server) sessionRoutes() map[string]handler {
	return map[string]handler{
		"startSession": s.startSession,
		"endSession": s.ofSession(func(q *ask, x *session) answer {
			if x.status == sessionPending || x.status == sessionActive {
				x.beats = s.ending(x, s.o.Now(), "Session ended by "+q.who.name)
				s.advance()
			}
			return answer{status: http.StatusAccepted}
		}),
		"getSession": s.ofSession(func(_ *ask, x *session) answer { return ok(x.summary()) }),
		"getSessionProfile": func(q *ask) answer {
			for _, x := range s.world.sessions {
				if x.row.text("id") == q.id("id") {
					return ok(x.profile)
				}
			}
			return refuse(http.StatusNotFound, "Not Found", "no activity session of this id")
		},
		"canViewSessionPassword": s.ofSession(func(_ *ask, x *session) answer {
			return ok(s.showsPassword(x))
		}),
		"getSessionPassword": s.ofSession(func(_ *ask, x *session) answer {
			switch {
			case !s.showsPassword(x):
				return refuse(http.StatusNotFound, "Not Found", "The password of the session is not available")
			case s.faults.has("password-empty"):
				return ok("")
			}
			password := x.password
			s.cutInUse(x)
			return ok(password)
		}),
		"getSessionLog":  s.ofSession(sessionLog),
		"searchSessions": s.searchSessions,
	}
}

// ofSession finds the session of a call. Other people's sessions do not exist for those without the role.
func (s *Server) ofSession(h func(*ask, *session) answer) handler {
	return func(q *ask) answer {
		s.advance()
		for _, x := range s.world.sessions {
			if x.row.text("id") == q.id("sessionId") && (x.who.account == q.who.account || s.roleOf(q.who) == "Admin") {
				return h(q, x)
			}
		}
		return refuse(http.StatusNotFound, "Not Found", "no activity session of this id")
	}
}

func (s *Server) showsPassword(x *session) bool {
	return x.status == sessionActive && x.password != "" && x.profile.truth("allowPasswordAccess") && !s.faults.has("password-hidden")
}

type sessionRequest struct {
	ManagedAccountID, ManagedResourceName, AccessPolicyID string
	ActivityName, CredentialDomain, CredentialUsername    string
	EndDateTimeUTC, Note                                  *string
}

func (s *Server) startSession(q *ask) answer {
	var in sessionRequest
	if json.Unmarshal(q.body, &in) != nil {
		return invalid("$", "The JSON value could not be converted.")
	}
	if in.ActivityName == "" {
		return invalid("activityName", "The activityName field is required.")
	}
	if in.ManagedAccountID != "" && !strings.EqualFold(in.ManagedAccountID, q.who.account) {
		return refuse(http.StatusForbidden, "Forbidden", "a session can only be started for oneself")
	}
	activity, resource, user, policy, refusal := s.grantOf(q.who, in)
	if policy == nil {
		return refusal
	}
	now := s.o.Now()
	account := s.world.accounts.get(q.who.account)
	sam := account.text("samAccountName")
	if sam == "" {
		sam = account.text("name")
	}
	x := &session{
		who: q.who, activity: activity, target: resource, user: user, profile: s.world.profiles.get(policy.text("activityConfigurationId")), auditor: q.auditor,
		row: row{
			"id": newID(), "createdBy": q.who.account, "createdByDisplayName": account["name"], "managedAccountId": q.who.account, "userId": q.who.account,
			"userDisplayName": account["name"], "samAccountName": sam, "activityId": activity["id"], "activityName": activity["name"], "activityType": activity.number("activityType"),
			"managedResourceId": resource["id"], "managedResourceName": resource["dnsHostName"], "managedResourceDisplayName": resource["displayName"], "managedResourceOs": resource["os"],
			"hostId": resource["hostId"], "platformId": resource["platformId"], "platformName": s.world.platforms.get(resource.text("platformId")).text("name"),
			"accessPolicyId": policy["id"], "accessPolicyName": policy["name"], "note": given(in.Note), "ticket": nil, "userType": 1,
			"createdDateTimeUtc": stamp(now), "startDateTimeUtc": stamp(now), "endDateTimeUtc": in.EndDateTimeUTC, "actualStartDateTimeUtc": nil, "actualEndDateTimeUtc": nil,
			"expirationDateTimeUtc": nil, "loginAccountName": nil, "loginDisplayName": nil, "locked": false,
		},
	}
	if user != nil {
		x.row["platformId"], x.row["platformName"] = user["platformId"], user["platform"]
		x.row["targetUserId"], x.row["targetUserDisplayName"] = user["id"], x.login()
	}
	if x.profile == nil {
		x.profile = s.world.profiles.named("name", "Default")
	}
	x.beats = s.beginning(x, now)
	s.world.sessions = append(s.world.sessions, x)
	s.advance()
	full := x.row.clone()
	delete(full, "samAccountName")
	full["status"], full["statusDescription"] = int(x.status), nil
	return answer{status: http.StatusCreated, value: full}
}

// grantOf finds what a request names and the policy that grants it, in the order and in the words of the product. An activity
// that no policy of the account holds is as unknown to it as one that does not exist.
func (s *Server) grantOf(who *person, in sessionRequest) (activity, resource, user, policy row, refusal answer) {
	w := &s.world
	bad := func(text string) (row, row, row, row, answer) {
		return nil, nil, nil, nil, refuse(http.StatusBadRequest, "Bad Request", text)
	}
	if s.faults.hit("credential-unknown") {
		return bad("Unable to find requested credential by username")
	}
	if in.CredentialUsername != "" {
		release := w.activities.named("name", activityRelease)
		if in.ActivityName != activityRelease {
			return bad("Unable to find requested activity: " + in.ActivityName)
		}
		policies, user := w.releases(who.account, in.CredentialDomain, in.CredentialUsername)
		for _, p := range policies {
			if in.AccessPolicyID == "" || strings.EqualFold(in.AccessPolicyID, p.text("id")) {
				return release, nil, user, p, answer{}
			}
		}
		return bad("Unable to find requested credential by username")
	}
	for _, a := range w.activities.rows {
		if a.text("name") == in.ActivityName && !a.truth("isDeleted") && w.offered(who.account, a) {
			activity = a
		}
	}
	if s.faults.hit("activity-unknown") || activity == nil {
		return bad("Unable to find requested activity: " + in.ActivityName)
	}
	resource = w.resources.named("dnsHostName", in.ManagedResourceName)
	if s.faults.hit("resource-unknown") || resource == nil || in.ManagedResourceName == "" {
		return bad("Unable to find requested resource by DnsHostName")
	}
	for _, p := range w.grants(who.account, activity, resource) {
		if in.AccessPolicyID == "" || strings.EqualFold(in.AccessPolicyID, p.text("id")) {
			return activity, resource, nil, p, answer{}
		}
	}
	return nil, nil, nil, nil, refuse(http.StatusNotFound, "Not Found", "No access policy allows the activity on the resource")
}

// offered tells whether any policy that lives, enabled or not, holds an account and an activity.
func (w *world) offered(account string, activity row) bool {
	for _, p := range w.policies.rows {
		m := w.members[p.text("id")]
		if !p.truth("isDeleted") && m.has(memberAccounts, account) && m.has(memberActivities, activity.text("id")) {
			return true
		}
	}
	return false
}

// summary is the session as the lists show it. Its member status is another enumeration than the session's own.
func (x *session) summary() row {
	c := x.row.clone()
	delete(c, "samAccountName")
	c["sessionStatus"], c["sessionStatusDescription"] = int(x.status), nil
	c["status"] = map[sessionStatus]int{sessionPending: 6, sessionActive: 1, sessionCancelling: 3, sessionComplete: 4, sessionFailed: 5, sessionCancelled: 7}[x.status]
	c["canViewPassword"], c["canAutofillPassword"] = x.profile.truth("allowViewPassword"), x.profile.truth("allowAutofillPassword")
	c["viewPasswordInSeconds"], c["recordAudio"] = x.profile.number("viewPasswordInSeconds"), x.profile.truth("recordAudio")
	return c
}

func (s *Server) searchSessions(q *ask) answer {
	s.advance()
	var rows []row
	for _, x := range s.world.sessions {
		if between(x.row.text("createdDateTimeUtc"), q.query("filterDateTimeMin"), q.query("filterDateTimeMax")) {
			rows = append(rows, x.summary())
		}
	}
	if by := q.query("orderBy"); by != "" {
		sort.SliceStable(rows, func(i, j int) bool { return rows[i].text(by) < rows[j].text(by) })
	}
	if strings.EqualFold(q.query("orderDescending"), "true") {
		reverse(rows)
	}
	columns := []string{"createdByDisplayName", "userDisplayName", "activityName", "managedResourceName", "managedResourceDisplayName", "loginAccountName", "accessPolicyName"}
	a := q.page(rows, 10, columns, asIs)
	a.value.(row)["topUsers"] = []any{}
	return a
}

// between compares times in ISO 8601; a limit that is empty, or none, does not limit.
func between(at, first, last string) bool {
	t, err := time.Parse(time.RFC3339, at)
	a, errA := time.Parse(time.RFC3339, first)
	z, errZ := time.Parse(time.RFC3339, last)
	return err == nil && (errA != nil || !t.Before(a)) && (errZ != nil || !t.After(z))
}

func reverse(rows []row) {
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
}

// sessionLog lists the lines of a session, oldest first unless asked otherwise.
func sessionLog(q *ask, x *session) answer {
	least := q.number("logLevel", levelDebug)
	var rows []row
	for _, l := range x.lines {
		if l.number("status") >= least && between(l.text("timestamp"), q.query("startDate"), q.query("endDate")) {
			rows = append(rows, l)
		}
	}
	if strings.EqualFold(q.query("orderDescending"), "true") {
		reverse(rows)
	}
	page := q.page(rows, 100, []string{"logMessage"}, asIs).value.(row)
	return ok(row{"lines": page["data"], "totalCount": page["recordsTotal"], "version": "1"})
}

// given is a text that may be left out.
func given(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}

// OpenSessions lists the notes of the sessions that are under way or active.
func (s *Server) OpenSessions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	var notes []string
	for _, x := range s.world.sessions {
		if x.status == sessionPending || x.status == sessionActive {
			notes = append(notes, x.row.text("note"))
		}
	}
	return notes
}
