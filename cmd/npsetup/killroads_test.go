package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"npsetup/client/sandbox"
)

// walk is a site on one road, on which the k-th thing stops the run: a file that is about to be made, a file that was made and is
// not noted down, or a changing request that was carried out and is not answered.
type walk struct {
	*site
	road string

	mu   sync.Mutex
	n, k int
	stop context.CancelFunc
}

func newWalk(t *testing.T, road string, k int) *walk {
	w := &walk{site: newSite(t, sandbox.Options{}), road: road, k: k}
	w.making = func(path string, made bool) {
		if w.counts() {
			panic(fmt.Sprintf("stopped at %s, made: %v", filepath.Base(path), made))
		}
	}
	w.s.OnRequest(func(r sandbox.Request) {
		if r.Class == "change" && w.counts() {
			w.stop()
		}
	})
	return w
}

func (w *walk) counts() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return w.n == w.k
}

// through does all that can be done without a person but the authority's answer, and resumes what was stopped.
func (w *walk) through(t *testing.T) {
	t.Helper()
	args := []string{"apply", "-f", w.site.road(w.road), "--yes", "--set", "application.keyType=ecdsa-p256"}
	w.until(t, args)
	if w.road == "request" {
		w.person()
		w.until(t, []string{"resume", "--yes"})
	}
}

func (w *walk) until(t *testing.T, args []string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w.stop = stop
	if r := w.within(ctx, args...); r.code != exitPerson {
		w.do("resume", "--yes").want(t, exitPerson)
	}
}

// end is the state of the server and the names of the files, with the serial number of this site's certificate by its name.
func (w *walk) end(t *testing.T) string {
	t.Helper()
	c, err := readChain(w.inFolder(".key"), []string{w.inFolder(".cer")}, timeNow())
	if err != nil {
		t.Fatal(err)
	}
	state := strings.ReplaceAll(w.canonical(), `"`+c.Leaf.Serial+`"`, "(its own)")
	var names []string
	entries, err := os.ReadDir(filepath.Dir(w.inFolder("")))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return strings.Join(names, "\n") + "\n" + state
}

// TestAStoppedRoadContinues stops each road at every file and at every change; without the tag full at every fifth of them.
func TestAStoppedRoadContinues(t *testing.T) {
	t.Parallel()
	for road, files := range map[string]int{"new": 3, "request": 6} {
		whole := newWalk(t, road, 0)
		whole.through(t)
		want, n := whole.end(t), whole.n
		if n < 2*files+8 {
			t.Fatalf("%s: only %d things happen", road, n)
		}
		for k := 1; k <= n; k += 1 + roadStops {
			t.Run(fmt.Sprintf("%s at %d", road, k), func(t *testing.T) {
				w := newWalk(t, road, k)
				w.through(t)
				if got := w.end(t); got != want {
					t.Errorf("another end:\n%s\nwant\n%s", got, want)
				}
				if k%4 != 1 { // what follows is the same each time, and costs more than all before
					return
				}
				w.k = 0
				before := w.changes()
				w.person()
				w.do("resume", "--yes", "--done", madeManual).want(t, exitOK)
				if w.changes() != before+proving {
					t.Errorf("%d changes after the person, a session has %d", w.changes()-before, proving)
				}
			})
		}
	}
}
