package sandbox

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// fault is one way to misbehave: from its at-th chance on, or at that one only.
type fault struct {
	at   int // 0: always
	seen int
}

type faults map[string]*fault

// once lists the faults that, named without @n, happen at their first chance only.
func once(name string) bool { return name == "auth-500" || name == "answer-lost" }

// FaultNames lists the faults that can be asked for.
func FaultNames() []string {
	names := []string{
		"answer-lost", "auth-500", "expired-cert", "expired-licence", "hosting", "locked", "mfa-replay", "no-key", "old-version", "webdav", "wrong-role",
	}
	sort.Strings(names)
	return names
}

func parseFaults(wanted []string) (faults, error) {
	fs := faults{}
	for _, w := range wanted {
		name, number, numbered := strings.Cut(w, "@")
		f := &fault{}
		if once(name) {
			f.at = 1
		}
		if numbered {
			n, err := strconv.Atoi(number)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("fault %q: after @ comes a number from 1 on", w)
			}
			f.at = n
		}
		known := false
		for _, k := range FaultNames() {
			known = known || k == name
		}
		if !known {
			return nil, fmt.Errorf("no fault %q; there are %s", name, strings.Join(FaultNames(), ", "))
		}
		fs[name] = f
	}
	return fs, nil
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

const webdavPage = `<!DOCTYPE html><html><head><title>405 - HTTP verb used to access this page is not allowed.</title></head>
<body><h2>HTTP Error 405.0 - Method Not Allowed</h2><table><tr><th>Module</th><td>WebDAVModule</td></tr></table></body></html>`

const hostingPage = `<!DOCTYPE html><html><head><title>IIS 10.0 Detailed Error - 500.19 - Internal Server Error</title></head>
<body><h2>HTTP Error 500.19 - Internal Server Error</h2><p>The requested page cannot be accessed because the related configuration data for the page is invalid.</p></body></html>`

// faulty answers in place of the server where the web server in front of it, or a bad moment, would.
func (s *Server) faulty(q *ask, op operation) (answer, bool) {
	switch {
	case s.faults.hit("hosting"):
		return answer{status: http.StatusInternalServerError, html: hostingPage}, true
	case (q.Method == http.MethodPut || q.Method == http.MethodDelete) && s.faults.hit("webdav"):
		return answer{status: http.StatusMethodNotAllowed, html: webdavPage}, true
	case op.Class == "auth" && s.faults.hit("auth-500"):
		return answer{status: http.StatusInternalServerError}, true
	}
	return answer{}, false
}
