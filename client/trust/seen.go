package trust

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"npsetup/steps/problem"
)

// SeenFile is the name of the list in the state folder.
const SeenFile = "hosts.json"

// Sighting is when a host was first seen with a certificate. What people compare it by is missing in lists of older versions.
type Sighting struct {
	SHA256    string    `json:"sha256"` // of the leaf, lower-case hex
	FirstSeen time.Time `json:"firstSeen"`
	SHA1      string    `json:"sha1,omitempty"` // Windows' thumbprint, lower-case hex
	Subject   string    `json:"subject,omitempty"`
	NotBefore time.Time `json:"notBefore,omitzero"`
	NotAfter  time.Time `json:"notAfter,omitzero"`
}

// Sight is how a certificate relates to what was seen before.
type Sight int

// The sights.
const (
	New     Sight = iota // the host was not seen before
	Same                 // seen with this certificate
	Changed              // seen with another one
)

func (s Sight) String() string {
	switch s {
	case New:
		return "new"
	case Same:
		return "same"
	case Changed:
		return "changed"
	}
	return "unknown"
}

// Seen is the list of hosts that were trusted before, as OpenSSH's known_hosts is: host:port with the leaf's SHA-256. It
// proves nothing by itself; it is there to ask before a host not seen before gets a password, and to show a changed
// certificate beside the old one. It holds no secrets. It may not be used from several goroutines.
type Seen struct {
	path    string
	hosts   map[string]Sighting
	changes map[string]Sighting
}

type seenFile struct {
	Version int                 `json:"version"`
	Hosts   map[string]Sighting `json:"hosts"`
}

// LoadSeen reads the list in the state folder dir; without a file it is empty. A file that cannot be read is a problem,
// never an empty list: forgetting a host would let another one take its place unasked.
func LoadSeen(dir string) (*Seen, error) {
	path := filepath.Join(dir, SeenFile)
	hosts, err := readSeen(path)
	if err != nil {
		return nil, err
	}
	return &Seen{path: path, hosts: hosts, changes: map[string]Sighting{}}, nil
}

func readSeen(path string) (map[string]Sighting, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]Sighting{}, nil
	}
	if err != nil {
		return nil, problem.New("the list of servers seen before, "+problem.Plain(path)+", cannot be read").Coded(problem.StateFolderUnusable).
			Unwritten(err, "mend its permissions, or name another folder with --state DIR")
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, badSeen(path, err.Error(), err)
	}
	var list seenFile
	switch err := json.Unmarshal(raw, &list); {
	case len(raw) > maxFile:
		return nil, badSeen(path, "it is larger than 1 MiB", nil)
	case err != nil:
		return nil, badSeen(path, "it is damaged", err)
	case list.Version != 1:
		return nil, badSeen(path, "another version of npsetup wrote it", nil)
	}
	for host, s := range list.Hosts {
		if sha, err := fingerprint(s.SHA256); err != nil || sha != s.SHA256 {
			return nil, badSeen(path, "the entry of "+host+" is damaged", err)
		}
	}
	if list.Hosts == nil {
		list.Hosts = map[string]Sighting{}
	}
	return list.Hosts, nil
}

func badSeen(path, why string, err error) *problem.Problem {
	return problem.New("the list of servers seen before, " + problem.Plain(path) + ", cannot be used").Because(problem.Plain(why)).
		Try("move the file away; every server is then asked about again").From(err)
}

// Look compares a leaf's SHA-256 with what was seen of host and port. The Sighting is the earlier one.
func (s *Seen) Look(host, port, sha256 string) (Sight, Sighting) {
	before, ok := s.hosts[seenKey(host, port)]
	switch {
	case !ok:
		return New, Sighting{}
	case strings.EqualFold(before.SHA256, sha256):
		return Same, before
	}
	return Changed, before
}

// Remember notes what a person, or the chain, has accepted. The first sight of the same certificate stays. Save writes it.
func (s *Seen) Remember(host, port string, leaf Cert, now time.Time) error {
	sha, err := fingerprint(leaf.SHA256)
	if err != nil {
		return err
	}
	first := now.UTC().Truncate(time.Second)
	sight, before := s.Look(host, port, sha)
	switch {
	case sight == Same && !before.NotAfter.IsZero():
		return nil
	case sight == Same: // by an older version, which noted less
		first = before.FirstSeen
	}
	key := seenKey(host, port)
	s.hosts[key] = Sighting{SHA256: sha, FirstSeen: first, SHA1: leaf.SHA1, Subject: leaf.Subject, NotBefore: leaf.NotBefore.UTC(), NotAfter: leaf.NotAfter.UTC()}
	s.changes[key] = s.hosts[key]
	return nil
}

// Save writes the list with mode 0600, whole or not at all. What another run wrote meanwhile is kept. Without a change
// nothing is written.
func (s *Seen) Save() error {
	if len(s.changes) == 0 {
		return nil
	}
	unlock, err := lockSeen(s.path)
	if err != nil {
		return err
	}
	defer unlock()
	hosts, err := readSeen(s.path)
	if err != nil {
		return err
	}
	maps.Copy(hosts, s.changes)
	raw, err := json.MarshalIndent(seenFile{Version: 1, Hosts: hosts}, "", "  ")
	if err != nil {
		return err
	}
	if err := replace(s.path, append(raw, '\n')); err != nil {
		return problem.New("the list of servers seen before, "+problem.Plain(s.path)+", cannot be written").Coded(problem.StateFolderUnusable).
			Unwritten(err, "mend the permissions of its folder, or name another with --state DIR")
	}
	s.hosts, s.changes = hosts, map[string]Sighting{}
	return nil
}

// lockSeen keeps other processes out between reading and writing, or one would drop what another adds at the same moment.
func lockSeen(path string) (unlock func(), err error) {
	bad := func(err error) (func(), error) {
		return nil, problem.New("the list of servers seen before, "+problem.Plain(path)+", cannot be locked").Coded(problem.StateFolderUnusable).
			Unwritten(err, "mend the permissions of its folder, or name another with --state DIR")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return bad(err)
	}
	l := flock.New(path+".lock", flock.SetPermissions(0o600))
	if err := l.Lock(); err != nil {
		return bad(err)
	}
	return func() { _ = l.Unlock() }, nil
}

// replace goes through a new file beside the old one, so that a kill leaves the old one or the new one.
func replace(path string, raw []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // 0600 by itself
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
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync() // not every file system can
		_ = d.Close()
	}
	return nil
}

func seenKey(host, port string) string {
	return net.JoinHostPort(strings.ToLower(plainHost(host)), port)
}
