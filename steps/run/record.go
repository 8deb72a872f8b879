package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// recordVersion is the version of the record's format.
const recordVersion = 1

// ID names a run: everything done for one server, guide and application.
type ID struct{ Server, Guide, Application string }

func folderOf(state string, id ID) string { return filepath.Join(state, "runs", id.folder()) }

// folder is a readable name that works on every file system, with a hash that keeps apart what reads the same.
func (id ID) folder() string {
	host := id.Server
	if u, err := url.Parse(id.Server); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	sum := sha256.Sum256([]byte(strings.ToLower(id.Server) + "\x00" + id.Guide + "\x00" + strings.ToLower(id.Application)))
	return slug(host) + "-" + slug(id.Guide) + "-" + slug(id.Application) + "-" + hex.EncodeToString(sum[:5])
}

func slug(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '_'
	}, strings.ToLower(s))
	if len(s) > 40 {
		s = s[:40]
	}
	return strings.Trim(s, ".")
}

// Record is what is remembered of a run. It holds no secret: answers carry references.
type Record struct {
	Format      int                  `json:"format"`
	Server      string               `json:"server"`
	Version     string               `json:"serverVersion"`
	Guide       string               `json:"guide"`
	Application string               `json:"application"`
	Answers     map[string]string    `json:"answers"`
	AnswersDir  string               `json:"answersDir"`
	ManualDone  map[string]time.Time `json:"manualDone"`
	ManualAbout map[string]string    `json:"manualAbout,omitempty"` // step → what its doing was good for
	NotOffered  map[string]string    `json:"notOffered"`            // operation → server version
	Objects     []Made               `json:"objects"`
	Started     time.Time            `json:"started"`
	Updated     time.Time            `json:"updated"`
	Open        bool                 `json:"open"`
	Undoing     bool                 `json:"undoing,omitempty"`  // an undo was begun, and nothing was set up since
	Complete    bool                 `json:"complete,omitempty"` // its last set-up left nothing to do
	TakenBack   time.Time            `json:"takenBack,omitzero"` // when an undo closed the run
	Undone      int                  `json:"undone,omitempty"`   // the last entry of the journal that an undo took back: what comes before it is over
}

// Made is an object that a run made, changed or took over.
type Made struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Effect string `json:"effect"`
	ID     string `json:"id,omitempty"`
	Action string `json:"-"` // key of the action
}

// Aim is what a run is gone on with for.
type Aim int

// The aims.
const (
	SetUp Aim = iota
	TakeBack
	Prove // by a session: it leaves the run as far as it is
)

// Start is what Begin notes down.
type Start struct {
	Server, Version, Guide, Application string
	Answers                             map[string]string
	AnswersDir                          string
	Aim                                 Aim
	Command                             string // who locks the run, for others: a command without its arguments
	Word                                bool   // only a person's word is noted down: what became of lost changes is still to be looked up
}

// Dir is the Store on disk: one folder per run.
type Dir struct {
	path string
	now  func() time.Time
	hold *Hold
	own  bool // it was locked here, and is let go by Close

	mu      sync.Mutex
	record  Record
	journal *os.File
	lost    []Entry
	sent    map[string]string // action → effect of what an earlier run sent and did not see refused
	trail   trail
	seq     int
	torn    int // line of the journal that was never written whole
	changes int // of the record
	records grouped
	entries grouped
}

var _ Store = (*Dir)(nil)

// Open reads what is remembered of a run; nothing is written and nothing is locked before Begin.
func Open(state string, id ID, now func() time.Time) (*Dir, error) {
	d := &Dir{path: folderOf(state, id), now: now, record: Record{Format: recordVersion, Server: id.Server, Guide: id.Guide, Application: id.Application}}
	record, err := readRecord(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		d.record = record
	}
	p, err := readJournal(d.path)
	if err != nil {
		return nil, err
	}
	d.seq, d.torn = p.last, p.torn
	entries := since(p.entries, d.record.Undone)
	d.lost, d.sent = unanswered(entries), sent(entries)
	for _, e := range entries {
		d.trail.follow(e)
	}
	return d, nil
}

// List reads the records of all runs.
func List(state string) ([]Record, error) {
	folders, err := os.ReadDir(filepath.Join(state, "runs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, problem.New("the run records cannot be read").Coded(problem.StateFolderUnusable).Because(problem.Plain(err.Error())).Try("mend the permissions of the state folder, or name another with --state DIR").From(err)
	}
	var list []Record
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		r, err := readRecord(filepath.Join(state, "runs", f.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func readRecord(dir string) (Record, error) {
	path := filepath.Join(dir, "record.json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, err
	}
	if err != nil {
		return Record{}, problem.New("the run record " + problem.Plain(path) + " cannot be read").Because(problem.Plain(err.Error())).
			Try("mend the permissions of the state folder, or name another with --state DIR").From(err)
	}
	var r Record
	err = json.Unmarshal(raw, &r)
	if err == nil && r.Format > recordVersion {
		return r, problem.New("the run record " + problem.Plain(path) + " is of a newer version").Coded(problem.NewerVersion).Because(fmt.Sprintf("its format is %d, and this npsetup knows %d", r.Format, recordVersion)).
			Try("use the npsetup that wrote it, or a newer one")
	}
	if err != nil || r.Format != recordVersion {
		return r, problem.New("the run record " + problem.Plain(path) + " cannot be read").Coded(problem.JournalDamaged).Because("it is damaged").
			Try("move its folder away; the next run then looks at everything anew, and asks again what was done by hand")
	}
	return r, nil
}

// Begin locks the run, unless it is Under a Hold, and notes down its answers; begun already, it only notes them down. A second process is turned
// away, also one that looked before another one began and gets the lock after it.
func (d *Dir) Begin(s Start) error {
	if d.journal != nil {
		return d.start(s)
	}
	if d.hold == nil {
		h, err := lock(d.path, s.Command, d.now)
		if err != nil {
			return err
		}
		d.hold, d.own = h, true
	}
	if fresh, err := readRecord(d.path); err == nil {
		d.record = fresh // what another process wrote between Open and the lock
	}
	now, err := readJournal(d.path)
	if err != nil {
		return err
	}
	if now.last != d.seq {
		return problem.New("this run went on elsewhere").Because("another npsetup changed the server after this one had looked").
			Try("run the same command again: it looks anew").Of(problem.Stale)
	}
	j, err := os.OpenFile(filepath.Join(d.path, journalFile), os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return problem.New("the journal cannot be opened").Coded(problem.StateFolderUnusable).Unwritten(err, "mend the permissions of the state folder")
	}
	if err := errors.Join(shut(j), ready(j, now)); err != nil {
		return errors.Join(unwritable(err), j.Close())
	}
	d.journal = j
	for _, e := range d.lost {
		if s.Word || e.Marker != "" {
			continue // a session is looked for by itself; SessionOver says what became of it
		}
		// The plan that is now carried out rests on a look that came after them.
		e.State, e.Time, e.Before, e.Body = Looked, d.now(), nil, ""
		if err := d.Journal(e); err != nil {
			return err
		}
	}
	return d.start(s)
}

func (d *Dir) start(s Start) error {
	return d.change(func(r *Record) {
		r.Server, r.Version, r.Guide, r.Application, r.Answers, r.AnswersDir, r.Open = s.Server, s.Version, s.Guide, s.Application, s.Answers, s.AnswersDir, true
		if s.Aim != Prove {
			r.Undoing, r.Complete = s.Aim == TakeBack, false
		}
		if r.Started.IsZero() {
			r.Started = d.now().UTC()
		}
	})
}

func copied[V any](m map[string]V) map[string]V {
	c := make(map[string]V, len(m)+1)
	for k, v := range m {
		c[k] = v
	}
	return c
}

// Replace writes a file whole or not at all: temp file, fsync, rename: a kill leaves the old file or the new one. On Windows a rename over an existing file
// is not atomic, but leaves one of the two as well.
func Replace(path string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".record-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder brings a rename to disk. Where a folder cannot be synced, as on Windows, the file itself is.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil && runtime.GOOS != "windows" {
		return errors.Join(err, d.Close())
	}
	return d.Close()
}

// Closed notes down that an undo has taken everything back: what the journal tells so far is over, and the run is closed.
func (d *Dir) Closed() error {
	d.mu.Lock()
	last := d.seq
	d.mu.Unlock()
	err := d.change(func(r *Record) {
		r.Undoing, r.Complete = false, false
		r.Open, r.Undone, r.Objects, r.ManualDone, r.ManualAbout = false, last, nil, map[string]time.Time{}, nil
		r.TakenBack = d.now().UTC()
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost, d.sent, d.trail = nil, nil, trail{}
	return nil
}

// Finished notes down that nothing is left to set up. The run stays open: it can be taken back.
func (d *Dir) Finished() error { return d.change(func(r *Record) { r.Complete = true }) }

// Begun says whether there ever was such a run; Undoing, whether it is being taken back.
func (d *Dir) Begun() bool { return !d.record.Started.IsZero() }

// Undoing: see Begun.
func (d *Dir) Undoing() bool { return d.record.Undoing }

// Memory is what the steps need of the record.
func (d *Dir) Memory() steps.Memory {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := steps.Memory{ManualDone: map[string]bool{}, ManualAbout: copied(d.record.ManualAbout), NotOffered: copied(d.record.NotOffered), Made: map[string]bool{}, Shown: copied(d.trail.shown), Markers: append([]string{}, d.trail.markers...), Unproven: d.trail.changed, Changed: d.trail.last, Failed: d.trail.failed, ManualAt: copied(d.record.ManualDone), TakenBack: d.record.TakenBack}
	if d.trail.back.After(m.TakenBack) {
		m.TakenBack = d.trail.back
	}
	for step := range d.record.ManualDone {
		m.ManualDone[step] = true
	}
	for _, o := range d.record.Objects {
		m.Made[steps.MadeKey(o.Kind, o.Name)] = true
		if o.Kind == steps.KeyObject {
			m.Keys = append(m.Keys, o.Name)
		}
	}
	return m
}

// Lost lists the changes that were sent and of which no answer was noted down.
func (d *Dir) Lost() []Entry { return d.lost }

// Close releases the run.
func (d *Dir) Close() error {
	var err error
	if d.journal != nil {
		err = d.journal.Close()
	}
	if d.own {
		err = errors.Join(err, d.hold.Release())
	}
	if err != nil {
		return fmt.Errorf("the run cannot be closed: %w", err)
	}
	return nil
}
