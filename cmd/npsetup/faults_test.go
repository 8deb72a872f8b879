package main

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var portsTaken atomic.Int64

// nextPort walks through 20000 to 31999 from a random place.
var nextPort = sync.OnceValue(func() func() int {
	from := rand.IntN(12000)
	return func() int { return 20000 + (from+int(portsTaken.Add(1)))%12000 }
})()

// bounded runs a command line that must end by itself. The bound is no measure of anything: what waits there would wait for ever.
func (st *site) bounded(args ...string) (result, bool) {
	ctx, stop := context.WithTimeout(st.t.Context(), 2*time.Minute)
	defer stop()
	r := st.within(ctx, args...)
	return r, ctx.Err() != nil
}

// patient shortens the time that a request may take where no answer comes.
func (st *site) patient(fault string) {
	if fault == "silent" {
		st.patience = 2 * time.Second
	}
}

// withToken makes answers that sign in with a token from a browser.
func (st *site) withToken(args []string) []string {
	st.t.Helper()
	raw, err := os.ReadFile(args[2])
	if err != nil {
		st.t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(raw), "  signIn:\n")
	_, after, found2 := strings.Cut(rest, "\napplication:")
	if args[1] != "-f" || !found || !found2 {
		if _, after, found2 = strings.Cut(rest, "\npasswordSecure:"); !found2 {
			st.t.Fatalf("the answers are\n%s", raw)
		}
		after = "\npasswordSecure:" + after
	} else {
		after = "\napplication:" + after
	}
	path := filepath.Join(st.dir, "token.yaml")
	if err := os.WriteFile(path, []byte(before+"  signIn:\n    token: env:NPS_TOKEN\n"+after), 0o600); err != nil {
		st.t.Fatal(err)
	}
	st.env["NPS_TOKEN"] = st.s.BrowserToken()
	args = slices.Clone(args)
	args[2] = path
	return args
}

// TestFaults tries a spread of the table, or all of it, and compares each end with the one that is kept.
func TestFaults(t *testing.T) {
	t.Parallel()
	all, kept := attempts(t), keptFaults(t)
	var mu sync.Mutex
	got := map[string]string{}
	t.Run("each", func(t *testing.T) {
		for i := 0; i < len(all); i += faultStep {
			a := all[i]
			t.Run(a.name(), func(t *testing.T) {
				t.Parallel()
				o := a.try(t)
				if o.failed != "" {
					t.Error(o.failed)
				}
				mu.Lock()
				defer mu.Unlock()
				if o.struck {
					got[a.name()] = o.String()
				}
				if !*updateGolden && o.failed == "" && !a.blow.varies() && kept[a.name()] != got[a.name()] {
					t.Errorf("it ends with %q, kept is %q", got[a.name()], kept[a.name()])
				}
			})
		}
	})
	if faultStep > 1 || *onlySome {
		return
	}
	if *updateGolden {
		keepFaults(t, got)
		kept = got
	}
	for name := range kept {
		if got[name] == "" && !strings.HasSuffix(name, " deleted") && !strings.HasSuffix(name, " renamed") {
			t.Errorf("%s is kept and was not met", name)
		}
	}
}

var onlySome = flag.Bool("some", false, "a part of the table of faults is tried: nothing is missing from it, and nothing is written")

func faultsFile() string { return filepath.Join("testdata", "faults.golden") }

func keptFaults(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(faultsFile())
	if err != nil && !*updateGolden {
		t.Fatal(err)
	}
	kept := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if name, end, found := strings.Cut(line, ": "); found {
			kept[name] = end
		}
	}
	return kept
}

func keepFaults(t *testing.T, got map[string]string) {
	t.Helper()
	var lines []string
	for name, end := range got {
		lines = append(lines, name+": "+end)
	}
	slices.Sort(lines)
	if err := os.WriteFile(faultsFile(), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
