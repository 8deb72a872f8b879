package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// bash finds what a script needs. In CI it must be there; elsewhere the test is skipped, and says so.
func bash(t *testing.T) string {
	t.Helper()
	path := ""
	for _, name := range []string{"curl", "jq", "bash"} {
		var err error
		if path, err = exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed: .ci/run installs it", name)
			}
			t.Skipf("SKIPPED: %s is not installed, so this was not tested", name)
		}
	}
	return path
}

// token signs in as the administrator does in a browser.
func (st *site) token() string {
	st.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		st.t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	token := ""
	cr := st.s.Credentials()
	for _, step := range []struct {
		path string
		body any
	}{{"signinBody", map[string]string{"Login": cr.User, "Password": cr.Password}}, {"signin2fa", st.authenticator(time.Now())}} {
		raw, err := json.Marshal(step.body)
		if err != nil {
			st.t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(st.t.Context(), http.MethodPost, st.s.URL()+step.path, bytes.NewReader(raw))
		if err != nil {
			st.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := c.Do(req)
		if err != nil {
			st.t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(answer, &token) != nil {
			st.t.Fatalf("%s: %d %v", step.path, resp.StatusCode, err)
		}
	}
	return token
}

// scripted is one run of a script.
type scripted struct {
	code int
	said string
	argv string // every argument of every curl and jq that it started
}

// runScript runs a script with a token, and watches the argument lists.
func (st *site) runScript(script, token string) scripted {
	st.t.Helper()
	shell := bash(st.t)
	dir := st.t.TempDir()
	argv := filepath.Join(dir, "argv")
	for _, tool := range []string{"curl", "jq"} {
		real, err := exec.LookPath(tool)
		if err != nil {
			st.t.Fatal(err)
		}
		spy := "#!" + shell + "\nprintf '%s\\n' \"$0\" \"$@\" >>'" + argv + "'\nprintenv >>'" + argv + "'\nexec '" + real + "' \"$@\"\n"
		if err := os.WriteFile(filepath.Join(dir, tool), []byte(spy), 0o700); err != nil {
			st.t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		st.t.Fatal(err)
	}
	inside := filepath.Join(dir, "tmp")
	if err := os.Mkdir(inside, 0o700); err != nil {
		st.t.Fatal(err)
	}
	var said bytes.Buffer
	c := exec.CommandContext(st.t.Context(), shell, file)
	c.Dir, c.Stderr = inside, &said
	c.Env = append([]string{"PATH=" + dir + ":" + os.Getenv("PATH"), "TMPDIR=" + inside, "NPS_TOKEN=" + token, "HOME=" + dir}, st.scriptEnv...)
	out, err := c.Output()
	if len(out) > 0 {
		st.t.Errorf("a script prints %q", out)
	}
	if c.ProcessState == nil {
		st.t.Fatal(err)
	}
	if left, err := os.ReadDir(inside); err != nil || len(left) > 0 {
		st.t.Errorf("a script left %v behind, %v", left, err)
	}
	st.printed.Write(said.Bytes())
	raw, err := os.ReadFile(argv)
	if err != nil && c.ProcessState.ExitCode() == 0 {
		st.t.Error(err)
	}
	return scripted{c.ProcessState.ExitCode(), said.String(), string(raw)}
}

// anyID and serial are what differs from sandbox to sandbox.
var (
	anyID  = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	serial = regexp.MustCompile(`("certificateSerialNumber":)"[0-9A-F]+"`)
)

// nasty are names that a shell, a JSON reader or a document would take for more than names, as they stand in YAML.
const nasty = `it's $(touch x) ${HOME} ` + "`id`" + ` \"q\" \\ | <b> [a](b) *x* Ünö\nnext\tline %s PLACE0Z !!`

// called gives the objects of a plan other names.
func called(policy string) []string {
	quoted := func(s string) string { return `"` + strings.Replace(nasty, "%s", s, 1) + `"` }
	return []string{
		"  name: Netwrix Auditor\n", "  name: " + quoted("profile") + "\n",
		"name: Netwrix Auditor (resource)", "name: " + quoted(policy),
		"activity: Netwrix Auditor Domain Admin", "activity: " + quoted("activity"),
	}
}

// TestTheScriptDoesWhatApplyDoes runs the script of plan --output curl, and compares with what apply made elsewhere.
func TestTheScriptDoesWhatApplyDoes(t *testing.T) {
	t.Parallel()
	for name, edits := range map[string][]string{
		"names of the guide": {"resources: [dc01.contoso.com]", "resources: [dc01.contoso.com, app01.contoso.com]"},
		"nasty names":        called("policy"),
		"authorities":        {"trust: pin:", "trust: \"ca:ca.pem\" #"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bash(t)
			applied := newSite(t, sandbox.Options{})
			st := newSite(t, sandbox.Options{})
			applied.do("apply", "-f", applied.edited(edits...), "--yes").want(t, exitPerson)
			r := st.do("plan", "-f", st.edited(edits...), "--output", "curl").want(t, exitPending)
			if st.changes() != 0 || !strings.Contains(r.err, "NPS_TOKEN") || !strings.Contains(r.err, "sessionStorage") {
				t.Fatalf("%d changes, %s", st.changes(), r.err)
			}
			token := st.token()
			run := st.runScript(r.out, token)
			if run.code != 0 {
				t.Fatalf("exit %d\n%s\n%s", run.code, run.said, r.out)
			}
			if name == "nasty names" && !strings.Contains(st.canonical(), `\nnext\tline policy`) {
				t.Error("the names are not the nasty ones")
			}
			if a, b := applied.canonical(), st.canonical(); a != b {
				t.Errorf("apply and the script made: %s", unlike(a, b))
			}
			if strings.Contains(run.argv, token) || !strings.Contains(run.argv, "--config") {
				t.Error("an argument list or the environment of a program holds the token, or nothing was watched")
			}
			if strings.Contains(run.said, token) || strings.Contains(r.out, token) || !strings.Contains(run.said, "by hand") {
				t.Errorf("it says %s", run.said)
			}
			if a, b := sent(applied), sent(st); !slices.Equal(a, b) {
				t.Errorf("apply sent\n%s\nthe script sent\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
			}
			made := len(st.s.Requests())
			if again := st.runScript(r.out, token); again.code != 0 || !strings.Contains(again.said, "is there already") {
				t.Errorf("run again: exit %d, %s", again.code, again.said)
			}
			for _, q := range st.s.Requests()[made:] {
				if q.Method == http.MethodPost {
					t.Errorf("run again, it sends POST %s", q.Path)
				}
			}
			if a, b := applied.canonical(), st.canonical(); a != b {
				t.Errorf("run again, it changes what is there: %s", unlike(a, b))
			}
		})
	}
}

// sent lists the changing requests without what differs from server to server.
func sent(st *site) []string {
	var list []string
	for _, r := range st.s.Requests() {
		if r.Class == "change" {
			text := anyID.ReplaceAllString(r.Method+" "+r.Path+" "+string(compact(st.t, r.Body)), "ID")
			list = append(list, serial.ReplaceAllString(text, "$1"))
		}
	}
	slices.Sort(list) // apply sends independent ones side by side
	return list
}

// unlike lists the lines in which two texts differ.
func unlike(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	var list []string
	for i := 0; i < max(len(x), len(y)) && len(list) < 20; i++ {
		line := func(of []string) string {
			if i < len(of) {
				return of[i]
			}
			return "(nothing)"
		}
		if line(x) != line(y) {
			list = append(list, "- "+line(x), "+ "+line(y))
		}
	}
	return "\n" + strings.Join(list, "\n")
}
