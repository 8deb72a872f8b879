package passwordsecure

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/problem"
)

const (
	serverStep = "vault-server"

	// oldest and newest are the versions of Password Secure that the software kit in NPS is said to fit: the article names the first,
	// and the last is the newest whose manual was at hand.
	oldest = "9.2"
	newest = "9.3"

	// dllFolder is where the software kit lies on every node with an action service.
	dllFolder = `C:\Program Files\Stealthbits\PAM\ActionServiceWorker\PsrApi`
)

var sightingKey = steps.Key[Sighting]{Name: "passwordsecure.sighting"}

// vaultServer is B1: is there a Password Secure at the address, of a version that NPS gets along with.
func (w World) vaultServer() steps.Step {
	return steps.Step{
		ID: serverStep, Title: "Password Secure server", Article: "Prerequisites; SDK Compatibility and Updates",
		Why: "NPS asks this address for credentials",
		Fields: []steps.Field{
			{
				Key: keyURL, Kind: steps.Text, Prompt: "Address of Password Secure", Example: "https://ps.contoso.com/", Check: w.CheckURL,
				Help: "As a browser shows the Web Application, also in a sub-folder, with or without /api/; or the server's own port: https://ps.contoso.com:11016/.",
			},
			{
				Key: keyTrust, Kind: steps.Fingerprint, Prompt: "Trust its certificate here by", Default: "system", Example: "pin:sha256:3f1c…", Check: w.CheckTrust,
				Help: "For npsetup's own look: system, ca:FILE or pin:sha256:HEX. What NPS trusts is up to the NPS server's own store.",
			},
			{
				Key: keyVersion, Kind: steps.Text, Prompt: "Version of Password Secure", Example: "9.2", Check: checkVersion,
				Help: "Its client shows it. NPS brings a software kit for 9.2.0 and later; for a newer one the kit may have to be replaced.",
			},
		},
		Look: w.lookServer, Verify: verifyServer,
	}
}

func checkVersion(v string) error {
	if len(v) > 40 || strings.Trim(v, "0123456789.") != "" || !strings.Contains(v, ".") || strings.HasPrefix(v, ".") {
		return fmt.Errorf("not a version such as 9.2 or 9.3.0.33526")
	}
	return nil
}

func (w World) lookServer(ctx context.Context, s *steps.Scene) error {
	judgeVersion(s)
	sight, err := w.Probe(ctx, s.Answers)
	if err != nil {
		return err
	}
	steps.Put(s, sightingKey, sight)
	s.Observe("api", sight.URL)
	f := steps.Finding{Kind: steps.ObjectFinding, Title: "API of Password Secure", State: steps.Fits, Text: problem.Plain(strings.Join(sight.Notes, "; "))}
	kind := "through the Web Application"
	if sight.Direct {
		kind = "at the server's own port"
	}
	f.Rows = []steps.Row{{Label: "API URL", Value: problem.Plain(sight.URL)}, {Label: "reached", Value: kind}, {Label: "version", Value: s.Answers.Text(keyVersion), Wanted: "at least " + oldest}}
	s.See(f)
	if sight.Certificate != nil {
		if f := certificateFinding(s, sight); sight.Certificate.Trusted || s.Answers.Switch(keySkip) {
			s.See(f)
		} else {
			f.Code = problem.VaultNotTrusted
			s.Doubt(f)
		}
	}
	if sight.Trouble != nil { // no problem: what the network here answers may be otherwise at the next look, and NPS has its own
		p := problem.All(sight.Trouble)[0]
		s.Doubt(steps.Finding{Kind: steps.TextFinding, Title: "Password Secure, seen from here", Text: p.Error(), Code: p.Named(), Next: p.Next})
	}
	return ctx.Err()
}

func judgeVersion(s *steps.Scene) {
	v := s.Answers.Text(keyVersion)
	switch {
	case checkVersion(v) != nil:
	case !nps.AtLeast(v, oldest):
		s.Problem(problem.New("Password Secure " + problem.Plain(v) + " is too old").Coded(problem.VaultTooOld).Because("the software kit in NPS fits 9.2.0 and later").At(keyVersion).
			Try("update Password Secure first; nothing was changed"))
	case !nps.AtLeast(newest, majorMinor(v)):
		s.Warn("Password Secure "+v+" is newer than "+newest+": the software kit in NPS may be too old for it. On every NPS node with an action service, save "+dllFolder+
			", put the DLLs of the kit for this version there (from the Password Secure Customer Information System), and restart the action service; or update NPS", problem.VaultKitTooOld)
	}
}

func majorMinor(v string) string {
	parts := strings.SplitN(v, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

// certificateFinding shows what is presented, and whether NPS will need help with it.
func certificateFinding(s *steps.Scene, sight Sighting) steps.Finding {
	c := sight.Certificate
	f := steps.Finding{
		Kind: steps.CertificateFinding, Title: "certificate of Password Secure", State: steps.Fits, Text: "it verifies: Skip Certificate Check is not needed",
		Rows: []steps.Row{
			{Label: "certificate", Value: problem.Plain(c.Subject)},
			{Label: "  issued by", Value: problem.Plain(c.Issuer)},
			{Label: "  names", Value: problem.Plain(strings.Join(c.Names, ", "))},
			{Label: "  valid", Value: c.NotBefore.UTC().Format("2006-01-02") + " to " + c.NotAfter.UTC().Format("2006-01-02")},
			{Label: "  SHA-256", Value: c.SHA256},
		},
	}
	if !c.Trusted {
		f.State = steps.Doubtful
		f.Text = "a machine with usual authorities does not trust it (" + problem.Plain(c.Reason) + "), and neither may NPS: " + c.Import
		for _, n := range c.Notes {
			f.Text += "; " + problem.Plain(n)
		}
	} else if s.Answers.Switch(keySkip) {
		f.State, f.Text = steps.Doubtful, "it verifies: Skip Certificate Check is not needed; answer connector.skipCertificateCheck: false"
	}
	return f
}

func verifyServer(_ context.Context, s *steps.Scene) steps.Proof {
	sight, _ := steps.Get(s, sightingKey)
	switch {
	case sight.Answers:
		text := "answers at " + problem.Plain(sight.URL)
		if c := sight.Certificate; c != nil {
			text += ", certificate valid to " + c.NotAfter.UTC().Format("2006-01-02")
			if !c.Trusted {
				text += "; NPS has to trust it by its own store"
			}
		}
		return steps.Proof{State: steps.Proven, Text: text}
	case reached(s):
		return steps.Proof{State: steps.Proven, Text: "seen: NPS reached it in a session"}
	}
	text := "as answered: " + problem.Plain(sight.URL)
	if sight.Trouble != nil {
		text += "; from here: " + problem.Plain(problem.All(sight.Trouble)[0].What)
	}
	return steps.Proof{State: steps.ByWord, Text: text}
}
