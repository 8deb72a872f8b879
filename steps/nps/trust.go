package nps

import (
	"context"
	"fmt"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// SkewLimit is from when on a difference of clocks makes MFA codes fail.
const SkewLimit = 30 * time.Second

// SkewKey is this machine's clock minus the server's.
var SkewKey = steps.Key[time.Duration]{Name: "nps.skew"}

// Trust is step A2: by what the server's certificate is trusted.
func Trust(w World) steps.Step {
	return steps.Step{
		ID: "trust", Title: "Trust", Article: "Initial Setup, 3",
		Why: "passwords and keys travel over this connection: its certificate is compared before anything is sent",
		Fields: []steps.Field{{
			Key: "nps.trust", Kind: steps.Fingerprint, Prompt: "Trust the server's certificate by", Default: "system",
			Help:    "system: the operating system's roots. ca:FILE: a CA certificate. pin:sha256:HEX: exactly this certificate. Compare it first: on the NPS server, IIS Manager > its site > Bindings > https > Edit > View > Details > Thumbprint is the SHA-1 that is shown here.",
			Example: "pin:sha256:3f1c…", Check: w.CheckTrust, LiveChoices: trustChoices,
		}},
		Look: func(ctx context.Context, s *steps.Scene) error { return w.lookTrust(ctx, s) },
		Verify: func(_ context.Context, s *steps.Scene) steps.Proof {
			p, _ := steps.Get(s, PresentedKey)
			text := "handshake with " + s.Answers.Text("nps.trust")
			if len(p.Chain) > 0 {
				text += ", certificate valid to " + p.Chain[0].NotAfter.UTC().Format("2006-01-02")
			}
			return steps.Proof{State: steps.Proven, Text: text}
		},
	}
}

// trustChoices offers what fits the certificate that the server presented.
func trustChoices(_ context.Context, s *steps.Scene, _ string) ([]steps.Option, error) {
	p, ok := steps.Get(s, PresentedKey)
	if !ok || len(p.Chain) == 0 {
		return nil, problem.New("the server's certificate was not seen yet").Try("go back to the address of the server")
	}
	system := steps.Option{Value: "system", Title: "the operating system's roots: the certificate verifies"}
	if !p.Verified {
		system.Title = "the operating system's roots: the certificate does not verify by them"
	}
	return []steps.Option{
		{Value: "pin:sha256:" + p.Chain[0].SHA256, Title: "exactly this certificate, once its fingerprint was compared on the NPS server"}, system,
	}, nil
}

func (w World) lookTrust(ctx context.Context, s *steps.Scene) error {
	p, _ := steps.Get(s, PresentedKey)
	if s.Answers.Text("nps.trust") == "system" && !p.Verified {
		return notTrusted(p)
	}
	c, err := w.Connect(ctx, s.Answers)
	if err != nil {
		return err
	}
	steps.Put(s, ConnectionKey, c)
	if len(p.Chain) > 0 {
		s.Observe("certificate", p.Chain[0].SHA256)
	}
	g, err := c.Greet(ctx)
	if err != nil {
		return behind(err)
	}
	steps.Put(s, SkewKey, g.Skew)
	if g.Skew > SkewLimit || g.Skew < -SkewLimit {
		// Not in the plan: a figure that changes from second to second would change its digest.
		s.See(steps.Finding{
			Kind: steps.TextFinding, Title: "clocks", State: steps.Doubtful, Code: problem.ClockSkew,
			Text: fmt.Sprintf("this machine's clock and the server's differ by %s: MFA codes may be refused; synchronise them", g.Skew.Round(time.Second)),
		})
	}
	if g.Health != "" && g.Health != "Healthy" {
		s.Warn("NPS says of its health: "+problem.Plain(g.Health)+"; look at the services on the server (Start-Service sbpam*, then Register Services)", problem.ServicesUnhealthy)
	}
	return nil
}

// behind files what is wrong behind the certificate under the server, to which it belongs.
func behind(err error) error {
	var l problem.List
	for _, p := range problem.All(err) {
		told := *p
		if told.Where == "" && !strings.HasPrefix(string(told.Named()), "certificate-") {
			told.Where = serverStep
		}
		l.Add(&told)
	}
	return l.Err()
}

// notVerified is the code of what is wrong with a certificate, the gravest first.
func notVerified(p Presented) problem.Code {
	switch {
	case p.Expired:
		return problem.CertificateExpired
	case p.Misnamed && len(p.Chain) > 0 && !p.Chain[0].SelfSigned:
		return problem.CertificateNameDiffers
	}
	return problem.CertificateNotTrusted
}

func notTrusted(p Presented) error {
	e := problem.New("the certificate of " + problem.Plain(p.Host) + " does not verify").Coded(notVerified(p)).Because(p.Reason)
	if len(p.Chain) > 0 {
		leaf := p.Chain[0]
		e.Try(fmt.Sprintf("compare the fingerprint on the NPS server: IIS Manager > the site SbPAM Web Service > Bindings > https > Edit > View > Details > Thumbprint is the SHA-1, %s; if it is the same, set nps.trust to pin:sha256:%s", leaf.SHA1, leaf.SHA256))
		if !leaf.SelfSigned {
			e.Try("or set nps.trust to ca:FILE with the certificate of the authority that issued it ("+problem.Plain(leaf.Issuer)+"): on a Windows machine that trusts it, certlm.msc > Trusted Root Certification Authorities > Certificates > All Tasks > Export",
				"or let this whole machine trust that authority: npsetup trust install FILE")
		}
		if p.Expired {
			e.Next = []string{"renew the certificate on the NPS server and select it in IIS for the site's https binding; an expired one is not accepted, pinned or not"}
		}
	}
	return e
}
