//go:build full && linux

package trust

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needed gives the path of a program. Where it is missing, the test is skipped loudly; in CI, where .ci/run installs it, it fails.
func needed(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: .ci/run installs it", names[0])
	}
	t.Skipf("SKIPPED: %s is not installed, so LocalMachine\\Root was not tested at all", names[0])
	return ""
}

// wine is a Windows of this test's own.
type wine struct {
	t           *testing.T
	program     string
	server, dir string
	env         []string
}

func newWine(t *testing.T) *wine {
	t.Helper()
	w := &wine{t: t, program: needed(t, "/usr/lib/wine/wine64", "wine64", "wine"), server: needed(t, "/usr/lib/wine/wineserver64", "wineserver"), dir: t.TempDir()}
	as, ld := needed(t, "x86_64-w64-mingw32-as"), needed(t, "x86_64-w64-mingw32-ld")
	w.env = []string{
		"PATH=/usr/bin:/bin", "HOME=" + w.dir, "WINEPREFIX=" + filepath.Join(w.dir, "prefix"), "WINEDEBUG=-all",
		// Neither .NET nor a browser is offered for installation, and nothing is put into menus.
		"WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=d",
	}
	t.Cleanup(func() { _, _ = w.run(w.server, "-k"); _, _ = w.run(w.server, "-w") }) // of this prefix only
	w.must(w.program, "wineboot", "--init")
	// Go asks bcryptprimitives.dll for random bytes, which wine 8 does not have: here, an older function gives them.
	def, empty := filepath.Join(w.dir, "shim.def"), filepath.Join(w.dir, "empty")
	must(t, os.WriteFile(def, []byte("LIBRARY bcryptprimitives.dll\nEXPORTS\n ProcessPrng = advapi32.SystemFunction036\n"), 0o600))
	must(t, os.WriteFile(empty+".s", nil, 0o600))
	w.must(as, "-o", empty+".o", empty+".s")
	w.must(ld, "-shared", "--entry", "0", "-o", filepath.Join(w.dir, "prefix/drive_c/windows/system32/bcryptprimitives.dll"), def, empty+".o")
	return w
}

func (w *wine) run(program string, args ...string) (string, error) {
	c := exec.CommandContext(context.WithoutCancel(w.t.Context()), program, args...) // also from a cleanup, when the test's context has ended
	// Into a file: services of wine inherit the output and outlive the program, and a pipe would wait for them.
	said, err := os.CreateTemp(w.dir, "said")
	must(w.t, err)
	defer func() { _ = said.Close() }()
	c.Env, c.Dir, c.Stdout, c.Stderr = w.env, w.dir, said, said
	err = c.Run()
	out, readErr := os.ReadFile(said.Name())
	return string(out), errors.Join(err, readErr)
}

func (w *wine) must(program string, args ...string) string {
	w.t.Helper()
	out, err := w.run(program, args...)
	if err != nil {
		w.t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return out
}

// TestStoreOnWine adds, finds and removes a certificate in LocalMachine\Root, each by a process of its own. Wine is not Windows:
// rights and the dialogs of Windows are not there.
func TestStoreOnWine(t *testing.T) {
	w := newWine(t)
	binary := filepath.Join(w.dir, "trust.test.exe")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	path := filepath.Join(w.dir, "root.pem")
	must(t, os.WriteFile(path, []byte(inPEM(issue(t, caTemplate("Contoso Root CA"), nil))), 0o600))
	w.env = append(w.env, `NPSETUP_STORE_CERTIFICATE=Z:`+strings.ReplaceAll(path, "/", `\`))
	if out, err := w.run(w.program, binary, "-test.run", "^TestLocalMachineMy$", "-test.v"); err != nil || !strings.Contains(out, "--- PASS: TestLocalMachineMy") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, part := range []string{"gone", "add", "find", "remove", "gone", "add by other means", "keep", "remove all the same", "gone"} {
		w.env = append(w.env, "NPSETUP_STORE_PART="+part)
		out, err := w.run(w.program, binary, "-test.run", "^TestLocalMachineRoot$", "-test.v")
		if err != nil || !strings.Contains(out, part+": ") || !strings.Contains(out, "--- PASS: TestLocalMachineRoot") {
			t.Fatalf("%s: %v\n%s", part, err, out)
		}
	}
}
