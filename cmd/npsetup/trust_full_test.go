//go:build full && linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// realDebian skips loudly where the machine's own trust cannot be changed; in CI it has to be.
func realDebian(t *testing.T) {
	t.Helper()
	why := ""
	release, _ := os.ReadFile("/etc/os-release")
	switch {
	case os.Getuid() != 0:
		why = "this is not root"
	case !strings.Contains(string(release), "debian"):
		why = "this is not Debian"
	default:
		needed(t, "/usr/sbin/update-ca-certificates")
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(why + ": CI tests the trust store of Debian as root")
	}
	t.Skip("SKIPPED: " + why + ", so that curl trusts what was installed was not tested")
}

// trustFiles is what the machine's trust consists of: every name, with what is read by it. Whether a name is a link does not count:
// where a certificate was put by hand, update-ca-certificates makes a link of it. Java's list is told apart by what it holds, since
// each change writes it anew.
func trustFiles(t *testing.T, der []byte) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, folder := range []string{"/etc/ssl/certs", "/usr/local/share/ca-certificates", "/etc/ca-certificates.conf"} {
		err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				raw = []byte(err.Error())
			}
			sum := sha256.Sum256(raw)
			all[path] = hex.EncodeToString(sum[:])
			if strings.HasSuffix(path, "/java/cacerts") {
				all[path] = fmt.Sprintf("holds it: %t", bytes.Contains(raw, der))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestTrustOfDebian makes the real machine trust the sandbox's authority, which may speak for loopback only, and takes it back.
func TestTrustOfDebian(t *testing.T) {
	realDebian(t)
	curl := needed(t, "curl")
	st := newSite(t, sandbox.Options{})
	ca, root := rootOf(t, st)
	raw, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	asks := func() error {
		c := exec.CommandContext(t.Context(), curl, "-sS", "-o", "/dev/null", st.s.URL())
		c.Env = []string{"PATH=/usr/bin:/bin"}
		out, err := c.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	run := func(want int, args ...string) string {
		t.Helper()
		out, err := st.process(t, append([]string{"trust"}, args...)...).CombinedOutput()
		st.printed.Write(out)
		if got := code(err); got != want {
			t.Fatalf("%q ended with %d: %v\n%s", args, got, err, out)
		}
		return string(out)
	}
	// Whatever happens, the machine is left as it was.
	before := trustFiles(t, block.Bytes)
	t.Cleanup(func() {
		if _, err := os.Lstat("/usr/local/share/ca-certificates/npsetup-" + root.SHA1 + ".crt"); err == nil {
			_ = os.Remove("/usr/local/share/ca-certificates/npsetup-" + root.SHA1 + ".crt")
			_ = exec.Command("/usr/sbin/update-ca-certificates", "--fresh").Run()
		}
	})
	if err := asks(); err == nil {
		t.Fatal("curl trusts the sandbox already: this would test nothing")
	}
	run(exitPending, "install", st.s.URL(), "--dry-run")
	run(exitUsage, "install", st.s.URL(), "--yes")
	if now := trustFiles(t, block.Bytes); !maps.Equal(before, now) {
		t.Fatal(different(before, now))
	}
	holds(t, "install", run(exitOK, "install", st.s.URL(), "--yes", "--sha256", root.SHA256), "done read back: this machine trusts")
	if err := asks(); err != nil {
		t.Errorf("installed, and curl does not trust it: %v", err)
	}
	holds(t, "show", run(exitOK, "show", st.s.URL()), "verified      yes")
	during := trustFiles(t, block.Bytes)
	holds(t, "a second install", run(exitOK, "install", ca, "--yes"), "unchanged", "it is trusted already")
	if now := trustFiles(t, block.Bytes); !maps.Equal(during, now) {
		t.Error(different(during, now))
	}
	holds(t, "remove", run(exitOK, "remove", root.SHA1, "--yes"), "done read back: this machine does not trust")
	if err := asks(); err == nil {
		t.Error("removed, and curl trusts it still")
	}
	if now := trustFiles(t, block.Bytes); !maps.Equal(before, now) {
		t.Errorf("the machine is not as it was: %s", different(before, now))
	}
}

func different(a, b map[string]string) string {
	var list []string
	for path, sum := range a {
		if b[path] != sum {
			list = append(list, path+": "+sum+" → "+b[path])
		}
	}
	for path := range b {
		if _, is := a[path]; !is {
			list = append(list, path+" is new")
		}
	}
	return strings.Join(list, "\n")
}
