package trust

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"npsetup/steps/problem"
)

func loaded(t *testing.T, dir string) *Seen {
	t.Helper()
	s, err := LoadSeen(dir)
	must(t, err)
	return s
}

func TestSeen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "npsetup")
	s := loaded(t, dir)
	if sight, _ := s.Look(host, "6500", hex64); sight != New {
		t.Error(sight)
	}
	must(t, s.Save()) // nothing changed, nothing is written
	if _, err := os.Stat(dir); err == nil {
		t.Error("an empty list was written")
	}
	must(t, s.Remember("NPS.contoso.com.", "6500", Cert{SHA256: strings.ToUpper(hex64)}, today))
	must(t, s.Save())

	s = loaded(t, dir)
	for _, c := range []struct {
		host, port, sha string
		want            Sight
	}{
		{host, "6500", hex64, Same},
		{"nps.CONTOSO.com", "6500", strings.ToUpper(hex64), Same},
		{host, "443", hex64, New},
		{"other", "6500", hex64, New},
		{host, "6500", strings.Repeat("f", 64), Changed},
	} {
		sight, before := s.Look(c.host, c.port, c.sha)
		if sight != c.want {
			t.Errorf("%s:%s: %s, not %s", c.host, c.port, sight, c.want)
		}
		if c.want == Changed && (before.SHA256 != hex64 || !before.FirstSeen.Equal(today)) {
			t.Errorf("the earlier one is %+v", before)
		}
	}
	must(t, s.Remember(host, "6500", Cert{SHA256: hex64, NotAfter: today.AddDate(1, 0, 0), Subject: "CN=nps"}, today.Add(time.Hour)))
	if _, before := s.Look(host, "6500", hex64); !before.FirstSeen.Equal(today) || before.Subject != "CN=nps" || !before.NotAfter.Equal(today.AddDate(1, 0, 0)) {
		t.Errorf("the first sight moved, or what was missing was not added: %+v", before)
	}
	if err := s.Remember(host, "6500", Cert{SHA256: "abc"}, today); err == nil {
		t.Error("half a fingerprint was taken")
	}
}

// TestSeenBySeveralAtOnce: nobody drops what another adds at the same moment.
func TestSeenBySeveralAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	var all sync.WaitGroup
	const many = 20
	for i := range many {
		all.Go(func() {
			s, err := LoadSeen(dir)
			if err == nil {
				err = s.Remember("host", strconv.Itoa(i), Cert{SHA256: hex64}, today)
			}
			if err = errors.Join(err, s.Save()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := loaded(t, dir)
	for i := range many {
		if sight, _ := s.Look("host", strconv.Itoa(i), hex64); sight != Same {
			t.Errorf("host:%d was dropped", i)
		}
	}
}

func TestSeenKeepsWhatAnotherRunWrote(t *testing.T) {
	dir := t.TempDir()
	a, b := loaded(t, dir), loaded(t, dir)
	must(t, a.Remember("a", "1", Cert{SHA256: hex64}, today))
	must(t, b.Remember("b", "1", Cert{SHA256: hex64}, today))
	must(t, a.Save())
	must(t, b.Save())
	s := loaded(t, dir)
	for _, h := range []string{"a", "b"} {
		if sight, _ := s.Look(h, "1", hex64); sight != Same {
			t.Errorf("%s is lost", h)
		}
	}
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 2 || left[0].Name() != SeenFile || left[1].Name() != SeenFile+".lock" {
		t.Errorf("left behind: %v", left)
	}
	if info, _ := os.Stat(filepath.Join(dir, SeenFile)); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode())
	}
}

func TestSeenIsNeverForgottenSilently(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "damaged": "{", "version": `{"version":2,"hosts":{}}`, "pin": `{"version":1,"hosts":{"a\u001b:1":{"sha256":"00"}}}`, "large": strings.Repeat(" ", 1<<20+1),
	} {
		dir := t.TempDir()
		s := loaded(t, dir)
		must(t, s.Remember("a", "1", Cert{SHA256: hex64}, today))
		path := filepath.Join(dir, SeenFile)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := LoadSeen(dir)
		wantProblem(t, err, problem.Failed, "cannot be used", "move the file away")
		if strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %q", name, err)
		}
		if err := s.Save(); err == nil {
			t.Errorf("%s: overwritten", name)
		}
		if now, _ := os.ReadFile(path); string(now) != text {
			t.Errorf("%s: changed", name)
		}
	}
	if _, err := LoadSeen(file(t, "x", "")); err == nil && runtime.GOOS != "windows" {
		t.Error("a state folder that is a file")
	}
}
