package nps

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"npsetup/steps"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// SignIn is step A3: sign in, and judge role, version and licence before anything is planned.
// minVersion is the oldest NPS version that the guide works with, e.g. "4.2".
func SignIn(w World, minVersion string) steps.Step {
	return steps.Step{
		ID: "signin", Title: "Sign-in", Article: "implied",
		Why:    "every change needs the role Admin",
		Fields: signInFields(),
		Look:   func(ctx context.Context, s *steps.Scene) error { return lookSignIn(ctx, s, minVersion) },
		Verify: func(_ context.Context, s *steps.Scene) steps.Proof {
			id, _ := steps.Get(s, IdentityKey)
			return steps.Proof{State: steps.Proven, Text: fmt.Sprintf("%s, role %s, %s", problem.Plain(id.User), problem.Plain(strings.Join(id.Roles, ", ")), versionText(id.Version))}
		},
	}
}

func signInFields() []steps.Field {
	byPassword := func(a steps.Answers) bool { return !a.Has("nps.signIn.token") }
	return []steps.Field{
		{
			Key: "nps.signIn.token", Kind: steps.SecretField, Prompt: "Token from a browser, for single sign-on users", Optional: true, Long: true,
			Help: "Only where password and code do not work (SAML, OpenID Connect): sessionStorage.getItem('Token') in the browser's console on the NPS page.", Example: "env:NPS_TOKEN",
		},
		{
			Key: "nps.signIn.user", Kind: steps.Text, Prompt: "NPS administrator", When: byPassword,
			Help: "A user with the role Administrator.", Example: `CONTOSO\npsadmin`,
		},
		{
			Key: "nps.signIn.password", Kind: steps.SecretField, Prompt: "Password of that user", When: byPassword,
			Help: "In a file, where it is to be taken from: env:NAME, file:PATH, keyring:NAME or prompt.", Example: "env:NPS_PASSWORD",
		},
		{
			Key: "nps.signIn.mfa", Kind: steps.Text, Prompt: "MFA", When: byPassword, Default: "prompt", Check: CheckMFA, Refers: true,
			Help: "prompt: asks for the code. totp:REFERENCE: the base32 secret of an authenticator. push:WORD: the word that the connector expects. none: MFA is not required for this user.", Example: "totp:env:NPS_TOTP_SECRET",
		},
	}
}

// CheckMFA checks the spelling of an MFA answer. The error never repeats it.
func CheckMFA(v string) error {
	kind, rest, _ := strings.Cut(v, ":")
	switch {
	case v == "prompt" || v == "none":
		return nil
	case kind == "push" && rest != "":
		return nil
	case kind == "totp":
		if _, err := secret.ParseReference(rest); err != nil {
			return fmt.Errorf("after totp: %w", err)
		}
		return nil
	}
	return fmt.Errorf("one of prompt, totp:REFERENCE, push:WORD, none")
}

func lookSignIn(ctx context.Context, s *steps.Scene, minVersion string) error {
	c, ok := steps.Get(s, ConnectionKey)
	if !ok {
		return problem.New("there is no connection to sign in on")
	}
	s.Send(sent(s.Answers))
	id, err := c.SignIn(ctx, s.Answers)
	if err != nil {
		return err
	}
	s.Version = problem.Plain(id.Version)
	steps.Put(s, IdentityKey, id)
	steps.Put(s, ReaderKey, c.Reader())
	s.Observe("version", id.Version)
	s.See(steps.Finding{Kind: steps.ObjectFinding, Title: "signed in", State: steps.Fits, Rows: []steps.Row{
		{Label: "user", Value: problem.Plain(id.User)},
		{Label: "roles", Value: problem.Plain(strings.Join(id.Roles, ", ")), Wanted: "Admin"},
		{Label: "NPS version", Value: told(s.Version), Wanted: "at least " + minVersion},
		{Label: "licence", Value: problem.Plain(id.LicenceText)},
	}})
	if id.Version == "" {
		s.Warn("this server does not tell its version: that it is "+minVersion+" or newer cannot be judged; look at the About page of NPS before you go on", problem.VersionNotTold)
	}
	err = judge(id, minVersion)
	if !id.Admin {
		return err // every further look would be refused too
	}
	s.Problem(err)
	return nil
}

func told(version string) string {
	if version == "" {
		return "not told by this server"
	}
	return version
}

func versionText(version string) string {
	if version == "" {
		return "version not told"
	}
	return "NPS " + problem.Plain(version)
}

// sent says which secrets the sign-in sends, and where.
func sent(a steps.Answers) string {
	what := "the password and the MFA code of " + problem.Plain(a.Text("nps.signIn.user")) + " go"
	if a.Has("nps.signIn.token") {
		what = "the token goes"
	}
	return what + " to " + problem.Plain(a.Text("nps.url"))
}

func judge(id Identity, minVersion string) error {
	var l problem.List
	if !id.Admin {
		l.Add(problem.New(fmt.Sprintf("%s has no Admin role on NPS", problem.Plain(id.User))).Coded(problem.RoleMissing).
			Because("the token carries " + rolesText(id.Roles)).
			Try("sign in as an administrator, or ask for the role under Role Management").Of(problem.Refused))
	}
	if !AtLeast(id.Version, minVersion) {
		l.Add(problem.New(fmt.Sprintf("this server is NPS %s", problem.Plain(id.Version))).Coded(problem.VersionTooOld).
			Because("the integration needs " + minVersion + " or newer").
			Try("update NPS first; nothing was changed"))
	}
	if id.LicenceExpired {
		l.Add(problem.New("the licence of this NPS server has expired").Coded(problem.LicenceExpired).
			Because("NPS refuses new objects without a licence; " + problem.Plain(id.LicenceText)).
			Try("import a licence on the About page of NPS, then run the same command again"))
	}
	return l.Err()
}

func rolesText(roles []string) string {
	if len(roles) == 0 {
		return "no role at all, as one does that an application user's API key brings at this sign-in"
	}
	return "only: " + problem.Plain(strings.Join(roles, ", "))
}

// AtLeast compares versions such as 25.12.00002 number by number. A version that cannot be read counts as new enough: the
// calls themselves will tell.
func AtLeast(version, least string) bool {
	v, ok := numbers(version)
	l, _ := numbers(least)
	if !ok {
		return true
	}
	for i := range l {
		n := 0
		if i < len(v) {
			n = v[i]
		}
		if n != l[i] {
			return n > l[i]
		}
	}
	return true
}

func numbers(version string) ([]int, bool) {
	var ns []int
	for _, part := range strings.Split(strings.TrimSpace(version), ".") {
		digits := part
		if end := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
			digits = part[:end] // 12-beta counts as 12
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		ns = append(ns, n)
		if digits != part {
			break
		}
	}
	return ns, len(ns) > 0
}
