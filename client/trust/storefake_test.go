package trust

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // a thumbprint
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// machine is an operating system in a folder. Its tools do what the real ones do to the files that npsetup reads.
type machine struct {
	t      testing.TB
	root   string
	os     string // debian, redhat, macos
	calls  []string
	fail   string            // the part of a command line that fails
	chain  map[string][]byte // macOS: SHA-1 in upper case → PEM in the keychain
	system string            // PEM that comes with the operating system
}

var osReleases = map[string]string{
	"debian": "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n",
	"redhat": "NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
}

func newMachine(t testing.TB, os string) *machine {
	m := &machine{t: t, root: t.TempDir(), os: os, chain: map[string][]byte{}}
	if text, is := osReleases[os]; is {
		m.write("etc/os-release", text)
	}
	switch os {
	case "debian":
		m.write("usr/sbin/update-ca-certificates", "")
		m.write("etc/ca-certificates.conf", "mozilla/One.crt\n")
		m.write("usr/local/share/ca-certificates/others.crt", "")
	case "redhat":
		m.write("usr/bin/update-ca-trust", "")
		m.write("etc/pki/ca-trust/source/anchors/others.crt", "")
	}
	return m
}

func (m *machine) write(path, text string) {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	must(m.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(m.t, os.WriteFile(path, []byte(text), 0o644))
}

func (m *machine) open() *Store {
	m.t.Helper()
	s, err := OpenStore(m.values())
	must(m.t, err)
	return s
}

func (m *machine) values() Machine {
	goos := "linux"
	if m.os == "macos" {
		goos = "darwin"
	}
	return Machine{GOOS: goos, Root: m.root, Run: m.run, Elevated: func() bool { return true }}
}

// run stands for the tools.
func (m *machine) run(_ context.Context, program string, args ...string) ([]byte, error) {
	line := strings.ReplaceAll(strings.Join(append([]string{program}, args...), " "), m.root, "")
	m.calls = append(m.calls, line)
	if m.fail != "" && strings.Contains(line, m.fail) {
		return nil, errors.New(program + ": exit status 1: as the test wants it")
	}
	switch m.os {
	case "debian":
		return nil, m.collect("usr/local/share/ca-certificates", ".crt", "etc/ssl/certs/ca-certificates.crt")
	case "redhat":
		return nil, m.collect("etc/pki/ca-trust/source/anchors", "", "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")
	}
	return m.security(args)
}

func (m *machine) collect(folder, suffix, bundle string) error {
	all := bytes.NewBufferString(m.system)
	entries, err := os.ReadDir(filepath.Join(m.root, folder))
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			raw, _ := os.ReadFile(filepath.Join(m.root, folder, e.Name()))
			all.WriteString("# " + e.Name() + "\n")
			all.Write(raw)
		}
	}
	m.write(bundle, all.String())
	return err
}

func (m *machine) security(args []string) ([]byte, error) {
	switch args[0] {
	case "find-certificate":
		var all []byte
		for _, c := range m.chain {
			all = append(all, c...)
		}
		return all, nil
	case "add-trusted-cert":
		raw, err := os.ReadFile(args[len(args)-1])
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(raw)
		m.chain[strings.ToUpper(sha1Of(block.Bytes))] = raw
	case "remove-trusted-cert":
		_, err := os.Stat(args[len(args)-1])
		return nil, err
	case "delete-certificate":
		if _, is := m.chain[args[2]]; !is {
			return nil, errors.New("Unable to delete certificate matching \"" + args[2] + "\"")
		}
		delete(m.chain, args[2])
	}
	return nil, nil
}

// trusts adds a certificate by other means than npsetup's.
func (m *machine) trusts(c identity) {
	m.t.Helper()
	text := inPEM(c)
	switch m.os {
	case "debian":
		m.write("usr/local/share/ca-certificates/others.crt", text)
	case "redhat":
		m.write("etc/pki/ca-trust/source/anchors/others.crt", text)
	case "macos":
		m.chain[strings.ToUpper(sha1Of(c.cert.Raw))] = []byte(text)
		return
	}
	_, err := m.run(m.t.Context(), "by hand")
	must(m.t, err)
	m.calls = nil
}

// files lists what is in the machine, with contents.
func (m *machine) files() map[string]string {
	m.t.Helper()
	all := map[string]string{}
	must(m.t, filepath.WalkDir(m.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, m.root)] = string(raw)
		return err
	}))
	return all
}

// changed lists the tool calls that do more than look, and forgets all.
func (m *machine) changed() []string {
	calls := slices.DeleteFunc(m.calls, func(line string) bool { return strings.Contains(line, "find-certificate") })
	m.calls = nil
	return calls
}

func sha1Of(der []byte) string {
	sum := sha1.Sum(der) //nolint:gosec // a thumbprint
	return hex.EncodeToString(sum[:])
}
