package run

import (
	"encoding/json"
	"path/filepath"
	"sync"

	"npsetup/steps/problem"
)

// grouped brings to disk what several goroutines wrote meanwhile by one sync: each waits until what it wrote is there, and who finds that
// another has done it already returns. A set-up of thousands of objects waits for the disk most of all.
type grouped struct {
	sync.Mutex
	done int // up to which write everything is on disk
}

// upTo returns when write n is on disk. bring brings everything there that is written by now, and tells the last of it.
func (g *grouped) upTo(n int, bring func() (last int, err error)) error {
	g.Lock()
	defer g.Unlock()
	if g.done >= n {
		return nil
	}
	last, err := bring()
	if err == nil {
		g.done = last
	}
	return err
}

// change writes a changed record, whole or not at all.
func (d *Dir) change(f func(*Record)) error {
	d.mu.Lock()
	r := d.record
	r.ManualDone, r.ManualAbout, r.NotOffered = copied(r.ManualDone), copied(r.ManualAbout), copied(r.NotOffered)
	f(&r)
	r.Updated = d.now().UTC()
	d.record = r
	d.changes++
	n := d.changes
	d.mu.Unlock()
	return d.records.upTo(n, d.bringRecord)
}

func (d *Dir) bringRecord() (int, error) {
	d.mu.Lock()
	n := d.changes
	raw, err := json.MarshalIndent(d.record, "", "  ")
	d.mu.Unlock()
	if err != nil {
		return n, err
	}
	if err := Replace(filepath.Join(d.path, "record.json"), append(raw, '\n')); err != nil {
		return n, problem.New("the run record cannot be written").Coded(problem.StateFolderUnusable).
			Unwritten(err, "mend the permissions of "+problem.Plain(d.path)).Try("then npsetup resume --yes")
	}
	return n, nil
}

// bringJournal syncs the journal.
func (d *Dir) bringJournal() (int, error) {
	d.mu.Lock()
	n, j := d.seq, d.journal
	d.mu.Unlock()
	return n, j.Sync()
}
