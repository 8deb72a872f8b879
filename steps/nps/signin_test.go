package nps

import (
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/problem"
)

func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		version, least string
		want           bool
	}{
		{"4.2", "4.2", true},
		{"4.2.0", "4.2", true},
		{"4.2", "4.2.1", false},
		{"4.1.9", "4.2", false},
		{"4.10", "4.2", true},
		{"4", "4.2", false},
		{"5", "4.2", true},
		{"25.12.00002", "25.12", true},
		{"25.3", "25.12", false},
		{"25.03", "25.3", true},
		{"26.03", "25.12", true},
		{" 25.12 ", "25.12", true},
		{"25.12-beta", "25.12", true},
		{"4.2 SP1", "4.2.1", false},
		{"25.x.9", "25.12", false},
		{"-4.2", "5", true},
		{"25.12.1-beta", "25.12", true},
		{"", "4.2", true}, // what cannot be read counts as new enough
		{"unknown", "4.2", true},
	} {
		if got := AtLeast(c.version, c.least); got != c.want {
			t.Errorf("AtLeast(%q, %q) = %v", c.version, c.least, got)
		}
	}
}

// allText is everything that an error tells a person.
func allText(err error) string {
	var b strings.Builder
	for _, p := range problem.All(err) {
		b.WriteString(p.What + "\n" + p.Why + "\n" + strings.Join(p.Next, "\n") + "\n")
	}
	return b.String()
}

// TestJudgeTellsEverythingAtOnce signs in as a person without role, on a server too old and without licence.
func TestJudgeTellsEverythingAtOnce(t *testing.T) {
	good := Identity{User: "CONTOSO\\admin", Roles: []string{"Admin"}, Admin: true, Version: "25.12.00002", LicenceText: "valid"}
	if err := judge(good, "4.2"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Identity)
		says   []string
		kind   problem.Kind
	}{
		"role":    {func(i *Identity) { i.Admin, i.Roles = false, []string{"User", "Reviewer\x1b[2J"} }, []string{"no Admin role", "only: User, Reviewer", "Role Management"}, problem.Refused},
		"no role": {func(i *Identity) { i.Admin, i.Roles = false, nil }, []string{"no role at all"}, problem.Refused},
		"version": {func(i *Identity) { i.Version = "4.1.0" }, []string{"NPS 4.1.0", "4.2 or newer", "update NPS"}, problem.Failed},
		"licence": {func(i *Identity) { i.LicenceExpired, i.LicenceText = true, "expired on 2026-01-01" }, []string{"licence", "2026-01-01", "About page"}, problem.Failed},
		"all":     {func(i *Identity) { *i = Identity{User: "u", Version: "3.0", LicenceExpired: true} }, []string{"no Admin role", "NPS 3.0", "licence of this NPS server has expired"}, problem.Refused},
	} {
		id := good
		c.change(&id)
		err := judge(id, "4.2")
		text := allText(err)
		for _, says := range c.says {
			if !strings.Contains(text, says) {
				t.Errorf("%s: it does not say %q:\n%s", name, says, text)
			}
		}
		if problem.KindOf(err) != c.kind {
			t.Errorf("%s: kind %v", name, problem.KindOf(err))
		}
		if strings.Contains(text, "\x1b") {
			t.Errorf("%s: an escape sequence is left", name)
		}
		for _, p := range problem.All(err) {
			if len(p.Next) == 0 || p.Why == "" {
				t.Errorf("%s: %q has no cause or no next step", name, p.What)
			}
		}
		if name == "all" && len(problem.All(err)) != 3 {
			t.Errorf("%d problems", len(problem.All(err)))
		}
	}
}

func TestSignInStep(t *testing.T) {
	connected := func(c Connection) func(*steps.Scene) {
		return func(s *steps.Scene) { steps.Put(s, ConnectionKey, c) }
	}
	if _, err := look(t, SignIn(World{}, "4.2"), nil, nil); err == nil {
		t.Error("without a connection there is nothing to sign in on")
	}
	old := still{identity: Identity{User: "u\x1b]0;x\x07", Roles: []string{"Admin"}, Admin: true, Version: "4.1\x1b[2J"}}
	s, err := look(t, SignIn(World{}, "4.2"), nil, connected(old))
	if err == nil || !strings.Contains(allText(err), "4.2 or newer") {
		t.Errorf("an old server is not told: %v", err)
	}
	if s.Version != "4.1[2J" {
		t.Errorf("the version is %q", s.Version)
	}
	for _, f := range s.Findings("signin") {
		for _, r := range f.Rows {
			if strings.ContainsAny(r.Value, "\x1b\x07") {
				t.Errorf("%s holds an escape sequence", r.Label)
			}
		}
	}
	if _, err = look(t, SignIn(World{}, "4.2"), nil, connected(still{identity: Identity{Admin: true, Version: "26.03"}})); err != nil {
		t.Error(err)
	}
}

func TestCheckMFANeverRepeatsTheAnswer(t *testing.T) {
	for _, good := range []string{"prompt", "none", "push:word", "push:a:b", "totp:env:NAME", "totp:prompt", "totp:file:secret", "totp:keyring:x"} {
		if err := CheckMFA(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "S3CR3T", "S3CR3T:env:NAME", "totp:S3CR3T", "totp:env:S3CR3T x", "totp:S3CR3T:NAME", "totp:", "totp", "push:", "push", "PROMPT", "none:S3CR3T", "123456"} {
		err := CheckMFA(bad)
		if err == nil {
			t.Errorf("%q is taken", bad)
		} else if bad != "" && (strings.Contains(err.Error(), "S3CR3T") || strings.Contains(err.Error(), "123456")) {
			t.Errorf("%q is repeated: %v", bad, err)
		}
	}
	for _, f := range signInFields() {
		if f.Key == "nps.signIn.mfa" && f.Valid("totp:S3CR3T") == nil {
			t.Error("the field does not check its answer")
		}
	}
}

func TestSignInAsksForATokenOrForAPassword(t *testing.T) {
	asked := func(drafts map[string]string) string {
		g := steps.Guide{Steps: []steps.Step{SignIn(World{}, "4.2")}}
		var keys []string
		for _, f := range steps.NewMachine(g, drafts, "").Questions() {
			keys = append(keys, strings.TrimPrefix(f.Key, "nps.signIn."))
		}
		return strings.Join(keys, " ")
	}
	if got := asked(nil); got != "token user password mfa" {
		t.Errorf("asked: %s", got)
	}
	if got := asked(map[string]string{"nps.signIn.token": "env:NPS_TOKEN"}); got != "token" {
		t.Errorf("with a token, asked: %s", got)
	}
}
