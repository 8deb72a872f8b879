package sandbox

import (
	"net/http"
	"sort"
	"strings"
)

// router finds the operation of a request. The standard library's refuses patterns of which neither is the narrower, and NPS has
// such: {sessionId}/Log and SummaryById/{sessionId}. Here, as there, a word is tried before a parameter.
type router struct{ routes []route }

type route struct {
	method   string
	segments []string
	serve    http.HandlerFunc
}

func (r *router) add(method, path string, serve http.HandlerFunc) {
	r.routes = append(r.routes, route{method, strings.Split(path, "/"), serve})
}

// sort puts words before parameters, segment by segment.
func (r *router) sort() {
	rank := func(segments []string) string {
		var b strings.Builder
		for _, s := range segments {
			if isParameter(s) {
				b.WriteByte('1')
			} else {
				b.WriteByte('0')
			}
		}
		return b.String()
	}
	sort.SliceStable(r.routes, func(i, j int) bool { return rank(r.routes[i].segments) < rank(r.routes[j].segments) })
}

func isParameter(segment string) bool { return strings.HasPrefix(segment, "{") }

// find gives the handler and sets the path parameters. Without a handler the status is that of the refusal.
func (r *router) find(req *http.Request) (serve http.HandlerFunc, status int) {
	status = http.StatusNotFound
	have := strings.Split(req.URL.Path, "/")
	for _, candidate := range r.routes {
		if !candidate.fits(have) {
			continue
		}
		if candidate.method != req.Method {
			status = http.StatusMethodNotAllowed
			continue
		}
		for i, s := range candidate.segments {
			if isParameter(s) {
				req.SetPathValue(strings.Trim(s, "{}"), have[i])
			}
		}
		return candidate.serve, http.StatusOK
	}
	return nil, status
}

func (c route) fits(have []string) bool {
	if len(have) != len(c.segments) {
		return false
	}
	for i, s := range c.segments {
		if have[i] != s && (!isParameter(s) || have[i] == "") {
			return false
		}
	}
	return true
}
