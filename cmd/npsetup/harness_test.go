package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"npsetup/assets"
	"npsetup/client/machine"
	"npsetup/client/nps"
	"npsetup/client/sandbox"
	"npsetup/client/sandbox/contract"
	"npsetup/client/trust"
)

// site is a sandbox in checking mode with its files, a state folder, and everything that was printed.
type site struct {
	t        *testing.T
	guide    string // whose answers are taken; empty: auditor
	s        *sandbox.Server
	dir      string
	state    string
	env      map[string]string
	printed  bytes.Buffer // all output of all commands
	asked    []string     // passwords that were asked for
	answer   string       // what is typed at a question; empty: there is no terminal
	pdc      func(ctx context.Context, domain string) (string, error)
	wait     func(ctx context.Context, d time.Duration) error // nil: real time
	between  func(ctx context.Context, d time.Duration) error // nil: real time
	patience time.Duration
	noticed  time.Duration
	here     machine.Machine                                                        // what doctor looks at
	network  machine.Network                                                        // what doctor tries ports by; zero: nothing beyond this machine
	machine  trust.Machine                                                          // whose trusted roots are changed; zero: none that could be
	windows  func(ctx context.Context, name string, args ...string) ([]byte, error) // starts a program of Windows; nil: this is none
	making   func(path string, made bool)
	ssh      *overSSH // the NPS server's own SSH server; nil: it has none

	scriptEnv []string         // variables for the scripts of plan --output curl
	now       func() time.Time // nil: real time
	watch     io.Writer        // sees, and may stop, what is printed as the result; nil: nobody does
}

// readContract reads the contract once for all sites: that takes longer than most tests.
var readContract = sync.OnceValues(func() (*contract.Checker, error) { return contract.New(assets.NPSContract) })

func newSite(t *testing.T, o sandbox.Options) *site {
	t.Helper()
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	st := &site{t: t, dir: t.TempDir(), state: t.TempDir()}
	if err := os.Chmod(st.state, 0o700); err != nil { // whatever the umask: one that others may write in is refused
		t.Fatal(err)
	}
	o.Dir, o.Check = st.dir, c
	if o.SessionDelay == 0 {
		o.SessionDelay = 1 // practically at once
	}
	if st.s, err = sandbox.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	cr := st.s.Credentials()
	st.env = map[string]string{"NPS_PASSWORD": cr.Password, "NPS_TOTP_SECRET": cr.TOTPSecret, "NPS_PFX_PASSPHRASE": st.s.Passphrase()}
	t.Cleanup(func() {
		for _, v := range st.s.Violations() {
			t.Errorf("against the contract: %v", v)
		}
		_ = st.s.Close()
		st.noSecrets()
	})
	return st
}

// reaching is the network of the tests: it ends at this machine.
func (st *site) reaching() machine.Network {
	n := st.network
	if n.Hosts == nil {
		n.Hosts = func(ctx context.Context, host string) ([]string, error) {
			if host == "localhost" {
				return []string{"127.0.0.1"}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
	}
	if n.Dial == nil {
		n.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if host, _, err := net.SplitHostPort(addr); err != nil || host != "127.0.0.1" {
				return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}
	if n.LookupSRV == nil {
		n.LookupSRV = func(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
			return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		}
	}
	return n
}

// person does the person's part, and waits until Auditor has collected when it was told to.
func (st *site) person() []sandbox.Did {
	ctx, cancel := context.WithTimeout(st.t.Context(), 20*time.Second)
	defer cancel()
	return st.s.PersonThrough(ctx)
}

func (st *site) answers() string {
	return filepath.Join(st.dir, "answers-"+cmp.Or(st.guide, "auditor")+".yaml")
}

// result is how a command ended.
type result struct {
	code     int
	out, err string
}

// do runs one command line with its own state folder.
func (st *site) do(args ...string) result { return st.within(st.t.Context(), args...) }

func (st *site) within(ctx context.Context, args ...string) result {
	st.t.Helper()
	var out, errs bytes.Buffer
	a := &app{
		in: strings.NewReader(st.answer), out: &out, err: &errs, now: time.Now, terminal: st.answer != "",
		env:  func(name string) (string, bool) { v, ok := st.env[name]; return v, ok },
		home: func() (string, error) { return st.state, nil }, pdc: st.pdc, wait: st.wait, machine: st.trusting(), here: st.here, windows: st.windows, network: st.reaching(), making: st.making, rounds: 1000, abrupt: true,
		password: func(_ context.Context, prompt string) ([]byte, error) {
			st.asked = append(st.asked, prompt)
			return []byte(st.env["TYPED"]), nil
		},
	}
	a.records = st.state
	a.between, a.patience, a.noticed = st.between, st.patience, st.noticed
	if a.between == nil {
		a.between = atOnce
	}
	if st.now != nil {
		a.now = st.now
	}
	if st.watch != nil {
		a.out = io.MultiWriter(st.watch, &out)
	}
	code := startContext(ctx, args, a)
	st.printed.Write(out.Bytes())
	st.printed.Write(errs.Bytes())
	return result{code, out.String(), errs.String()}
}

// atOnce lets the pauses between tries pass, and not the minutes until a token is renewed.
func atOnce(ctx context.Context, d time.Duration) error {
	if d > time.Minute {
		return nps.Sleep(ctx, d)
	}
	return ctx.Err()
}

// want fails the test when a command did not end with the code.
func (r result) want(t *testing.T, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, code, r.out, r.err)
	}
	return r
}

// changes counts the changing requests that arrived.
func (st *site) changes() int {
	n := 0
	for _, r := range st.s.Requests() {
		if r.Class == "change" {
			n++
		}
	}
	return n
}

// canonical is the state of the sandbox as text.
func (st *site) canonical() string {
	raw, err := json.MarshalIndent(st.s.State(), "", " ")
	if err != nil {
		st.t.Fatal(err)
	}
	return string(raw)
}

// edited writes a copy of the answers with replacements, and gives its path.
func (st *site) edited(oldnew ...string) string {
	st.t.Helper()
	raw, err := os.ReadFile(st.answers())
	if err != nil {
		st.t.Fatal(err)
	}
	text := string(raw)
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(text, oldnew[i]) {
			st.t.Fatalf("the answers do not hold %q", oldnew[i])
		}
		text = strings.Replace(text, oldnew[i], oldnew[i+1], 1)
	}
	path := filepath.Join(st.dir, "edited.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		st.t.Fatal(err)
	}
	return path
}

// noSecrets looks for every secret that ever lived in everything that was printed or left behind.
func (st *site) noSecrets() {
	if leak := st.findSecret(); leak != "" {
		st.t.Errorf("a secret was found in %s", leak)
	}
}

// findSecret names the first place that holds a secret; empty when there is none.
func (st *site) findSecret() string {
	secrets := append(st.s.Secrets(), st.env["TYPED"])
	holds := func(b []byte) bool {
		for _, s := range secrets {
			if s != "" && bytes.Contains(b, []byte(s)) {
				return true
			}
		}
		return false
	}
	if holds(st.printed.Bytes()) {
		return "the output"
	}
	for _, r := range st.s.Requests() {
		if holds([]byte(r.Path)) {
			return "the path of a request"
		}
	}
	found := ""
	_ = filepath.WalkDir(st.state, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err == nil && holds(raw) {
			found = path
		}
		return err
	})
	return found
}
