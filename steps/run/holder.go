package run

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"npsetup/steps/problem"
)

// holderFile stands beside the lock: on Windows nobody else can read a locked file.
const holderFile = "holder.json"

// holderLimit bounds what is read of it, in bytes.
const holderLimit = 4 << 10

// holder is who has locked a run. It is for people only: the lock of the system decides, and what a killed process left here blocks nobody.
type holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
}

// Hold keeps others from a run as long as somebody is at work on it, also while nothing is written: what a person does by hand may take
// hours. Only one is needed by all that one process does.
type Hold struct {
	path string
	lock *flock.Flock
}

// Lock keeps others from a run, in the name of a command. Its folder need not be there yet.
func Lock(state string, id ID, command string, now func() time.Time) (*Hold, error) {
	return lock(folderOf(state, id), command, now)
}

func lock(path, command string, now func() time.Time) (*Hold, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, problem.New("the run record cannot be written").Coded(problem.StateFolderUnusable).Unwritten(err, "mend the permissions, or name another folder with --state DIR")
	}
	l := flock.New(filepath.Join(path, "lock"), flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err != nil {
		return nil, problem.New("the run cannot be locked").Coded(problem.StateFolderUnusable).Unwritten(err, "name a folder on a local disk with --state DIR")
	}
	if !ok {
		return nil, occupied(path)
	}
	h := &Hold{path, l}
	h.sign(command, now)
	return h, nil
}

// Release lets others at the run again.
func (h *Hold) Release() error {
	h.unsign()
	return h.lock.Unlock()
}

// Under lets a run that is held already be begun by its holder: it is not locked once more, and Close does not let it go. One of another
// run, or none, changes nothing.
func (d *Dir) Under(h *Hold) *Dir {
	if h != nil && h.path == d.path {
		d.hold = h
	}
	return d
}

// sign names this process as the one that has the lock. The run goes on without: it only tells others whom to wait for.
func (h *Hold) sign(command string, now func() time.Time) {
	host, _ := os.Hostname()
	if command == "" {
		command = "npsetup"
	}
	if raw, err := json.Marshal(holder{os.Getpid(), host, now().UTC(), command}); err == nil {
		_ = Replace(filepath.Join(h.path, holderFile), append(raw, '\n'))
	}
}

// unsign comes before the lock is released: afterwards the file may be somebody else's.
func (h *Hold) unsign() { _ = os.Remove(filepath.Join(h.path, holderFile)) }

// occupied is the problem of a run that another process has locked.
func occupied(path string) error {
	why := problem.Plain(path) + " is locked by it"
	if h, ok := readHolder(filepath.Join(path, holderFile)); ok {
		why += fmt.Sprintf(": %s, process %d on %s, since %s", problem.Plain(h.Command), h.PID, problem.Plain(h.Host), h.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return problem.New("another npsetup is at work on this run").Coded(problem.AnotherAtWork).Because(why).Try("wait until it has ended, or end it there: what was done is noted down; then try again")
}

func readHolder(path string) (h holder, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return h, false
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, holderLimit))
	return h, err == nil && json.Unmarshal(raw, &h) == nil && h.PID > 0
}
