package run_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

func TestEventsInOrder(t *testing.T) {
	w := &world{fail: map[string]error{"b": of(problem.Failed)}}
	a := create("a")
	a.Ops = append([]plan.Op{op(plan.Read, get("look"))}, a.Ops...)
	w.apply(t, a, create("b", "a"), create("c", "b"), byHand("d"))
	var got []string
	for _, e := range w.events {
		line := e.Name + " " + e.Step + " " + e.Outcome
		if e.Op != nil {
			line += fmt.Sprintf("%s %s %s %s %d", e.Op.Kind, e.Op.Class, e.Op.Method, e.Op.Path, e.Op.Status)
		}
		if e.Error != nil {
			line += " error"
		}
		got = append(got, line)
	}
	want := []string{
		"step.started a ", "op.sent a call read GET /api/v1/look 0", "op.done a call read GET /api/v1/look 200",
		"op.sent a call change POST /api/v1/a 0", "op.done a call change POST /api/v1/a 200", "action.done a done", "step.done a done",
		"step.started d ", "waiting d waiting", "action.done d waiting", "step.done d waiting",
		"step.started b ", "op.sent b call change POST /api/v1/b 0", "op.done b call change POST /api/v1/b 500 error", "action.done b failed error", "step.done b failed",
		"step.started c ", "action.done c not-run error", "step.done c not-run", "run.done  failed",
	}
	// d needs nobody: it may come before or after the rest.
	steady := func(lines []string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return strings.Fields(s)[1] == "d" })
	}
	if !slices.Equal(steady(got), steady(want)) || len(got) != len(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i, e := range w.events {
		if i > 0 && !e.Time.After(w.events[i-1].Time) {
			t.Errorf("event %d is not after event %d", i, i-1)
		}
		if e.Name == run.OpDone && e.Op.MS <= 0 {
			t.Errorf("event %d took %d ms", i, e.Op.MS)
		}
	}
}

// members lists the members of a JSON object, those inside it with a dot.
func members(t *testing.T, v map[string]any, before string) []string {
	t.Helper()
	var list []string
	for _, k := range slices.Sorted(maps.Keys(v)) {
		if inner, is := v[k].(map[string]any); is {
			list = append(list, members(t, inner, before+k+".")...)
			continue
		}
		list = append(list, before+k)
	}
	return list
}

func TestJSONSinkWritesOneEventALine(t *testing.T) {
	w := &world{fail: map[string]error{"a": of(problem.Failed)}}
	var b bytes.Buffer
	o := w.options()
	o.Sink = run.Sinks{w, run.NewJSONSink(&b)}
	if _, err := run.Apply(t.Context(), plan.Plan{Actions: []plan.Action{create("a"), byHand("b")}}, o); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	n := 0
	for s := bufio.NewScanner(&b); s.Scan(); n++ {
		var v map[string]any
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		if v["event"] != w.events[n].Name {
			t.Errorf("line %d is %s, event %s", n, s.Text(), w.events[n].Name)
		}
		if _, err := time.Parse(time.RFC3339Nano, v["time"].(string)); err != nil {
			t.Error(err)
		}
		for _, m := range members(t, v, "") {
			seen[m] = true
		}
	}
	if n != len(w.events) {
		t.Errorf("%d lines of %d events", n, len(w.events))
	}
	want := "action effect error.code error.next error.what error.why event object op.class op.kind op.method op.ms op.path op.status outcome step time"
	if got := strings.Join(slices.Sorted(maps.Keys(seen)), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestJSONSinkIsForSeveralGoroutines(t *testing.T) {
	var b bytes.Buffer
	sink := run.NewJSONSink(&b)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				sink.Emit(run.Event{Name: run.StepDone, Step: fmt.Sprint(i), Object: "<a>"})
			}
		})
	}
	wg.Wait()
	d, n := json.NewDecoder(&b), 0
	for {
		var e run.Event
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || e.Object != "<a>" {
			t.Fatalf("%+v %v", e, err)
		}
		n++
	}
	if n != 160 {
		t.Errorf("%d events", n)
	}
}

type goneReader struct{}

func (goneReader) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestARunOutlivesItsReaders(t *testing.T) {
	w := &world{}
	o := w.options()
	o.Sink = run.NewJSONSink(goneReader{})
	r, err := run.Apply(t.Context(), plan.Plan{Actions: []plan.Action{create("a")}}, o)
	if err != nil || r.Outcome() != steps.Done {
		t.Errorf("%v %v", r.Outcome(), err)
	}
	o = w.options()
	o.Sink = nil
	if _, err := run.Apply(t.Context(), plan.Plan{Actions: []plan.Action{create("a")}}, o); err != nil {
		t.Error(err)
	}
}

func TestEventsAreHarmlessAndHoldNoSecret(t *testing.T) {
	const hostile = "x\x1b[2J\x1b]52;c;YQ==\a\u202e\u009b\r\ny"
	a := create("a")
	a.Name, a.Key = hostile, "a"+hostile
	a.Ops = []plan.Op{op(plan.Change, secretCall("one")), op(plan.Change, post("two"))}
	a.Ops[1].Call.Params = []plan.Param{{Name: "q", Value: plan.String(hostile)}}
	w := &world{fail: map[string]error{"two": problem.New("no " + hostile).Because(hostile)}}
	var b bytes.Buffer
	o := w.options()
	o.Sink = run.Sinks{w, run.NewJSONSink(&b)}
	r, err := run.Apply(t.Context(), plan.Plan{Actions: []plan.Action{a, fileAction(t.TempDir()+"/no/"+hostile, plan.String(marker), 0o600)}}, o)
	if err != nil || r.Outcome() != steps.Failed {
		t.Fatalf("%v %v", r.Outcome(), err)
	}
	text := b.String()
	for _, c := range text {
		if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
			t.Errorf("the stream holds %U", c)
		}
	}
	if strings.Contains(text, marker) || !strings.Contains(text, "op.sent") {
		t.Errorf("the stream holds a secret, or nothing: %s", text)
	}
	for _, e := range w.events {
		for _, s := range []string{e.Object, fmt.Sprint(e.Op), fmt.Sprint(e.Error)} {
			if s != problem.Plain(s) {
				t.Errorf("%s: %q", e.Name, s)
			}
		}
	}
}
