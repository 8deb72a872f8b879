package auditor

import (
	"context"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	trustStep   = nps.ClientTrustStep
	kindTrusted = "trusted root certificate"
)

// certificateTrust is A6: what has to lie in NPS's Trusted Root, brought there by hand or over SSH.
func (w World) certificateTrust() steps.Step {
	return steps.Step{
		ID: trustStep, Title: "Trust on the NPS server", Article: "Export, 11-13",
		Why:    "IIS on the NPS server lets in only client certificates that it trusts",
		Fields: w.sshFields(),
		Look:   w.lookSSH,
		Plan: func(s *steps.Scene) ([]plan.Action, error) {
			if _, known := w.remote(s); known && overSSH(s.Answers) {
				return w.planSSH(s)
			}
			actions, err := w.byHand(s, trustStep, kindTrusted, trustedName(s), trustCheck(s), seenAs, planned(s, certificateAction, submitAction, authoritiesAction)...)
			for i := range actions {
				if overSSH(s.Answers) {
					actions[i].Notes = append(actions[i].Notes, "when the certificate is there, npsetup resume brings it to the NPS server over SSH: nobody needs to do this by hand")
				}
				if issuer, is := steps.Get(s, loneKey); is {
					actions[i].Manual().About = loneAbout(issuer)
				}
			}
			return actions, err
		},
		Verify: func(ctx context.Context, s *steps.Scene) steps.Proof {
			if there, read := steps.Get(s, trustedKey); read && there {
				return steps.Proof{State: steps.Proven, Text: "in Trusted Root on the NPS server, read over SSH"}
			} else if read {
				return steps.Proof{State: steps.Differs, Text: "not in Trusted Root on the NPS server, read over SSH", New: !broughtBefore(s)}
			}
			return notRead(s, nps.ByWord(trustStep, trustCheck, seenAs)(ctx, s))
		},
	}
}

// broughtBefore says whether this set-up has put the certificate there, over SSH or by a person's hand: then somebody took it out.
func broughtBefore(s *steps.Scene) bool {
	return s.Memory.Made[steps.MadeKey(kindTrusted, trustedName(s))] || nps.Done(s, trustStep, trustCheck(s))
}

// notRead adds to a proof that the look over SSH could not be had. Where nothing else tells, nobody knows.
func notRead(s *steps.Scene, p steps.Proof) steps.Proof {
	err, unread := steps.Get(s, unreadKey)
	if !unread {
		return p
	}
	told := "not read over SSH: " + problem.Plain(problem.All(err)[0].Error())
	switch p.State {
	case steps.Proven, steps.ByWord:
		p.Text += "; " + told
	case steps.NotProven, steps.Differs, steps.NeedPerson:
		p = steps.Proof{State: steps.NotProven, Text: told, Err: err}
	}
	return p
}

// toTrust is the certificate that has to lie in Trusted Root on the NPS server, and the file that holds it: Auditor's own when
// it is self-signed, else (issued) the root of the authority that issued it. Without a SHA-256 nobody has made or issued it yet.
func toTrust(s *steps.Scene) (c Certificate, file string, issued bool) {
	leaf, known := steps.Get(s, certificateKey)
	chain, _ := steps.Get(s, chainKey)
	f := filesOf(s.Answers)
	switch road := roadOf(s.Answers); {
	case road == roadRequest:
		return chain.Root, f.root, true
	case road == roadNew:
		return chain.Root, f.cer, false
	case known && !leaf.SelfSigned:
		return chain.Root, s.Answers.File(keyAuthorities), true
	}
	return chain.Root, certificateFile(s.Answers), false
}

func trustedName(s *steps.Scene) string {
	c, _, issued := toTrust(s)
	switch {
	case c.Subject != "":
		return c.Subject
	case issued:
		return "root of the authority"
	}
	return "CN=" + s.Answers.Text(keyApplication)
}

// trustedAbout is the certificate that was imported: another one has to be imported anew.
func trustedAbout(s *steps.Scene) plan.Value {
	if chain, known := steps.Get(s, chainKey); known {
		return plan.String(chain.Root.Thumbprint)
	}
	if roadOf(s.Answers) == roadRequest {
		return plan.Ref{Action: submitAction, Output: plan.ThumbprintOutput, What: "the root of the authority that issues the certificate"}
	}
	return ofCertificate(s, plan.ThumbprintOutput)
}
