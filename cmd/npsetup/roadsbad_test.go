package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"npsetup/client/pki"
	"npsetup/client/sandbox"
	"npsetup/steps/auditor"
	"npsetup/steps/secret"
)

// TestKeyTypesAreThoseThatCanBeMade holds the answers to what client/pki makes, preset first.
func TestKeyTypesAreThoseThatCanBeMade(t *testing.T) {
	var can []string
	for _, k := range pki.KeyKinds() {
		can = append(can, string(k))
	}
	if got := strings.Join(auditor.KeyTypes(), " "); got != strings.Join(can, " ") {
		t.Errorf("answers are %s, made can be %s", got, can)
	}
}

// madeSite is a site on which everything of the road new is made, with a cheap key.
func madeSite(t *testing.T) *site {
	t.Helper()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.road("new"), "--yes", "--set", "application.keyType=ecdsa-p256").want(t, exitPerson)
	return st
}

// TestMixedUpFilesAreNotUsed: another folder, another key, another PFX, a wrong passphrase. Nothing is changed.
func TestMixedUpFilesAreNotUsed(t *testing.T) {
	t.Parallel()
	st := madeSite(t)
	other := madeSite(t)
	for _, c := range []struct {
		name string
		mix  func()
		set  []string
		says []string
	}{
		{"another folder", func() {}, []string{"application.folder=file:elsewhere"}, []string{"an earlier run made it at " + st.inFolder(".key"), "application.folder"}},
		{"another key", func() { st.copy(other.inFolder(".key"), st.inFolder(".key")) }, nil, []string{"do not belong together", "move " + st.inFolder(".cer")}},
		{"another PFX", func() { st.copy(st.inFolder(".key.kept"), st.inFolder(".key")); st.pack(other, st.inFolder(".pfx")) }, nil, []string{"holds another certificate", "move it away"}},
		{"a wrong passphrase", func() {
			st.copy(st.inFolder(".pfx.kept"), st.inFolder(".pfx"))
			st.env["NPS_PFX_PASSPHRASE"] = "wrong-passphrase"
		}, nil, []string{"application.passphrase", "or move the PFX away"}},
	} {
		st.copy(st.inFolder(".key"), st.inFolder(".key.kept"))
		if c.name == "another key" {
			st.copy(st.inFolder(".pfx"), st.inFolder(".pfx.kept"))
		}
		c.mix()
		args := []string{"apply", "-f", st.road("new"), "--yes"}
		for _, s := range c.set {
			args = append(args, "--set", s)
		}
		n := st.changes()
		r := st.do(args...)
		if r.code == exitOK || r.code == exitPerson || st.changes() != n {
			t.Errorf("%s: exit %d, %d changes", c.name, r.code, st.changes()-n)
		}
		says(t, squeezed(r.err), c.says...)
		says(t, r.err, "\n  next: ")
	}
}

// copy keeps the rights of a key.
func (st *site) copy(from, to string) {
	st.t.Helper()
	if _, err := os.Stat(to); err == nil && strings.HasSuffix(to, ".kept") {
		return
	}
	if err := os.WriteFile(to, st.file(from), 0o600); err != nil {
		st.t.Fatal(err)
	}
}

// pack writes another site's certificate under this site's passphrase.
func (st *site) pack(other *site, to string) {
	st.t.Helper()
	k, err := pki.ReadKey(other.inFolder(".key"))
	if err != nil {
		st.t.Fatal(err)
	}
	c, err := chainOf(other.inFolder(".key"), []string{other.inFolder(".cer")})
	if err != nil {
		st.t.Fatal(err)
	}
	raw, err := pki.PFX(k, c, secret.New(st.s.Passphrase()), pki.Modern)
	if err == nil {
		err = os.WriteFile(to, raw, 0o600)
	}
	if err != nil {
		st.t.Fatal(err)
	}
}

// TestThePassphraseIsNeededOnce: missing at the start it is named before anything is sent; when the PFX is there, nobody asks.
func TestThePassphraseIsNeededOnce(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	kept := st.env["NPS_PFX_PASSPHRASE"]
	delete(st.env, "NPS_PFX_PASSPHRASE")
	says(t, st.do("apply", "-f", st.road("new"), "--yes").want(t, exitUsage).err, "NPS_PFX_PASSPHRASE is not set")
	if len(st.s.Requests()) != 0 {
		t.Error("something was sent")
	}
	prompt := []string{"apply", "-f", st.road("new"), "--yes", "--set", "application.keyType=ecdsa-p256", "--set", "application.passphrase=prompt"}
	says(t, st.do(prompt...).want(t, exitUsage).err, "the passphrase of the PFX has to be asked for, and there is no terminal")
	if _, err := os.Stat(st.inFolder(".key")); err == nil || st.changes() != 0 {
		t.Errorf("something was made, or changed: %v", err)
	}
	st.answer, st.env["TYPED"] = "yes\n", kept
	st.do(prompt...).want(t, exitPerson)
	if !strings.Contains(strings.Join(st.asked, " "), "passphrase of the PFX") {
		t.Errorf("asked for: %v", st.asked)
	}
	st.answer = ""
	st.person() // opens the PFX with what was typed
	st.do("resume", "--yes", "--done", madeManual).want(t, exitOK)
	st.do("verify", "-f", st.road("new")).want(t, exitOK)
}

// TestAnApprovedRoadIsCarriedOut: what is not known yet does not change the digest.
func TestAnApprovedRoadIsCarriedOut(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	file := filepath.Join(t.TempDir(), "plan.json")
	r := st.do("plan", "-f", st.road("new"), "--out", file).want(t, exitPending)
	digest := regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindAllString(r.out, -1)
	st.do("apply", "--plan", file, "--approve", digest[len(digest)-1]).want(t, exitPerson)
	if st.file(st.inFolder(".pfx")) == nil {
		t.Error("no PFX was packed")
	}
	says(t, st.do("apply", "--plan", file, "--approve", digest[len(digest)-1]).want(t, exitFailed).err, "the approved plan is stale")
}

// TestOneMakesWhatTheOtherUses: npsetup cert makes the files, and the wizard's road takes them over.
func TestOneMakesWhatTheOtherUses(t *testing.T) {
	t.Parallel()
	folder := func(st *site) string { return filepath.Dir(st.inFolder("")) }
	st := newSite(t, sandbox.Options{})
	st.do("cert", "new", "--name", "NetwrixAuditor", "--dir", folder(st), "--key-type", "ecdsa-p256", "--passphrase", "env:NPS_PFX_PASSPHRASE").want(t, exitOK)
	r := st.do("plan", "-f", st.road("new")).want(t, exitPending)
	if strings.Contains(r.out, "[certificate]") {
		t.Errorf("it is made again:\n%s", r.out)
	}
	script := st.do("plan", "-f", st.road("new"), "--output", "curl").want(t, exitPending).out
	if strings.Contains(script, "makes no keys and certificates") {
		t.Error("the script leaves out what is there")
	}
	ca := newOpensslCA(t)
	st = newSite(t, sandbox.Options{})
	st.do("cert", "request", "--name", "NetwrixAuditor", "--dir", folder(st), "--key-type", "ecdsa-p256").want(t, exitOK)
	ca.answer(st.inFolder(".req"), "p7b", filepath.Join(ca.dir, "certnew.p7b"))
	st.do("cert", "bundle", "--key", st.inFolder(".key"), "--answer", filepath.Join(ca.dir, "certnew.p7b"), "--passphrase", "env:NPS_PFX_PASSPHRASE").want(t, exitOK)
	st.do("apply", "-f", st.road("request"), "--yes").want(t, exitPerson)
	st.handsDone(t, "request")
}

// TestAScriptMakesNoKeys: it leaves out what npsetup makes and what rests on it, and says how to get it.
func TestAScriptMakesNoKeys(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	r := st.do("plan", "-f", st.road("new"), "--output", "curl").want(t, exitPending)
	says(t, r.out, "left out: this script makes no keys and certificates", "npsetup cert new makes them", "exit 3", "client certificate \"NetwrixAuditor\"")
	if strings.Contains(r.out, "CreateApplicationUser") || strings.Contains(r.err, "PASSPHRASE") {
		t.Errorf("the script makes the user, whose serial number nobody knows, or wants a passphrase:\n%s", r.err)
	}
}

// TestTheAnswersOfTheRoadsAreChecked with their lines.
func TestTheAnswersOfTheRoadsAreChecked(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	path := filepath.Join(st.dir, "wrong.yaml")
	text := strings.Replace(string(st.file(filepath.Join(st.dir, "answers-auditor-request.yaml"))), "  passphrase: env:NPS_PFX_PASSPHRASE\n",
		"  passphrase: S3CR3T-in-the-file\n  keyType: dsa\n  pfxEncryption: rot13\n  answer: new\n  origin: new\n", 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := st.do("validate", "-f", path).want(t, exitUsage)
	says(t, r.err, ":14:15 (application.passphrase)", "a secret stands in", ":15:12 (application.keyType)", ":16:18 (application.pfxEncryption)", ":17:11 (application.answer)", ":18:3")
	if strings.Contains(r.err, "S3CR3T-in-the-file") {
		t.Error("the literal secret is repeated")
	}
	st.do("validate", "-f", filepath.Join(st.dir, "answers-auditor-request.yaml")).want(t, exitOK)
}

// TestAnEndThatIsNearIsTold, and one that has passed stops the run, with the road's own remedy.
func TestAnEndThatIsNearIsTold(t *testing.T) {
	t.Parallel()
	made := madeSite(t)
	after := func(days int, code int) string {
		late := &lateness{by: time.Duration(days) * 24 * time.Hour}
		st := newSite(t, sandbox.Options{Now: late.now})
		st.now, st.env["NPS_PFX_PASSPHRASE"] = late.now, made.s.Passphrase()
		if err := os.Mkdir(filepath.Dir(st.inFolder("")), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, ending := range []string{".key", ".cer", ".pfx"} {
			st.copy(made.inFolder(ending), st.inFolder(ending))
		}
		return squeezed(st.do("plan", "-f", st.road("new")).want(t, code).out + st.do("plan", "-f", st.road("new")).err)
	}
	if text := after(690, exitPending); strings.Contains(text, "certificate ends on") {
		t.Error("40 days before its end it is warned of")
	}
	says(t, after(705, exitPending), "Auditor's client certificate ends on", "renew it before that")
	says(t, after(735, exitFailed), "has expired", "the next run makes a new certificate of the same key")
}
