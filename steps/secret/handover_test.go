package secret_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"npsetup/steps/secret"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestHandOverToAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := secret.HandOver(secret.New(marker), secret.ToFile(path)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil || string(raw) != marker+"\n" {
		t.Fatalf("%q %v", raw, err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

func TestHandOverNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dangling); err != nil {
		t.Skip("SKIPPED: symbolic links cannot be made, so it was not tested that none is written through: ", err)
	}
	before := names(t, dir)
	for _, p := range []string{path, dangling, dir} {
		err := secret.HandOver(secret.New(marker), secret.ToFile(p))
		if err == nil || !strings.Contains(err.Error(), "exists already") || strings.Contains(err.Error(), marker) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if raw, err := os.ReadFile(path); err != nil || string(raw) != "mine" {
		t.Errorf("%q %v", raw, err)
	}
	if got := names(t, dir); strings.Join(got, " ") != strings.Join(before, " ") {
		t.Errorf("before %v, after %v", before, got)
	}
}

// Of several who hand over to one file at a time, one succeeds, and its value is there whole.
func TestHandOverHasOneWinner(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	values := []string{"value-one", "value-two", "value-three", "value-four"}
	errs := make([]error, len(values))
	var wg sync.WaitGroup
	for i, v := range values {
		wg.Go(func() { errs[i] = secret.HandOver(secret.New(v), secret.ToFile(path)) })
	}
	wg.Wait()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	won := 0
	for i, e := range errs {
		if e == nil {
			won++
			if string(raw) != values[i]+"\n" {
				t.Errorf("%s won, the file holds %q", values[i], raw)
			}
		}
	}
	if won != 1 || len(names(t, dir)) != 1 {
		t.Errorf("%d won, %v is there", won, names(t, dir))
	}
}

func TestHandOverRefusesNothing(t *testing.T) {
	dir := t.TempDir()
	var b bytes.Buffer
	for _, s := range []secret.Secret{{}, secret.New("")} {
		for _, to := range []secret.Recipient{secret.ToFile(filepath.Join(dir, "key")), secret.ToWriter(&b)} {
			if err := secret.HandOver(s, to); err == nil {
				t.Error("an empty secret was handed over")
			}
		}
	}
	if b.Len() != 0 || len(names(t, dir)) != 0 {
		t.Errorf("%q %v", b.String(), names(t, dir))
	}
}

func TestHandOverToAFolderThatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	err := secret.HandOver(secret.New(marker), secret.ToFile(filepath.Join(dir, "no", "key")))
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "no")) || strings.Contains(err.Error(), marker) {
		t.Errorf("%v", err)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestHandOverToAWriter(t *testing.T) {
	var b bytes.Buffer
	if err := secret.HandOver(secret.New(marker), secret.ToWriter(&b)); err != nil || b.String() != marker+"\n" {
		t.Errorf("%q %v", b.String(), err)
	}
	gone := errors.New("the reader went away")
	if err := secret.HandOver(secret.New(marker), secret.ToWriter(broken{gone})); !errors.Is(err, gone) || strings.Contains(err.Error(), marker) {
		t.Errorf("%v", err)
	}
}
