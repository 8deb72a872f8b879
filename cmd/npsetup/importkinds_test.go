package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// TestImportDescribesBothKindsOfPolicy finds nothing to do, whichever kinds there are, and agrees to no rotation that has not happened.
func TestImportDescribesBothKindsOfPolicy(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"credential", "both"} {
		st := newSite(t, sandbox.Options{SessionDelay: 50 * time.Millisecond})
		st.lend(kind, "apply", "--yes").want(t, exitPerson)
		st.person()
		st.lend(kind, "apply", "--yes", "--done", allManual).want(t, exitOK)
		changed := st.changes()
		out := filepath.Join(st.dir, "imported.yaml")
		r := st.imports(out).want(t, exitOK)
		says(t, r.out, "found    access policy Netwrix Auditor (credential)", `found    accounts CONTOSO\svc-auditor`)
		if strings.Contains(r.out, "differs ") {
			t.Errorf("something is said to differ:\n%s", r.out)
		}
		says(t, st.read(out), `kind: "`+kind+`"`, `"rotate-password"`, "it is in force on the server already")
		st.elsewhere("plan", "-f", out).want(t, exitOK)
		if st.changes() != changed {
			t.Error("something was changed")
		}
		// An account that was put in without a rotation: the file does not agree to one.
		if err := st.s.Drift("credentials", "svc-auditor", map[string]any{"rotationType": 0, "passwordStatus": 0, "lastPasswordChangeDateTimeUtc": nil}); err != nil {
			t.Fatal(err)
		}
		again := filepath.Join(st.dir, "again.yaml")
		says(t, st.imports(again).want(t, exitOK).out, "the risk rotate-password is not accepted here", "apply would rotate it")
		if strings.Contains(st.read(again), `"rotate-password"`) {
			t.Error("the file agrees to a rotation")
		}
		says(t, st.elsewhere("plan", "-f", again).want(t, exitUsage).err, "missing consent: rotate-password")
	}
}

// TestImportDescribesAVault: what NPS has of Password Secure; what it does not tell comes from a file, or is told to be missing.
func TestImportDescribesAVault(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.hands()
	st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK)
	changed := st.changes()
	out := filepath.Join(st.dir, "imported.yaml")
	r := st.elsewhere("import", "-f", st.answers(), "--out", out).want(t, exitOK)
	says(t, r.out, "found    integration connector NPS Password to "+st.s.VaultURL(), "found    service account NPS Password", "found    activity Password Secure Logon", "found    access policy Password Secure (resource)", `found    users CONTOSO\npsadmin`)
	if strings.Contains(r.out, "differs ") || strings.Contains(r.out, "open ") {
		t.Errorf("something is said to differ, or to be open:\n%s", r.out)
	}
	says(t, st.read(out), `apiKey: "env:PASSWORD_SECURE_API_KEY"`, `loginAccountTemplate: "CONTOSO\\app-admin"`, "existing: true", `users: ["CONTOSO\\npsadmin"]`)
	st.elsewhere("plan", "-f", out).want(t, exitOK)
	st.elsewhere("verify", "-f", out).want(t, exitOK)
	if st.changes() != changed {
		t.Error("something was changed")
	}
	bare := filepath.Join(st.dir, "bare.yaml")
	r = st.imports(bare, "--guide", "password-secure").want(t, exitOK)
	says(t, r.out, "NPS does not tell the version of Password Secure", "answers are missing")
	if strings.Count(r.out, "passwordSecure.version") != 1 || strings.Count(st.read(bare), "under passwordSecure.version") != 1 {
		t.Errorf("the gap is told twice:\n%s", r.out)
	}
	says(t, st.elsewhere("verify", "-f", bare).want(t, exitUsage).err, "(passwordSecure.version): missing", "(passwordSecure.apiKey): missing")
	says(t, st.imports(filepath.Join(st.dir, "other.yaml"), "--guide", "password-secure", "--connector", "Other").want(t, exitUsage).err, "named Other")
	none := newVaultSite(t, sandbox.Options{})
	says(t, none.imports(filepath.Join(none.dir, "none.yaml"), "--guide", "password-secure").want(t, exitFailed).err, "NPS has no integration connector to Password Secure")
	less := newVaultSite(t, sandbox.Options{API: "documented"})
	says(t, less.imports(filepath.Join(less.dir, "less.yaml"), "--guide", "password-secure").want(t, exitFailed).err, "cannot be read", "npsetup schema")
}

// TestImportOfWhatNoSessionHasProven: that nothing has proven the set-up is open, and no difference.
func TestImportOfWhatNoSessionHasProven(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.hands()
	out := filepath.Join(st.dir, "imported.yaml")
	r := st.elsewhere("import", "-f", st.answers(), "--out", out).want(t, exitOK)
	says(t, r.out, "open     no session has proven it yet: npsetup apply -f FILE opens one")
	if strings.Contains(r.out, "differs ") {
		t.Errorf("a missing session is said to differ:\n%s", r.out)
	}
}
