package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// activityRelease is the built-in activity of every credential-based policy.
const activityRelease = "Credential Release"

// accountName is the account that the sandbox's own answers name.
const accountName = "svc-auditor"

// How the password of an account is managed, by the product's order of names.
const (
	managedNot = iota
	managedManual
	managedAutomatic
)

// What the product says of a password, by its order of names.
const (
	passwordUnspecified = iota
	passwordVerified
	passwordPending
	passwordChanged
	passwordFailed
	passwordMismatch
)

// rotation is a new password on its way.
type rotation struct {
	user row
	at   time.Time
	to   int
}

// newUsers are the accounts that NPS found in its domains. Names repeat across domains and begin alike, as in life.
func (w *world) newUsers(extra int) *table {
	t := newTable()
	ad := w.platforms.named("name", platformAD).text("id")
	user := func(domain, name string, kind int) row {
		return t.add(row{
			"credentialId": nil, "managedUserId": nil, "userName": name, "samAccountName": name, "displayName": name, "domain": domain, "managedType": kind, "rotationType": managedNot,
			"credentialType": 1, "passwordStatus": passwordUnspecified, "lastPasswordChangeDateTimeUtc": nil, "nextPasswordChangeDateTimeUtc": nil, "dependencyCount": 0,
			"status": nil, "platform": platformAD, "platformId": ad,
		})
	}
	user("FABRIKAM", accountName, 1)
	user(domainNetBIOS, accountName+"-test", 1)
	user(domainNetBIOS, accountName, 1)
	user(domainNetBIOS, "svc-files", 1)
	user(domainNetBIOS, "svc-sql", 2)["dependencyCount"] = 3
	legacy := user(domainNetBIOS, "svc-legacy", 1)
	legacy["rotationType"], legacy["managedUserId"], legacy["credentialId"] = managedManual, newID(), newID()
	for i := range extra {
		user(domainNetBIOS, fmt.Sprintf("acct%05d", i+1), 1)
	}
	return t
}

func (s *Server) managedRoutes() map[string]handler {
	return map[string]handler{
		"manageUser": func(q *ask) answer {
			var in struct {
				UserID       string `json:"userId"`
				CredentialID any    `json:"credentialId"`
				ManagedType  int    `json:"managedType"`
			}
			if json.Unmarshal(q.body, &in) != nil {
				return invalid("$", "The JSON value could not be converted.")
			}
			u := s.world.users.get(in.UserID)
			switch {
			case u == nil:
				return refuse(http.StatusBadRequest, "Bad Request", "no user of this id")
			case u.number("managedType") == 2:
				return refuse(http.StatusBadRequest, "Bad Request", "a service account with dependents cannot be managed")
			case u.number("rotationType") != managedNot:
				return refuse(http.StatusBadRequest, "Bad Request", "the user is managed already")
			case in.ManagedType != managedAutomatic && in.ManagedType != managedManual:
				return invalid("managedType", "The value is not valid.")
			}
			s.manage(u, in.ManagedType)
			return ok(row{"id": u["managedUserId"], "userId": u["id"], "credentialId": u["credentialId"], "managedType": in.ManagedType, "passwordStatus": u["passwordStatus"], "passwordNextChangeUtc": nil})
		},
		"rotateAccounts": func(q *ask) answer {
			var in struct {
				IDs []string `json:"ids"`
			}
			if json.Unmarshal(q.body, &in) != nil || len(in.IDs) == 0 {
				return refuse(http.StatusBadRequest, "Bad Request", "No accounts selected")
			}
			for _, id := range in.IDs {
				if s.world.users.get(id).number("rotationType") == managedNot {
					return refuse(http.StatusBadRequest, "Bad Request", "no managed account of the id "+id)
				}
			}
			for _, id := range in.IDs {
				s.rotate(s.world.users.get(id))
			}
			return answer{status: http.StatusOK}
		},
	}
}

// manage lets NPS manage a user. Whether that rotates its password at once is not documented: only a fault does so.
func (s *Server) manage(u row, how int) {
	u["rotationType"], u["managedUserId"] = how, newID()
	if s.faults.hit("manage-rotates") {
		s.rotate(u)
	}
}

// rotate begins to give a user a new password; it has it after Options.SessionDelay.
func (s *Server) rotate(u row) {
	u["passwordStatus"] = passwordPending
	r := rotation{user: u, at: s.o.Now().Add(s.o.SessionDelay), to: passwordVerified}
	switch {
	case s.faults.hit("rotation-stuck"):
		return
	case s.faults.hit("rotation-fails"):
		r.to = passwordFailed
	case s.faults.hit("rotation-mismatch"):
		r.to = passwordMismatch
	}
	s.world.rotations = append(s.world.rotations, r)
	s.advance()
}

// turn lets the rotations happen that are due. It says whether any did.
func (s *Server) turn(now time.Time) bool {
	w := &s.world
	left := w.rotations[:0:0]
	for _, r := range w.rotations {
		if r.at.After(now) {
			left = append(left, r)
			continue
		}
		r.user["passwordStatus"] = r.to
		if r.to == passwordFailed {
			continue
		}
		password := marker("rotated")
		w.secrets = append(w.secrets, password)
		w.passwords[r.user.text("id")] = password
		if r.user.text("credentialId") == "" {
			r.user["credentialId"] = newID()
		}
		r.user["lastPasswordChangeDateTimeUtc"], r.user["nextPasswordChangeDateTimeUtc"] = stamp(r.at), stamp(r.at.Add(30*24*time.Hour))
	}
	turned := len(left) < len(w.rotations)
	w.rotations = left
	return turned
}

// searchCredentials lists service accounts, or users, or both.
func (s *Server) searchCredentials(q *ask) answer {
	s.advance()
	w := &s.world
	kind := q.number("credentialType", -1)
	var rows []row
	if kind != 0 {
		w.usersAsked = true
		for _, r := range w.users.rows {
			if managed := r.number("rotationType") != managedNot; kind != -1 && kind != r.number("credentialType") || q.number("managedFilter", -1) == 0 && !managed || q.number("managedFilter", -1) == 1 && managed {
				continue
			}
			rows = append(rows, r)
		}
	}
	for _, r := range w.credentials.rows {
		if kind <= 0 && (!r.truth("isDeleted") || strings.EqualFold(q.query("includeDeleted"), "true")) {
			rows = append(rows, r)
		}
	}
	return q.page(rows, 10, []string{"userName"}, asIs)
}

// credentialID is how a policy names a user: by the credential that is stored, or by the user itself while none is.
func credentialOf(u row) (id string, entity int) {
	if c := u.text("credentialId"); c != "" {
		return c, 0
	}
	return u.text("id"), 2
}

// userOf finds the user whose credential, or who itself, has an id.
func (w *world) userOf(id string) row {
	for _, u := range w.users.rows {
		if strings.EqualFold(u.text("credentialId"), id) || strings.EqualFold(u.text("id"), id) {
			return u
		}
	}
	return nil
}

func (s *Server) showCredentialMember(u row) row {
	id, entity := credentialOf(u)
	return row{"id": id, "username": u["userName"], "name": u["displayName"], "domain": u["domain"], "userId": u["id"], "os": nil, "activeSessionCount": 0, "entityType": entity}
}

// credentialCandidates are the managed accounts that a policy could still take.
func (s *Server) credentialCandidates(q *ask) answer {
	s.advance()
	policy := s.world.policies.get(q.id("accessPolicyId"))
	if policy == nil {
		return refuse(http.StatusBadRequest, "Bad Request", "no policy of this id")
	}
	m := s.world.members[policy.text("id")]
	var rows []row
	for _, u := range s.world.users.rows {
		if id, _ := credentialOf(u); u.number("rotationType") != managedNot && !m.has(memberCredentials, id) {
			rows = append(rows, u)
		}
	}
	return q.page(rows, 30, []string{"userName", "displayName", "domain"}, s.showCredentialMember)
}

// releases lists the policies that let an account have the password of a user, and the user.
func (w *world) releases(account, domain, name string) (policies []row, user row) {
	for _, p := range w.policies.rows {
		m := w.members[p.text("id")]
		if p.number("policyType") != 1 || p.truth("isDeleted") || p.truth("isDisabled") || !m.has(memberAccounts, account) {
			continue
		}
		for _, id := range m.ids[memberCredentials] {
			if u := w.userOf(id); u != nil && strings.EqualFold(u.text("userName"), name) && (domain == "" || strings.EqualFold(u.text("domain"), domain)) {
				policies, user = append(policies, p), u
			}
		}
	}
	return policies, user
}

// stateUsers lists the accounts that are managed.
func (w *world) stateUsers() []row {
	rows := []row{}
	for _, u := range w.users.rows {
		if u.number("rotationType") == managedNot {
			continue
		}
		c := row{"name": u.text("domain") + `\` + u.text("userName"), "rotationType": u["rotationType"], "passwordStatus": u["passwordStatus"], "password": "(none)"}
		if w.passwords[u.text("id")] != "" {
			c["password"] = "(stored)"
		}
		rows = append(rows, c)
	}
	return sorted(rows, "name")
}

// managedFaults are those of rotations.
func managedFaults() []FaultKind {
	return []FaultKind{
		{"manage-rotates", "NPS rotates a password as soon as it manages the account"},
		{"rotation-fails", "the rotation of a password fails"},
		{"rotation-mismatch", "after its rotation, a password is not the account's"},
		{"rotation-stuck", "a rotation stays pending for ever"},
	}
}
