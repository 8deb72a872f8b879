package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// fault is one way to misbehave: from its at-th chance on, or at that one only.
type fault struct {
	at   int    // 0: always
	op   string // of a call fault: the operation whose calls are its chances; empty: every call
	seen int
}

type faults map[string]*fault

// once lists the faults that, named without @n, happen at their first chance only.
func once(name string) bool { return name == "auth-500" || name == "answer-lost" }

// FaultKind is a fault that can be asked for, and what it does.
type FaultKind struct{ Name, What string }

// Faults lists the faults that can be asked for, by name.
func Faults() []FaultKind {
	kinds := slices.Concat(serverFaults(), sessionFaults(), vaultFaults(), managedFaults(), callFaults())
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].Name < kinds[j].Name })
	return kinds
}

// serverFaults are those of the server and of the administrator's sign-in.
func serverFaults() []FaultKind {
	return []FaultKind{
		{"answer-lost", "the connection breaks after a change was made, once"},
		{"auth-500", "a sign-in answers 500, once"},
		{"expired-cert", "the server's certificate has expired"},
		{"expired-licence", "the licence has expired"},
		{"hosting", "every call answers 500.19 of the web server"},
		{"keys-renewed", "every token is refused: the key that signs them was renewed"},
		{"locked", "the administrator's account is locked"},
		{"mfa-replay", "a code is taken only once"},
		{"no-key", "an application user is made without an API key"},
		{"old-version", "the server is too old"},
		{"pool-stopped", "every call answers 503: the application pool is stopped"},
		{"unhealthy", "NPS says that it is not healthy"},
		{"webdav", "WebDAV answers 405 to every PUT and DELETE"},
		{"wrong-role", "the administrator has no Admin role"},
	}
}

// sessionFaults are those of the application user's sign-in, of its sessions, and of Auditor's collection.
func sessionFaults() []FaultKind {
	return []FaultKind{
		{"activity-unknown", "a session is refused: the activity is not found"},
		{"resource-unknown", "a session is refused: the resource is not found by its DNS host name"},
		{"credential-unknown", "a session is refused: the credential is not found by its user name"},
		{"client-not-asked", "403.7: the web server does not get the client certificate"},
		{"client-untrusted", "403.16: the client certificate is not in the machine's Trusted Root"},
		{"client-expired", "403.17: the client certificate has expired"},
		{"client-late", "500 with 0x80070032: the web server asks for the client certificate after the handshake, which TLS 1.3 does not allow"},
		{"application-500", "the sign-in of application users answers 500, as before 3.7.1252"},
		{"client-serial", "403: the serial number is not that of the application user"},
		{"token-short-path", "the application user signs in at /api/v1/AppUserToken, and not under /WebAppApi"},
		{"session-timeout", "a session stays pending for ever"},
		{"session-slow", "a session is pending for 45 s: WinRM falls back from HTTPS to HTTP"},
		{"session-fails", "a session fails: the service account is refused by the resource"},
		{"winrm-shell", "a session fails: Group Policy of the resource accepts no remote shell"},
		{"winrm-off", "a session fails: WinRM of the resource does not answer"},
		{"dc-replication", "a session fails: no domain controller takes the new account's password yet"},
		{"password-hidden", "the password of a session cannot be read"},
		{"password-empty", "the password of a session is empty"},
		{"session-expires", "Auditor's session expires in use (event 5802)"},
		{"credential-expires", "Auditor's session expires while its credentials are in use (event 5801)"},
		{"session-terminated", "somebody ends Auditor's session in use (event 5803)"},
		{"plan-activity", "the monitoring plan names the activity in other letters (event 5804)"},
		{"plan-resource", "the monitoring plan names the resource by its short name (event 5804)"},
		{"plan-credential", "the monitoring plan names a credential that NPS does not manage (event 5804)"},
	}
}

// FaultNames lists the names of the faults that can be asked for.
func FaultNames() []string {
	var names []string
	for _, k := range Faults() {
		names = append(names, k.Name)
	}
	return names
}

// SetFaults switches faults on (NAME or NAME@n, counted from now; a call fault also NAME@OPERATION and NAME@OPERATION:n) and off (NAME)
// while the sandbox runs, and lists those that are on. The certificate that a server shows was made at its start: expired-cert can only be chosen there.
func (s *Server) SetFaults(on, off []string) ([]string, error) {
	set, err := parseFaults(on)
	if err != nil {
		return nil, err
	}
	clear, err := parseFaults(off)
	if err != nil {
		return nil, err
	}
	for _, name := range FaultNames() {
		if onlyAtStart(name) && (set.has(name) || clear.has(name)) {
			return nil, errors.New(name + " can only be chosen at the start")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(set, clear)
	if err := s.mend(clear); err != nil {
		return nil, err
	}
	for name := range clear {
		delete(s.faults, name)
	}
	for name, f := range set {
		s.faults[name] = f
	}
	list := []string{}
	for name, f := range s.faults {
		list = append(list, f.written(name))
	}
	sort.Strings(list)
	return list, nil
}

func parseFaults(wanted []string) (faults, error) {
	fs := faults{}
	for _, w := range wanted {
		name, where, _ := strings.Cut(w, "@")
		if !slices.Contains(FaultNames(), name) {
			return nil, fmt.Errorf("no fault %q; there are %s", name, strings.Join(FaultNames(), ", "))
		}
		f, err := parseChance(name, where, w != name)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", w, err)
		}
		fs[name] = f
	}
	return fs, nil
}

// parseChance reads what stands behind @.
func parseChance(name, where string, given bool) (*fault, error) {
	f := &fault{}
	if once(name) {
		f.at = 1
	}
	if !given {
		return f, nil
	}
	if where != "" && (where[0] < '0' || where[0] > '9') && slices.ContainsFunc(callFaults(), func(k FaultKind) bool { return k.Name == name }) {
		var numbered bool
		if f.op, where, numbered = strings.Cut(where, ":"); !numbered {
			return f, nil
		}
	}
	n, err := strconv.Atoi(where)
	if err != nil || n < 1 {
		return nil, errors.New("after @ comes a number from 1 on, and for what may strike any call also its operation: NAME@OPERATION:n")
	}
	f.at = n
	return f, nil
}

func (f *fault) written(name string) string {
	switch {
	case f.op != "" && f.at > 0:
		return name + "@" + f.op + ":" + strconv.Itoa(f.at)
	case f.op != "":
		return name + "@" + f.op
	case f.at > 0:
		return name + "@" + strconv.Itoa(f.at)
	}
	return name
}

func (fs faults) has(name string) bool { return fs[name] != nil }

// hit counts a chance and says whether the fault happens at it.
func (fs faults) hit(name string) bool {
	f := fs[name]
	if f == nil {
		return false
	}
	f.seen++
	return f.at == 0 || f.at == f.seen
}

// strikes is hit for a request. Auditor's requests come when they like: they are no chances, so that @n counts the same each
// time, and only what always misbehaves does so for them.
func (fs faults) strikes(q *ask, name string) bool {
	if q.auditor {
		return fs.has(name) && fs[name].at == 0
	}
	return fs.hit(name)
}

const webdavPage = `<!DOCTYPE html><html><head><title>405 - HTTP verb used to access this page is not allowed.</title></head>
<body><h2>HTTP Error 405.0 - Method Not Allowed</h2><table><tr><th>Module</th><td>WebDAVModule</td></tr></table></body></html>`

const poolPage = `<!DOCTYPE html><html><head><title>Service Unavailable</title></head>
<body><h2>Service Unavailable</h2><p>HTTP Error 503. The service is unavailable.</p></body></html>`

const latePage = `<!DOCTYPE html><html><head><title>IIS 10.0 Detailed Error - 500.0 - Internal Server Error</title></head>
<body><h2>HTTP Error 500.0 - Internal Server Error</h2><p>Error Code 0x80070032</p></body></html>`

const hostingPage = `<!DOCTYPE html><html><head><title>IIS 10.0 Detailed Error - 500.19 - Internal Server Error</title></head>
<body><h2>HTTP Error 500.19 - Internal Server Error</h2><p>The requested page cannot be accessed because the related configuration data for the page is invalid.</p></body></html>`

// faulty answers in place of the server where the web server in front of it, or a bad moment, would.
func (s *Server) faulty(q *ask, op operation) (answer, bool) {
	switch {
	case s.faults.strikes(q, "pool-stopped"):
		return answer{status: http.StatusServiceUnavailable, html: poolPage}, true
	case s.faults.strikes(q, "hosting"):
		return answer{status: http.StatusInternalServerError, html: hostingPage}, true
	case (q.Method == http.MethodPut || q.Method == http.MethodDelete) && s.faults.strikes(q, "webdav"):
		return answer{status: http.StatusMethodNotAllowed, html: webdavPage}, true
	case op.Class == "auth" && s.faults.strikes(q, "auth-500"):
		return answer{status: http.StatusInternalServerError}, true
	}
	return answer{}, false
}
