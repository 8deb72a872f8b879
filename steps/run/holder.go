package run

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

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

// sign names this process as the one that has the lock. The run goes on without: it only tells others whom to wait for.
func (d *Dir) sign(command string) {
	host, _ := os.Hostname()
	if command == "" {
		command = "npsetup"
	}
	if raw, err := json.Marshal(holder{os.Getpid(), host, d.now().UTC(), command}); err == nil {
		_ = Replace(filepath.Join(d.path, holderFile), append(raw, '\n'))
	}
}

// unsign comes before the lock is released: afterwards the file may be somebody else's.
func (d *Dir) unsign() { _ = os.Remove(filepath.Join(d.path, holderFile)) }

// occupied is the problem of a run that another process has locked.
func (d *Dir) occupied() error {
	why := problem.Plain(d.path) + " is locked by it"
	if h, ok := readHolder(filepath.Join(d.path, holderFile)); ok {
		why += fmt.Sprintf(": %s, process %d on %s, since %s", problem.Plain(h.Command), h.PID, problem.Plain(h.Host), h.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return problem.New("another npsetup is at work on this run").Coded(problem.AnotherAtWork).Because(why).Try("wait until it has ended, then run the same command again")
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
