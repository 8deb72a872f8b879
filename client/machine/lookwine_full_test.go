//go:build full && linux

package machine

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
	t.Skipf("SKIPPED: %s is not installed, so the look at services and programs of Windows was not tested at all", names[0])
	return ""
}

// started runs a program in a Windows of this test's own. Its output goes into a file: services of wine inherit it and outlive the program.
func started(t *testing.T, dir string, program string, args ...string) (string, error) {
	t.Helper()
	said, err := os.CreateTemp(dir, "said")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = said.Close() }()
	c := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...) // also from a cleanup
	c.Env = []string{
		"PATH=/usr/bin:/bin", "HOME=" + dir, "WINEPREFIX=" + filepath.Join(dir, "prefix"), "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=d", "NPSETUP_LOOK=yes",
	}
	c.Dir, c.Stdout, c.Stderr = dir, said, said
	err = c.Run()
	out, readErr := os.ReadFile(said.Name())
	return string(out), errors.Join(err, readErr)
}

// TestLookOnWine lists the services and programs of wine, which is not Windows: the services of Netwrix are not there.
func TestLookOnWine(t *testing.T) {
	wine, server := needed(t, "/usr/lib/wine/wine64", "wine64", "wine"), needed(t, "/usr/lib/wine/wineserver64", "wineserver")
	as, ld := needed(t, "x86_64-w64-mingw32-as"), needed(t, "x86_64-w64-mingw32-ld")
	dir := t.TempDir()
	t.Cleanup(func() { _, _ = started(t, dir, server, "-k"); _, _ = started(t, dir, server, "-w") }) // of this prefix only
	binary, def, empty := filepath.Join(dir, "machine.test.exe"), filepath.Join(dir, "shim.def"), filepath.Join(dir, "empty")
	// Go asks bcryptprimitives.dll for random bytes, which wine 8 does not have: here, an older function gives them.
	for path, text := range map[string]string{def: "LIBRARY bcryptprimitives.dll\nEXPORTS\n ProcessPrng = advapi32.SystemFunction036\n", empty + ".s": ""} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][]string{{wine, "wineboot", "--init"}, {as, "-o", empty + ".o", empty + ".s"}, {ld, "-shared", "--entry", "0", "-o", filepath.Join(dir, "prefix/drive_c/windows/system32/bcryptprimitives.dll"), def, empty + ".o"}} {
		if out, err := started(t, dir, c[0], c[1:]...); err != nil {
			t.Fatalf("%q: %v\n%s", c, err, out)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := started(t, dir, wine, binary, "-test.run", "^TestWindowsTells$", "-test.v")
	if err != nil || !strings.Contains(out, "--- PASS: TestWindowsTells") {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Log(out)
}
