// Package machine looks at the machine that npsetup runs on, and at what can be reached from it: which system it is, whether Netwrix
// Auditor or NPS is installed here, whether a port takes a connection. It changes nothing,
// and judges nothing.
package machine

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"npsetup/steps/problem"
)

// Machine is a machine as this package sees it. The zero value is this one.
type Machine struct {
	GOOS     string                    // empty: runtime.GOOS
	Files    string                    // the folder that stands for the system drive; empty: the real one
	Hostname func() (string, error)    // nil: os.Hostname
	Services func() ([]Service, error) // nil: Windows is asked
	Programs func() ([]Program, error) // nil: Windows is asked
}

// Service is a service of Windows.
type Service struct {
	Name    string
	Running bool
}

// Program is an installed program.
type Program struct{ Name, Version string }

// Product is what is known of one of Netwrix's products on this machine.
type Product struct {
	Known    bool   // false: Windows did not tell
	Here     bool   // it is installed
	Version  string // empty: not told
	Services []Service
}

// Facts are what was seen.
type Facts struct {
	System       string // such as windows/amd64
	Name         string // of the host; may be empty
	Auditor, NPS Product
	Wait         *Wait // nil: Auditor is not here
}

// Wait is how long Auditor waits for a session.
type Wait struct {
	Path    string
	Seconds int
	Err     error // it cannot be read
}

// Look looks at the machine. What cannot be seen is left unknown.
func (m Machine) Look() Facts {
	goos := m.GOOS
	if goos == "" {
		goos = runtime.GOOS
	}
	f := Facts{System: goos + "/" + runtime.GOARCH}
	name := m.Hostname
	if name == nil {
		name = os.Hostname
	}
	if host, err := name(); err == nil {
		f.Name = problem.Plain(host)
	}
	if goos != "windows" { // both products run on Windows only
		f.Auditor, f.NPS = Product{Known: true}, Product{Known: true}
		return f
	}
	f.Auditor, f.NPS = m.products()
	if f.Auditor.Here {
		f.Wait = m.wait()
	}
	return f
}

// products tells by services, and takes the versions from the list of programs. NwCfgServerSvc is Auditor's configuration server, the
// services sbpam* are those of NPS (vendor's knowledge base).
func (m Machine) products() (auditor, nps Product) {
	services, programs := m.Services, m.Programs
	if services == nil {
		services = windowsServices
	}
	if programs == nil {
		programs = windowsPrograms
	}
	all, err := services()
	if err != nil {
		return Product{}, Product{}
	}
	auditor.Known, nps.Known = true, true
	for _, s := range all {
		switch name := strings.ToLower(s.Name); {
		case name == "nwcfgserversvc", name == "nwcoresvc":
			auditor.Services = append(auditor.Services, s)
		case strings.HasPrefix(name, "sbpam"):
			nps.Services = append(nps.Services, s)
		}
	}
	auditor.Here, nps.Here = len(auditor.Services) > 0, len(nps.Services) > 0
	installed, err := programs()
	if err != nil {
		return auditor, nps
	}
	for _, p := range installed {
		switch {
		case auditor.Here && p.Name == "Netwrix Auditor":
			auditor.Version = problem.Plain(p.Version)
		case nps.Here && (strings.HasPrefix(p.Name, "Netwrix Privilege Secure") || strings.Contains(p.Name, "SbPAM")) && !strings.Contains(p.Name, "Discovery"):
			nps.Version = problem.Plain(p.Version)
		}
	}
	return auditor, nps
}

// waitFile is where Auditor keeps MaxWaitForActiveStatusS, below the system drive (vendor's KB 000009216).
const waitFile = "Program Files (x86)/Netwrix Auditor/Audit Core/CredentialResolverService.acconf"

func (m Machine) wait() *Wait {
	drive := m.Files
	if drive == "" {
		drive = os.Getenv("SystemDrive") + `\`
	}
	w := &Wait{Path: filepath.Join(drive, filepath.FromSlash(waitFile))}
	f, err := os.Open(w.Path)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err // the path is told beside it
		}
		w.Err = err
		return w
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		w.Err = err
		return w
	}
	var found bool
	if w.Seconds, found = waitIn(string(raw)); !found {
		w.Err = errors.New("it has no MaxWaitForActiveStatusS that is understood")
	}
	return w
}

// The forms that a node of that name can have; which one Auditor's file has is not published.
var waitForms = []*regexp.Regexp{
	regexp.MustCompile(`<MaxWaitForActiveStatusS\b[^<>]*>\s*(\d{1,6})\s*<`),
	regexp.MustCompile(`\bMaxWaitForActiveStatusS\s*=\s*"(\d{1,6})"`),
	regexp.MustCompile(`"MaxWaitForActiveStatusS"[^<>]*\b(?:v|value)\s*=\s*"(\d{1,6})"`),
	regexp.MustCompile(`<MaxWaitForActiveStatusS\b[^<>]*\b(?:v|value)\s*=\s*"(\d{1,6})"`),
	regexp.MustCompile(`"MaxWaitForActiveStatusS"\s*:\s*(\d{1,6})\b`),
}

func waitIn(text string) (int, bool) {
	text = strings.ReplaceAll(text, "\x00", "") // UTF-16, as far as these names go
	for _, form := range waitForms {
		if found := form.FindStringSubmatch(text); found != nil {
			n, err := strconv.Atoi(found[1])
			return n, err == nil
		}
	}
	return 0, false
}
