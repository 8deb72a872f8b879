package run_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// shelf is a server that shows what is on it, and lets nobody take anything away in the way that was tried.
type shelf struct {
	mu      sync.Mutex
	rows    map[string]string // by path
	refuses error
	gather  int           // so many looks have to be there at once before any is answered; 0: none waits
	here    int           // looks so far
	all     chan struct{} // closed when they are there
}

func (s *shelf) Send(context.Context, plan.Op, plan.Resolver) (plan.Answer, error) {
	return plan.Answer{}, s.refuses
}

func (s *shelf) Read(_ context.Context, c plan.Call) (plan.Answer, error) {
	if s.gather > 0 {
		s.mu.Lock()
		if s.here++; s.here == s.gather {
			close(s.all)
		}
		s.mu.Unlock()
		<-s.all
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if row, there := s.rows[c.Path]; there {
		return plan.Answer{Body: json.RawMessage(row)}, nil
	}
	return plan.Answer{}, of(problem.NotFound)
}

func (s *shelf) List(context.Context, plan.Call, func(json.RawMessage) (bool, error)) error {
	return nil
}

// madeDeed is a deed that made an object, which is found at its own path.
func madeDeed(name string) run.Deed {
	id := plan.Ref{Action: name, Output: "id"}
	remove := op(plan.Change, plan.Call{Operation: "delete", Method: "DELETE", Path: "/" + name})
	remove.ID, remove.Trace = "undo-1", &plan.Trace{Lookup: plan.Lookup{Call: plan.Call{Operation: "read", Method: "GET", Path: "/" + name}}, Made: true, ID: id, Pointer: "/id"}
	return run.Deed{Back: run.Back{Step: name, Object: "thing", Name: name, Effect: plan.Create.String()}, Key: "undo/" + name, Gave: map[string]string{"id": "id of " + name}, Undo: []plan.Op{remove}}
}

func undoOf(t *testing.T, s run.Sender, lacks func(string) bool, deeds ...run.Deed) []plan.Action {
	t.Helper()
	u, err := run.Undo(t.Context(), deeds, run.Unmaking{Sender: s, Lacks: lacks})
	if err != nil {
		t.Fatal(err)
	}
	return u.Actions
}

// TestUndoLooksSideBySide, as many at once as a run changes, and plans in the same order each time: newest first. One after another
// it would wait for ever.
func TestUndoLooksSideBySide(t *testing.T) {
	s := &shelf{rows: map[string]string{}, gather: 4, all: make(chan struct{})}
	var deeds []run.Deed
	for i := range 40 {
		name := fmt.Sprint("n", i)
		deeds = append(deeds, madeDeed(name))
		s.rows["/"+name] = `{"id":"id of ` + name + `"}`
	}
	first := undoOf(t, s, nil, deeds...)
	if len(first) != 40 || first[0].Key != "undo/n39" || first[39].Key != "undo/n0" {
		t.Fatalf("%d actions", len(first))
	}
	if again := undoOf(t, s, nil, deeds...); !reflect.DeepEqual(first, again) {
		t.Error("another look gives another plan")
	}
}

// TestTwoDeedsOfOneObject take it back once, and the newer one does.
func TestTwoDeedsOfOneObject(t *testing.T) {
	s := &shelf{rows: map[string]string{"/a": `{"id":"id of a"}`}}
	newer := madeDeed("a")
	newer.Key = "undo/a#2"
	if got := undoOf(t, s, nil, madeDeed("a"), newer); len(got) != 1 || got[0].Key != "undo/a#2" {
		t.Errorf("%+v", got)
	}
}

// TestWhatALaterRunBuiltGoesFirst: it named the id that the earlier run got.
func TestWhatALaterRunBuiltGoesFirst(t *testing.T) {
	s := &shelf{rows: map[string]string{"/a": `{"id":"id of a"}`, "/b": `{"id":"id of b"}`}}
	b := madeDeed("b")
	b.Uses = []string{"id of a"}
	if got := undoOf(t, s, nil, madeDeed("a"), b); len(got) != 2 || got[1].Key != "undo/a" || !reflect.DeepEqual(got[1].After, []string{"undo/b"}) {
		t.Errorf("%+v", got)
	}
}

// TestAnUndoThatTheServerDoesNotOffer is a person's, and no word stands for it; a 404 of what is gone is no failure.
func TestAnUndoThatTheServerDoesNotOffer(t *testing.T) {
	s := &shelf{rows: map[string]string{"/a": `{"id":"id of a"}`}, refuses: of(problem.NotOffered)}
	carry := func(actions []plan.Action) steps.Outcome {
		w := &world{}
		r, err := run.Apply(t.Context(), plan.Plan{Actions: actions}, run.Options{Sender: s, Clock: w, Store: w, Sink: w, ManualDone: map[string]bool{"a": true}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Actions[0].Outcome
	}
	byCall := undoOf(t, s, nil, madeDeed("a"))
	if got := carry(byCall); got != steps.Waiting {
		t.Errorf("while it is there: %v", got)
	}
	byHand := undoOf(t, s, func(operation string) bool { return operation == "delete" }, madeDeed("a"))
	if byHand[0].Effect != plan.ByHand || carry(byHand) != steps.Waiting {
		t.Errorf("a word stands for it: %+v", byHand)
	}
	delete(s.rows, "/a")
	if got := carry(byCall); got != steps.Done {
		t.Errorf("when it is gone: %v", got)
	}
	if left := undoOf(t, s, nil, madeDeed("a")); len(left) != 0 {
		t.Errorf("there is nothing left: %+v", left)
	}
}
