package nps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const searchRoute = "GET /api/v1/ManagedResource/Search"

// paging answers a window of n rows. largest caps the window; table chooses the shape; total is what it counts.
func paging(n, largest int, table bool, total string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		skip, _ := strconv.Atoi(r.URL.Query().Get("skip"))
		take, err := strconv.Atoi(r.URL.Query().Get("take"))
		if err != nil {
			take = 10 // the server's own page size
		}
		w.Header().Set("Content-Type", "application/json")
		if table {
			_, _ = io.WriteString(w, `{"draw":0,"extra":{"data":[1]},"Data":[`)
		} else {
			_, _ = io.WriteString(w, `[`)
		}
		for i := skip; i < min(skip+min(take, largest), n); i++ {
			if i > skip {
				_, _ = io.WriteString(w, ",")
			}
			_, _ = fmt.Fprintf(w, `{"id":"%d","host":{"deep":[%d]}}`, i, i)
		}
		_, _ = io.WriteString(w, "]")
		if table {
			_, _ = io.WriteString(w, total+"}")
		}
	}
}

func TestListPagesBothShapes(t *testing.T) {
	for _, c := range []struct {
		name       string
		rows, page int
		table      bool
		total      string
		requests   int
	}{
		{"table of 12,345", 12345, 1 << 30, true, `,"recordsTotal":12345`, 25},
		{"array of 12,345", 12345, 1 << 30, false, "", 25},
		{"table that ends with a page", 1000, 1 << 30, true, `,"recordsTotal":1000`, 2},
		{"table without a count", 1200, 1 << 30, true, ``, 3},
		{"table with a count of null", 1200, 1 << 30, true, `,"recordsTotal":null`, 3},
		{"array that ends with a page", 1000, 1 << 30, false, "", 3},
		{"server that gives 100 at most", 1050, 100, true, `,"recordsTotal":1050`, 11},
		{"count that is too high", 700, 1 << 30, true, `,"recordsTotal":9000`, 3},
		{"empty table", 0, 1 << 30, true, `,"recordsTotal":0`, 1},
		{"empty array", 0, 1 << 30, false, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.on(searchRoute, paging(c.rows, c.page, c.table, c.total))
			client := s.signedIn(nil)
			next := 0
			err := client.List(context.Background(), npsapi.SearchResources(""), func(row json.RawMessage) (bool, error) {
				var r struct{ ID string }
				if json.Unmarshal(row, &r) != nil || r.ID != strconv.Itoa(next) {
					return false, fmt.Errorf("row %d is %s", next, row)
				}
				next++
				return true, nil
			})
			if err != nil || next != c.rows {
				t.Errorf("%d rows, want %d: %v", next, c.rows, err)
			}
			if n := s.came(searchRoute); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
		})
	}
}

func TestListStopsWhenToldTo(t *testing.T) {
	s := newServer(t)
	s.on(searchRoute, paging(5000, 1<<30, true, `,"recordsTotal":5000`))
	c := s.signedIn(nil)
	n := 0
	err := c.List(context.Background(), npsapi.SearchResources(""), func(json.RawMessage) (bool, error) { n++; return n < 3, nil })
	if err != nil || n != 3 || s.came(searchRoute) != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
	own := errors.New("mine")
	if err = c.List(context.Background(), npsapi.SearchResources(""), func(json.RawMessage) (bool, error) { return true, own }); !errors.Is(err, own) {
		t.Errorf("got %v", err)
	}
}

func TestListReadsUnpagedCallsOnce(t *testing.T) {
	s := newServer(t)
	s.on("GET /api/v1/Activity", paging(900, 900, false, ""))
	s.on("GET /api/v1/Activity", func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawQuery = "take=900"
		paging(900, 900, false, "")(w, r)
	})
	c := s.signedIn(nil)
	n := 0
	err := c.List(context.Background(), npsapi.ListActivities(), func(json.RawMessage) (bool, error) { n++; return true, nil })
	if err != nil || n != 900 || s.log[len(s.log)-1] != "GET /api/v1/Activity" {
		t.Errorf("%d rows, %v, %v", n, err, s.log)
	}
}

func TestListOfAServerThatKnowsNoPaging(t *testing.T) {
	s := newServer(t)
	whole := func(table bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.URL.RawQuery = "take=500"
			paging(500, 500, table, `,"recordsTotal":800`)(w, r)
		}
	}
	s.on(searchRoute, whole(false))
	c := s.signedIn(nil)
	n := 0
	count := func(json.RawMessage) (bool, error) { n++; return true, nil }
	if err := c.List(context.Background(), npsapi.SearchResources(""), count); err != nil || n != 500 {
		t.Errorf("%d rows of 500: %v", n, err)
	}
	s.on(searchRoute, whole(true))
	err := c.List(context.Background(), npsapi.SearchResources(""), count)
	wantProblem(t, err, problem.Failed, "again and again", "800")
}

func TestListRefusesWhatIsNoList(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":"1"}`:          "holds no list",
		`"text"`:              "neither an array nor an object",
		`{"data":{"a":1}}`:    "neither an array nor an object",
		`{"data":[{"id":1},x`: "cannot be read",
		`[{"id":"1"}`:         "was closed before",
		``:                    "was closed before",
	} {
		s := newServer(t)
		s.on(searchRoute, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, body) })
		err := s.signedIn(nil).List(context.Background(), npsapi.SearchResources(""), func(json.RawMessage) (bool, error) { return true, nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	for body, n := range map[string]int{`{"data":null,"recordsTotal":0}`: 0, `null`: 0, `[null]`: 1} {
		s := newServer(t)
		s.on(searchRoute, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, body) })
		rows := 0
		err := s.signedIn(nil).List(context.Background(), npsapi.SearchResources(""), func(json.RawMessage) (bool, error) { rows++; return true, nil })
		if err != nil || rows != n {
			t.Errorf("%s: %d rows, %v", body, rows, err)
		}
	}
	s := newServer(t)
	s.on(searchRoute, func(w http.ResponseWriter, _ *http.Request) { html(w, 200, "<html>sign in</html>") })
	err := s.signedIn(nil).List(context.Background(), npsapi.SearchResources(""), nil)
	wantProblem(t, err, problem.Failed, "text/html", "proxy")
	s.on(searchRoute, func(w http.ResponseWriter, _ *http.Request) { reply(w, 403, `{}`) })
	err = s.signedIn(nil).List(context.Background(), npsapi.SearchResources(""), nil)
	wantProblem(t, err, problem.Refused, "role")
}

func TestListHoldsTheSizeLimitPerPage(t *testing.T) {
	s := newServer(t)
	s.on(searchRoute, paging(3000, 1<<30, true, `,"recordsTotal":3000`))
	rows := 0
	count := func(json.RawMessage) (bool, error) { rows++; return true, nil }
	enough := s.signedIn(func(o *Options) { o.Limit = 40_000 })
	if err := enough.List(context.Background(), npsapi.SearchResources(""), count); err != nil || rows != 3000 {
		t.Errorf("%d rows, %v", rows, err)
	}
	little := s.signedIn(func(o *Options) { o.Limit = 4000 })
	err := little.List(context.Background(), npsapi.SearchResources(""), count)
	wantProblem(t, err, problem.Failed, "larger than 4000 bytes")
	_, err = little.Read(context.Background(), npsapi.Page(npsapi.SearchResources(""), 0, 500))
	wantProblem(t, err, problem.Failed, "larger than 4000 bytes")
	if _, err = little.Read(context.Background(), npsapi.Page(npsapi.SearchResources(""), 0, 2)); err != nil {
		t.Error(err)
	}
}

func TestReadGivesTextAsJSON(t *testing.T) {
	for _, c := range []struct{ contentType, body, want string }{
		{"text/plain", "Healthy", `"Healthy"`},
		{"text/plain; charset=utf-8", "\xEF\xBB\xBF\"25.12\"", `"25.12"`},
		{"application/problem+json", `{"a":1}`, `{"a":1}`},
		{"application/json", "", ""},
	} {
		s := newServer(t)
		s.on("GET /api/v1/Health", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.contentType)
			_, _ = io.WriteString(w, c.body)
		})
		a, err := s.client(nil).Read(context.Background(), npsapi.Health())
		if err != nil || string(a.Body) != c.want || a.Status != 200 {
			t.Errorf("%v: %s %v", c, a.Body, err)
		}
	}
	s := newServer(t)
	s.on("GET /api/v1/Health", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"a":`) })
	_, err := s.client(nil).Read(context.Background(), npsapi.Health())
	wantProblem(t, err, problem.Failed, "not valid JSON")
	_, err = s.client(nil).Read(context.Background(), npsapi.GetAccount(plan.String(objectID)))
	wantProblem(t, err, problem.SignInAgain, "nobody is signed in")
}
