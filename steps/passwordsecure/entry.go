package passwordsecure

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const entryStep = "vault-entry"

// vaultEntry is B3: the entry with the credential, which only a person can make, or which is there already.
func (w World) vaultEntry() steps.Step {
	return steps.Step{
		ID: entryStep, Title: "Entry", Article: "Create a New Password, 1-4",
		Why: "its credential is what a session of the activity signs in with; NPS finds it by DOMAIN\\user",
		Fields: []steps.Field{
			{
				Key: keyDomain, Kind: steps.Text, Prompt: "Domain of the entry", Example: "CONTOSO", Check: checkPart,
				Help: "With the same letters as the entry has it. The examples for NPS use the NetBIOS name.",
			},
			{Key: keyUser, Kind: steps.Text, Prompt: "User name of the entry", Example: "app-admin", Help: "As the entry has it.", Check: checkPart},
			{
				Key: keyExisting, Kind: steps.Switch, Prompt: "The entry is there already", Default: "false", Example: "false",
				Help: "In production there usually is one, of the type AD User. The user of the API key must be able to read it.",
			},
		},
		Plan: func(s *steps.Scene) ([]plan.Action, error) {
			if s.Answers.Switch(keyExisting) {
				return nil, nil
			}
			return nps.ByHand(s, entryStep, "entry in Password Secure", login(s.Answers), func() (*plan.Manual, error) { return w.page(s, entryStep) }, aboutEntry(s), credentialSeen)
		},
		Look: lookEntry, Verify: verifyEntry,
	}
}

func lookEntry(_ context.Context, s *steps.Scene) error {
	if strings.Contains(s.Answers.Text(keyDomain), ".") {
		s.Warn("the domain of the entry is a DNS name: the examples for NPS use the NetBIOS name, such as CONTOSO; entry and activity must have the same letters, and only a session shows whether NPS finds it")
	}
	return nil
}

func verifyEntry(ctx context.Context, s *steps.Scene) steps.Proof {
	p := nps.ByWord(entryStep, aboutEntry, credentialSeen)(ctx, s)
	if p.State != steps.Proven && s.Answers.Switch(keyExisting) {
		return steps.Proof{State: steps.ByWord, Text: "as answered: it is there already; only a session shows whether NPS finds it"}
	}
	return p
}

func checkPart(v string) error {
	if strings.ContainsAny(v, `\/@%`) || strings.ContainsAny(v, "\r\n\t") {
		return fmt.Errorf(`give the domain and the user on their own, without \, / or @`)
	}
	return nil
}

// aboutEntry is what the making of an entry is good for.
func aboutEntry(s *steps.Scene) plan.Value { return plan.String(login(s.Answers)) }

// credentialSeen says that a session got the credential of this entry, or nothing.
func credentialSeen(s *steps.Scene) string {
	ev, _ := steps.Get(s, evidenceKey)
	if !ev.proves(s) {
		return ""
	}
	return "seen: a session got the credential of " + problem.Plain(login(s.Answers))
}

// joined are several values on one line each, as manual pages take lists.
func joined(list []string) string { return strings.Join(list, "\n") }
