package passwordsecure

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const keyStep = "vault-key"

var (
	keyKey   = steps.Key[Key]{Name: "passwordsecure.key"}
	askedKey = steps.Key[Asked]{Name: "passwordsecure.asked"}
)

// vaultKey is B2: the API key, read offline; and whether Password Secure takes it.
func (w World) vaultKey() steps.Step {
	return steps.Step{
		ID: keyStep, Title: "API key", Article: "Generate an API Key, 1-5",
		Why: "with this key NPS signs in to Password Secure; it is shown once, and npsetup keeps no copy",
		Fields: []steps.Field{
			{
				Key: keyAPIKey, Kind: steps.SecretField, Prompt: "API key of Password Secure", Long: true, Example: "env:PASSWORD_SECURE_API_KEY",
				Help: "In a file, where it is to be taken from: env:NAME, file:PATH, keyring:NAME or prompt. Make it as a technical user who may read the entries that NPS needs and no others: the key sees what its user sees.",
			},
			{
				Key: keyAsk, Kind: steps.Switch, Prompt: "Ask Password Secure whether it takes the key", Default: "true", Example: "true",
				Help: "Sends the first half of the key to Password Secure, once for each run, and leaves an entry in its log. The sign-in is not completed, and its outcome never stops a run.",
			},
		},
		Look: w.lookKey, Verify: verifyKey,
		Plan: func(*steps.Scene) ([]plan.Action, error) { return nil, nil }, // a key that is at hand was made by a person
	}
}

func (w World) lookKey(ctx context.Context, s *steps.Scene) error {
	k, err := w.ReadKey(ctx, s.Answers)
	if err != nil {
		return w.makeOne(s, err)
	}
	now := w.Now()
	if !k.Expires.IsZero() && !now.Before(k.Expires) {
		return w.makeOne(s, problem.New("the API key of Password Secure has expired").Coded(problem.VaultKeyExpired).Because("it was valid to "+k.Expires.Format("2006-01-02 15:04")+" UTC").At(keyAPIKey).Of(problem.Usage))
	}
	steps.Put(s, keyKey, k)
	s.Observe("key", k.Fingerprint)
	if !k.Expires.IsZero() && k.Expires.Before(now.AddDate(0, 0, 30)) {
		s.Warn("the API key of Password Secure ends on "+k.Expires.Format("2006-01-02")+": every session that needs it ends then too; make the next one before, and delete this one afterwards", problem.VaultKeyEndsSoon)
	}
	if strings.Contains(strings.ToLower(k.User), "admin") {
		s.Warn("the API key is that of the user " + problem.Plain(k.User) + ": it sees all that this user sees; a technical user who may read the entries that NPS needs is enough")
	}
	s.See(steps.Finding{Kind: steps.ObjectFinding, Title: "API key, read offline", State: steps.Fits, Rows: []steps.Row{
		{Label: "database", Value: told(k.Database)}, {Label: "user", Value: told(k.User)}, {Label: "valid to", Value: validTo(k)}, {Label: "fingerprint", Value: k.Fingerprint},
	}, Text: problem.Plain(strings.Join(k.Notes, "; "))})
	return w.ask(ctx, s)
}

// makeOne adds the article's clicks to what is wrong with a key.
func (w World) makeOne(s *steps.Scene, err error) error {
	if problem.Is(err, problem.Cancelled) {
		return err
	}
	c := *problem.All(err)[0]
	c.Next = append([]string{}, c.Next...)
	if c.Where == "" {
		c.Where = keyAPIKey
	}
	if c.Code == problem.VaultKeyMalformed {
		return &c // a key was made: how, nobody asks
	}
	clicks := w.Texts.Paragraph(keyStep, s.Version, values(s))
	if len(clicks) > 0 {
		c.Next = append(c.Next, "make a key in Password Secure:")
	}
	for i, click := range clicks {
		c.Next = append(c.Next, fmt.Sprintf("%d. %s", i+1, click))
	}
	return &c
}

// ask lets Password Secure say whether it takes the key. What it says is no part of the plan, and stops nothing.
func (w World) ask(ctx context.Context, s *steps.Scene) error {
	if !s.Answers.Switch(keyAsk) {
		steps.Put(s, askedKey, Asked{Text: "it was not asked: passwordSecure.checkKey is false"})
		return nil
	}
	sight, _ := steps.Get(s, sightingKey)
	s.Send("the first half of the API key goes to " + problem.Plain(sight.URL) + ", which leaves an entry in the log of Password Secure; passwordSecure.checkKey: false switches that off")
	asked, err := w.Ask(ctx, s.Answers, sight.URL)
	if err != nil {
		return err
	}
	steps.Put(s, askedKey, asked)
	f := steps.Finding{Kind: steps.TextFinding, Title: "what Password Secure says of the key", State: steps.Info, Text: problem.Plain(asked.Text)}
	switch asked.Answer {
	case Taken:
		f.State = steps.Fits
	case Refused:
		f.Code = problem.VaultKeyRefused
		s.Doubt(f)
		return ctx.Err()
	case Unknown:
	}
	s.See(f)
	return ctx.Err()
}

func told(text string) string {
	if text == "" {
		return "not told by the key"
	}
	return problem.Plain(text)
}

func validTo(k Key) string {
	if k.Expires.IsZero() {
		return "not told by the key"
	}
	return k.Expires.Format("2006-01-02 15:04") + " UTC"
}

// words tell one key from another in NPS, where nobody can read it: they stand in the description of the service account.
func (k Key) words() string {
	return fmt.Sprintf("API key of Password Secure: database %s, user %s, valid to %s, fingerprint %s", told(k.Database), told(k.User), validTo(k), k.Fingerprint)
}

func verifyKey(_ context.Context, s *steps.Scene) steps.Proof {
	k, _ := steps.Get(s, keyKey)
	asked, _ := steps.Get(s, askedKey)
	text := fmt.Sprintf("read offline: database %s, user %s, valid to %s", told(k.Database), told(k.User), validTo(k))
	switch {
	case signedIn(s):
		return steps.Proof{State: steps.Proven, Text: text + "; seen: NPS signed in with it in a session"}
	case asked.Answer == Taken:
		return steps.Proof{State: steps.Proven, Text: text + "; Password Secure takes it"}
	}
	return steps.Proof{State: steps.ByWord, Text: text + "; whether Password Secure takes it: " + problem.Plain(asked.Text)}
}
