package run

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// journalFile is its name in the folder of a run.
const journalFile = "journal.jsonl"

// The states of a journal entry.
const (
	Sending = "sending" // written before a change leaves
	Carried = "done"
	Failed  = "failed"
	Lost    = "lost"   // no answer came
	Looked  = "looked" // a later run has looked what became of it
	Asked   = "asked"  // a person was asked to do it by hand
	Told    = "told"   // a person said to have done it
	Unsaid  = "unsaid" // and took that back
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

// append writes a line, and gives its number. A write that failed half-way must not spoil the next one, nor take its number.
func (d *Dir) append(e Entry) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.journal == nil {
		return 0, errors.New("the run was not begun")
	}
	e.Seq, e.Time = d.seq+1, e.Time.UTC()
	line, err := summed(e)
	if err != nil {
		return 0, err
	}
	if err := ready(d.journal, pages{version: journalVersion}); err != nil {
		return 0, err
	}
	if _, err := d.journal.Write(line); err != nil {
		return 0, err
	}
	d.seq = e.Seq
	d.trail.follow(e)
	return d.seq, nil
}

// readJournal reads the journal of a run; one that is not there is empty.
func readJournal(dir string) (pages, error) {
	path := filepath.Join(dir, journalFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return pages{}, nil
	}
	if err != nil {
		return pages{}, problem.New("the journal " + problem.Plain(path) + " cannot be read").Coded(problem.StateFolderUnusable).Because(problem.Plain(err.Error())).Try("mend its permissions").From(err)
	}
	p, err := parse(raw)
	if err != nil {
		return p, unreadable(path, err)
	}
	return p, nil
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
