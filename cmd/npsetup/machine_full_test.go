//go:build full && unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// short is the real binary with an environment of its own and a bound of open files; 0: none.
func (st *site) short(t *testing.T, files int, env []string, stdin string, args ...string) result {
	t.Helper()
	c := st.process(t, args...)
	if files > 0 {
		c.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, files), c.Path}, c.Args[1:]...)
		c.Path = "/bin/sh"
	}
	c.Env = append(c.Env, env...)
	var out, errs strings.Builder
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	r := result{code: code(c.Run()), out: out.String(), err: errs.String()}
	st.printed.WriteString(r.out + r.err)
	return r
}

// TestFewOpenFiles gives the real binary fewer and fewer open files: with 32 everything works. With less it works, or ends with a sentence that
// says what to allow; then nothing is half-written, and resume ends in the state of an undisturbed run.
func TestFewOpenFiles(t *testing.T) {
	var c tally
	want, _ := undisturbed(t, sandbox.Options{})
	for _, files := range []int{32, 24, 16, 14, 12, 10, 8} {
		kind := "apply with fewer"
		if files == 32 {
			kind = "apply with 32 open files"
		}
		c.in(t, kind, func(t *testing.T) {
			st := newSite(t, sandbox.Options{})
			r := st.short(t, files, nil, "", "apply", "-f", st.answers(), "--yes")
			if r.code != exitPerson {
				if files == 32 {
					t.Errorf("exit %d\n%s", r.code, r.err)
				}
				says(t, r.want(t, exitFailed).err, "too many open files", "ulimit -n 256")
			}
			if half := halfWritten(contents(t, st.state)); len(half) > 0 {
				t.Errorf("it leaves %v", half)
			}
			st.short(t, 0, nil, "", "resume", "-f", st.answers(), "--yes").want(t, exitPerson)
			if got := st.canonical(); got != want {
				t.Errorf("another end state:\n%s\nwant\n%s", got, want)
			}
		})
	}
	st := newSite(t, sandbox.Options{})
	file := filepath.Join(t.TempDir(), "plan.json")
	for kind, one := range map[string]struct {
		stdin string
		args  []string
		code  int
	}{
		"plan":                {"", []string{"plan", "-f", st.answers(), "--out", file}, exitPending},
		"doctor":              {"", []string{"doctor", "-f", st.answers()}, exitOK},
		"demo, unattended":    {"", []string{"demo"}, exitOK},
		"wizard line by line": {"auditor\n?\nq\n", []string{"--plain", "-f", st.answers()}, exitCancelled},
	} {
		c.in(t, "other commands with 32 open files", func(t *testing.T) {
			r := st.short(t, 32, nil, one.stdin, one.args...)
			if r.code != one.code || strings.Contains(r.err, "too many open files") {
				t.Errorf("%s: exit %d, want %d\n%s\n%s", kind, r.code, one.code, r.out, r.err)
			}
		})
	}
	asTold(t, "open-files", c.table())
}

// TestOddSurroundings runs the real binary in other languages, on other terminals and without a home. What it says goes by none of them: a
// dotless i least of all.
func TestOddSurroundings(t *testing.T) {
	var c tally
	st := newSite(t, sandbox.Options{})
	file := filepath.Join(st.dir, "capitals.yaml")
	if err := os.Rename(st.edited("https://", "HTTPS://", "CONTOSO", "contoso"), file); err != nil {
		t.Fatal(err)
	}
	commands := [][]string{{"plan", "-f", st.answers()}, {"plan", "-f", st.answers(), "--output", "json"}, {"plan", "-f", file}, {"validate", "-f", st.edited("kind: resource", "kind: RESOURCE")}, {"explain", "disk-full"}, {"INFO"}}
	said := func(t *testing.T, env ...string) []result {
		var all []result
		for _, args := range commands {
			all = append(all, st.short(t, 0, env, "", args...))
		}
		return all
	}
	usual := said(t, "LANG=C.UTF-8", "TERM=xterm-256color")
	if usual[0].code != exitPending || usual[2].code != exitPending || usual[4].code != exitOK {
		t.Fatalf("%+v", usual)
	}
	for _, env := range []string{"LC_ALL=C", "LC_ALL=POSIX", "LC_ALL=tr_TR.UTF-8", "LANG=tr_TR.UTF-8 LC_CTYPE=az_AZ.UTF-8", "LANG=", "LANG=ja_JP.eucJP", "TERM=dumb", "TERM=", "NO_COLOR=1", "CLICOLOR_FORCE=1", "COLUMNS=1 LINES=1", "TZ=Asia/Kathmandu", "TZ=nowhere"} {
		c.in(t, "language, terminal, time zone", func(t *testing.T) {
			if got := said(t, strings.Fields(env)...); !slices.Equal(got, usual) {
				t.Errorf("%s changes what is said:\n%+v\nwant\n%+v", env, got, usual)
			}
		})
	}
	for _, env := range [][]string{{"HOME="}, {"HOME=", "XDG_STATE_HOME="}, {"HOME=", "XDG_STATE_HOME=relative"}} {
		c.in(t, "no home", func(t *testing.T) {
			before := len(st.s.Requests())
			p := st.process(t)
			run := exec.CommandContext(t.Context(), p.Path, "apply", "-f", st.answers(), "--yes")
			run.Env, run.Dir = append(p.Env[1:], env...), t.TempDir()
			out, err := run.CombinedOutput()
			if code(err) != exitUsage { // where to is missing
				t.Errorf("exit %d", code(err))
			}
			says(t, string(out), "there is no place for the run record", "\n  next: ", "--state DIR")
			if left, err := os.ReadDir(run.Dir); err != nil || len(left) > 0 || len(st.s.Requests()) != before {
				t.Errorf("it wrote %v, or sent something: %v", left, err)
			}
		})
	}
	asTold(t, "surroundings", c.table())
}
