package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// planted is a secret that a server hands out with its rows, as none should; bystander is a value that is nobody's to keep.
const planted, bystander = "Pl4nted-Secret-of-the-server", "by-stand-er"

// plantedBeside are settings with secrets beside them, under every kind of name.
func plantedBeside(set map[string]any) map[string]any {
	all := map[string]any{
		"servicePassword": planted, "API_KEY": planted, "nested": map[string]any{"clientSecret": planted}, "rows": []any{map[string]any{"name": "Access Token", "value": planted}},
		"bystander": bystander,
	}
	maps.Copy(all, set)
	return all
}

// holding lists the files below a folder that hold a text.
func holding(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// keptNowhere runs commands, each of which may print and write nothing of what was planted.
func (st *site) keptNowhere(saved string, commands ...[]string) {
	st.t.Helper()
	for _, args := range commands {
		r := st.do(args...)
		if r.code == exitUsage || r.code == exitFailed {
			st.t.Errorf("%v: exit %d\n%s", args, r.code, r.err)
		}
		if strings.Contains(r.out+r.err, planted) {
			st.t.Errorf("%v prints what was planted", args)
		}
		for _, dir := range []string{st.state, filepath.Dir(saved)} {
			for _, path := range holding(st.t, dir, planted) {
				st.t.Errorf("%v: %s holds what was planted", args, path)
			}
		}
		for _, path := range holding(st.t, st.state, bystander) {
			st.t.Errorf("%v: %s holds a member that nothing was done to", args, path)
		}
	}
}

// TestWhatAServerGivesAwayIsKeptNowhere plants secrets in objects that a run writes back whole, and looks for them in every output and file;
// the server has them afterwards as before. The journal keeps only the members that were set.
func TestWhatAServerGivesAwayIsKeptNowhere(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.state = t.TempDir() // what follows is a run of its own
	objects := map[string]string{"connectionProfiles": "Netwrix Auditor", "activities": "Netwrix Auditor Domain Admin", "applicationUsers": "NetwrixAuditor", "policies": "Netwrix Auditor (resource)"}
	want := st.canonical()
	for kind, set := range map[string]map[string]any{
		"connectionProfiles": {"record": false}, "activities": {"deleteAccount": false}, "applicationUsers": {"samAccountName": "other"}, "policies": {"activityConfigurationId": nil},
	} {
		st.drift(kind, objects[kind], plantedBeside(set))
	}
	before := st.canonical()
	n := strings.Count(before, planted)
	if n != 4*len(objects) {
		t.Fatalf("%d secrets were planted", n)
	}
	saved := filepath.Join(t.TempDir(), "plan.json")
	st.keptNowhere(saved, []string{"plan", "-f", st.answers(), "--out", saved}, []string{"plan", "-f", st.answers(), "--calls"}, []string{"plan", "-f", st.answers(), "--output", "json"},
		[]string{"plan", "-f", st.answers(), "--output", "markdown"}, []string{"plan", "-f", st.answers(), "--output", "curl"}, []string{"verify", "-f", st.answers()},
		[]string{"import", "-f", st.answers(), "--out", filepath.Join(filepath.Dir(saved), "imported.yaml")}, []string{"apply", "-f", st.answers(), "--yes", "--output", "json", "--done", allManual})
	if got := st.canonical(); strings.Count(got, planted) != n || len(got) <= len(want) {
		t.Errorf("the run took secrets away from the server, or changed them:\n%s", got)
	}
	if len(holding(t, st.state, `"body":"{\"record\":true}"`)) != 1 {
		t.Error("the journal does not keep exactly the member of the connection profile that was set")
	}
	st.keptNowhere(saved, []string{"undo", "--dry-run", "--calls"}, []string{"undo", "--dry-run", "--output", "json"}, []string{"undo", "--yes", "--done", allManual})
	if got := st.canonical(); got != before {
		t.Errorf("undo does not end in the state before:\n%s\nwant\n%s", got, before)
	}
}

// TestACopyOfTheDefaultProfileTellsNoSecret: a new profile begins as a copy of another one.
func TestACopyOfTheDefaultProfileTellsNoSecret(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	set := plantedBeside(nil)
	delete(set, "bystander")
	st.drift("connectionProfiles", "Default", set)
	saved := filepath.Join(t.TempDir(), "plan.json")
	st.keptNowhere(saved, []string{"plan", "-f", st.answers(), "--out", saved}, []string{"plan", "-f", st.answers(), "--calls"}, []string{"apply", "-f", st.answers(), "--yes"}, []string{"undo", "--dry-run", "--calls"})
	if n := strings.Count(st.canonical(), planted); n != 8 {
		t.Errorf("the server has %d of the secrets of profile and copy", n)
	}
}

// TestAnotherSecretMakesAPlanStale: somebody changes a secret between the look and the change. It is not written over, and not told.
func TestAnotherSecretMakesAPlanStale(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.drift("activities", "Netwrix Auditor Domain Admin", map[string]any{"deleteAccount": false, "servicePassword": planted})
	once := false
	st.s.OnRequest(func(r sandbox.Request) { // after the look, before the guard's fresh read
		if r.Method == "GET" && r.Path == "/api/v1/Activity" && !once {
			once = true
			_ = st.s.Drift("activities", "Netwrix Auditor Domain Admin", map[string]any{"servicePassword": planted + "-changed"})
		}
	})
	r := st.do("apply", "-f", st.answers(), "--yes").want(t, exitFailed)
	says(t, r.err, "the plan is stale", "servicePassword is another secret")
	if strings.Contains(r.out+r.err, planted) || !strings.Contains(st.canonical(), planted+"-changed") {
		t.Errorf("the secret is told, or written over:\n%s", r.err)
	}
}

// TestTheVaultsSecretsAreKeptNowhere plants them in what the guide for Password Secure writes back whole.
func TestTheVaultsSecretsAreKeptNowhere(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.hands()
	st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK)
	st.state = t.TempDir()
	var named struct {
		ServiceAccounts []struct{ DisplayName string }
		Connectors      []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(st.canonical()), &named); err != nil || len(named.Connectors) != 1 {
		t.Fatalf("%v, %v", named, err)
	}
	st.drift("activities", "Password Secure Logon", plantedBeside(map[string]any{"loginAccountNameFormat": `CONTOSO\other`}))
	st.drift("connectors", named.Connectors[0].Name, plantedBeside(map[string]any{"description": "other"}))
	for _, a := range named.ServiceAccounts {
		st.drift("serviceAccounts", a.DisplayName, plantedBeside(map[string]any{"description": "other"}))
	}
	file := st.edited("description: ''", "description: for the activity")
	saved := filepath.Join(t.TempDir(), "plan.json")
	st.keptNowhere(saved, []string{"plan", "-f", file, "--out", saved}, []string{"plan", "-f", file, "--calls"}, []string{"plan", "-f", file, "--output", "json"},
		[]string{"plan", "-f", file, "--output", "curl"}, []string{"apply", "-f", file, "--yes", "--output", "json", "--done", vaultManual},
		[]string{"undo", "--dry-run", "--calls"})
	var p struct {
		Actions []struct{ Effect, Object string }
	}
	raw, err := os.ReadFile(saved)
	if err = errors.Join(err, json.Unmarshal(raw, &p)); err != nil {
		t.Fatal(err)
	}
	updated := ""
	for _, a := range p.Actions {
		if a.Effect == "update" {
			updated += a.Object + ", "
		}
	}
	if updated != "service account, integration connector, activity, " {
		t.Errorf("what was to be changed: %s", updated)
	}
}
