package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// The states of a journal entry.
const (
	Sending = "sending" // written before a change leaves
	Carried = "done"
	Failed  = "failed"
	Lost    = "lost"   // no answer came
	Looked  = "looked" // a later run has looked what became of it
	Asked   = "asked"  // a person was asked to do it by hand
	Told    = "told"   // a person said to have done it
)

// Entry is one line of the journal. Requests are redacted; Before holds the former values of the members that are set.
type Entry struct {
	Time    time.Time         `json:"time"`
	Seq     int               `json:"seq"`
	Action  string            `json:"action"`
	Kind    string            `json:"kind,omitempty"` // of the operation, where it is no call
	Op      string            `json:"op"`
	Effect  string            `json:"effect,omitempty"`
	Marker  string            `json:"marker,omitempty"` // of the session that it belongs to
	State   string            `json:"state"`
	Request string            `json:"request"`
	Body    string            `json:"body,omitempty"`
	Before  map[string]string `json:"before,omitempty"`
	Outputs map[string]string `json:"outputs,omitempty"`
	Back    *Back             `json:"back,omitempty"`    // with the first entry of an action: how it is taken back
	Finds   json.RawMessage   `json:"finds,omitempty"`   // how what the operation made is found again when no answer came
	Failure *Failure          `json:"failure,omitempty"` // of a proof by a session
}

// Failure is why a proof failed, in the words that were told.
type Failure struct {
	What      string       `json:"what"`
	Why       string       `json:"why,omitempty"`
	Next      []string     `json:"next,omitempty"`
	Code      problem.Code `json:"code,omitempty"`
	Untrusted bool         `json:"untrusted,omitempty"` // the server does not trust the client certificate
}

func failureOf(err error) *Failure {
	p := problem.All(err)[0]
	f := &Failure{What: problem.Plain(p.What), Why: problem.Plain(p.Why), Code: p.Named(), Untrusted: errors.Is(err, plan.ErrUntrusted)}
	for _, next := range p.Next {
		f.Next = append(f.Next, problem.Plain(next))
	}
	return f
}

// Journal implements Store: one line, on disk before it returns.
func (d *Dir) Journal(e Entry) error {
	n, err := d.append(e)
	if err != nil {
		return err
	}
	return d.entries.upTo(n, d.bringJournal)
}

// append writes a line, and gives its number.
func (d *Dir) append(e Entry) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.journal == nil {
		return 0, errors.New("the run was not begun")
	}
	d.seq++
	e.Seq, e.Time = d.seq, e.Time.UTC()
	raw, err := json.Marshal(e)
	if err != nil {
		return 0, err
	}
	if err := endLine(d.journal); err != nil { // a write that failed half-way must not spoil this one
		return 0, err
	}
	if _, err := d.journal.Write(append(raw, '\n')); err != nil {
		return 0, err
	}
	d.trail.follow(e)
	return d.seq, nil
}

// readJournal reads the entries of a run. A last line that a kill cut off is left out.
func readJournal(dir string) ([]Entry, error) {
	path := filepath.Join(dir, "journal.jsonl")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, problem.New("the journal " + problem.Plain(path) + " cannot be read").Because(problem.Plain(err.Error())).Try("mend its permissions").From(err)
	}
	var entries []Entry
	s := bufio.NewScanner(bytes.NewReader(raw))
	s.Buffer(nil, len(raw)+1)
	for s.Scan() {
		var e Entry
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		// A line that was cut off is followed by a line feed of the next run; it tells nothing that a look would not.
		if json.Unmarshal(s.Bytes(), &e) == nil {
			entries = append(entries, e)
		}
	}
	return entries, s.Err()
}

// endLine ends a line that a kill cut off, so that the next entry stands on its own.
func endLine(f *os.File) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, end-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	_, err = f.Write([]byte{'\n'})
	return err
}

// unanswered lists the last "sending" of each operation that no later entry concludes, or that was concluded as lost.
func unanswered(entries []Entry) []Entry {
	open := map[string]int{}
	for i, e := range entries {
		key := e.Action + "\x00" + e.Op
		switch e.State {
		case Sending, Lost:
			open[key] = i
		default:
			delete(open, key)
		}
	}
	var list []Entry
	for i, e := range entries {
		if at, is := open[e.Action+"\x00"+e.Op]; is && at == i {
			list = append(list, e)
		}
	}
	return list
}

// sent gives the effect of each action of which a change left and was not refused.
func sent(entries []Entry) map[string]string {
	effects, carried := map[string]string{}, map[string]bool{}
	for _, e := range entries {
		switch {
		case e.State == Sending && effects[e.Action] == "":
			effects[e.Action] = e.Effect
		case e.State == Carried:
			carried[e.Action] = true
		case e.State == Failed && !carried[e.Action]:
			delete(effects, e.Action)
		}
	}
	return effects
}

// lastOf is the number of the last entry. A line that was cut off has none of its own.
func lastOf(entries []Entry) int {
	last := 0
	for _, e := range entries {
		last = max(last, e.Seq)
	}
	return last
}

// since leaves out what an undo took back.
func since(entries []Entry, undone int) []Entry {
	var kept []Entry
	for _, e := range entries {
		if e.Seq > undone {
			kept = append(kept, e)
		}
	}
	return kept
}
