package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"

	vault "npsetup/client/passwordsecure"
	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/passwordsecure"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// Answers of the guide for Password Secure that say what is reached, by whose trust, and with which key.
const (
	vaultURLKey   = "passwordSecure.url"
	vaultTrustKey = "passwordSecure.trust"
	vaultAPIKey   = "passwordSecure.apiKey"
)

// vaultWorld is what the guide for Password Secure needs.
func (l *link) vaultWorld() passwordsecure.World {
	return passwordsecure.World{
		World: l.world().World,
		CheckURL: func(text string) error {
			if _, err := vault.Forms(text); err != nil {
				return fmt.Errorf("%s", problem.All(err)[0].Why)
			}
			return nil
		},
		Probe: l.probeVault, ReadKey: l.readVaultKey, Ask: l.askVault,
	}
}

// vaultClient looks at Password Secure by the trust that the answers give.
func (l *link) vaultClient(a steps.Answers, address string) (*vault.Client, trust.Choice, error) {
	choice, err := trust.ParseTrust(a.Text(vaultTrustKey))
	if err != nil {
		return nil, choice, problem.New(vaultTrustKey + " cannot be read").Because(err.Error()).At(vaultTrustKey).Of(problem.Usage)
	}
	choice.File = a.Path(choice.File)
	u, err := url.Parse(address)
	if err != nil {
		return nil, choice, problem.New(vaultURLKey + " cannot be read").At(vaultURLKey).Of(problem.Usage)
	}
	var config *tls.Config
	if config, err = trust.Config(choice, u.Hostname(), l.app.now); err != nil {
		return nil, choice, err
	}
	return vault.New(vault.Options{TLS: config, Now: l.app.now, Timeout: l.app.patience, DryRun: l.dry, Scrub: l.app.scrub, UserAgent: "npsetup/" + version}), choice, nil
}

func (l *link) probeVault(ctx context.Context, a steps.Answers) (passwordsecure.Sighting, error) {
	forms, err := vault.Forms(a.Text(vaultURLKey))
	if err != nil {
		return passwordsecure.Sighting{}, err
	}
	c, choice, err := l.vaultClient(a, forms[0].URL)
	if err != nil {
		return passwordsecure.Sighting{}, err
	}
	end := l.app.waiting(l.talk, "Password Secure at "+forms[0].URL, longestVault)
	reports := c.Probe(ctx, forms)
	end()
	if err := ctx.Err(); err != nil {
		return passwordsecure.Sighting{}, problem.New("the look at Password Secure was cancelled").Of(problem.Cancelled).From(err)
	}
	r, _ := vault.Best(reports)
	if r.Verdict == vault.Silent {
		r = reports[0] // none answers: the likeliest form
	}
	s := passwordsecure.Sighting{URL: r.Form.URL, Direct: r.Form.Kind == vault.Direct, Notes: r.Form.Notes, Answers: r.Verdict == vault.Answers, Trouble: r.Err()}
	if r.Certificate != nil {
		v := r.Certificate
		s.Certificate = &passwordsecure.Certificate{Subject: v.Subject, Issuer: v.Issuer, SHA256: v.SHA256, Names: v.Names, NotBefore: v.NotBefore, NotAfter: v.NotAfter, Trusted: v.Trusted, Reason: v.Reason, Import: v.Import, Notes: v.Notes}
	}
	l.vaultLeaf, l.vaultSeen = s.Certificate, r
	if choice.Kind == trust.Pin && r.Certificate != nil && r.Certificate.SHA256 != choice.SHA256 {
		return s, problem.New("the certificate of Password Secure is not the pinned one").Coded(problem.CertificateChanged).Because("it presents sha256:" + r.Certificate.SHA256).At(vaultTrustKey).
			Try("compare it on the Password Secure server; if it is the same, set passwordSecure.trust to pin:sha256:" + r.Certificate.SHA256)
	}
	return s, nil
}

// readVaultKey fetches the API key and reads it offline. One that is typed on the terminal is asked for once.
func (l *link) readVaultKey(ctx context.Context, a steps.Answers) (passwordsecure.Key, error) {
	pasted, err := l.vaultSecret(ctx, a)
	if err != nil {
		return passwordsecure.Key{}, err
	}
	k, err := vault.ParseKey(pasted)
	if err != nil {
		l.vaultTyped = secret.Secret{} // it is asked for again
		return passwordsecure.Key{}, err
	}
	l.app.scrub.Add(k.Secret())
	l.vaultKey = k
	return passwordsecure.Key{Database: k.Database, User: k.User, Expires: k.Expires, Fingerprint: k.Fingerprint(), Notes: k.Notes, Secret: k.Secret()}, nil
}

func (l *link) vaultSecret(ctx context.Context, a steps.Answers) (secret.Secret, error) {
	r, ok := a.Reference(vaultAPIKey)
	if !ok {
		return secret.Secret{}, problem.New(vaultAPIKey + " is missing").At(vaultAPIKey).Of(problem.Usage)
	}
	if !l.vaultTyped.Empty() && r.Source == secret.Prompt {
		return l.vaultTyped, nil
	}
	pasted, err := l.app.fetch(ctx, vaultAPIKey, r, "API key of Password Secure")
	if err == nil && r.Source == secret.Prompt && l.app.face == nil { // a face keeps it itself, and may have it typed anew
		l.vaultTyped = pasted
	}
	return pasted, err
}

// askVault asks whether Password Secure takes the key: once for each key and address in the life of a link.
func (l *link) askVault(ctx context.Context, a steps.Answers, address string) (passwordsecure.Asked, error) {
	if l.dry {
		return passwordsecure.Asked{Text: "it was not asked: this only reads"}, nil
	}
	about := address + "\x00" + l.vaultKey.Fingerprint()
	if l.askedAbout == about {
		return l.asked, nil
	}
	if may, err := l.knownVault(ctx, address); err != nil || !may {
		return passwordsecure.Asked{Text: "it was not asked: you did not agree to it"}, err
	}
	c, _, err := l.vaultClient(a, address)
	if err != nil {
		return passwordsecure.Asked{}, err
	}
	_, _ = fmt.Fprintf(l.talk, "asking Password Secure at %s whether it takes the API key: the first half of the key goes there\n", problem.Plain(address))
	s := c.SignIn(ctx, vault.Form{URL: address}, l.vaultKey)
	asked := passwordsecure.Asked{Text: s.Why}
	switch s.Proof {
	case vault.Accepted:
		asked.Answer = passwordsecure.Taken
	case vault.KeyExpired, vault.KeyRefused:
		asked.Answer, asked.Text = passwordsecure.Refused, "it refuses the key: "+s.Why
	case vault.NotProven:
	}
	if ctx.Err() == nil {
		l.asked, l.askedAbout = asked, about
	}
	return asked, ctx.Err()
}

// knownVault asks before a Password Secure that was not seen before gets a part of the key, also when the answers carry a pin.
func (l *link) knownVault(ctx context.Context, address string) (bool, error) {
	u, err := url.Parse(address)
	if err != nil || l.vaultLeaf == nil {
		return true, nil // nothing was presented: nothing will be sent either
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	seen, err := trust.LoadSeen(l.state)
	if err != nil {
		return false, err
	}
	if sight, _ := seen.Look(u.Hostname(), port, l.vaultLeaf.SHA256); sight == trust.Same {
		return true, nil
	}
	if l.app.terminal && !l.yes {
		ok, err := l.app.confirm(ctx, l.talk, "Ask there whether the API key is taken?", problem.Plain(u.Host)+" was not used before from here.",
			"  certificate "+problem.Plain(l.vaultLeaf.Subject), "  SHA-256     "+face.Grouped(l.vaultLeaf.SHA256), "  the first half of the API key goes there; passwordSecure.checkKey: false leaves the question out")
		if err != nil || !ok {
			return false, err
		}
	}
	if err := seen.Remember(u.Hostname(), port, trust.Cert{SHA256: l.vaultLeaf.SHA256, Subject: l.vaultLeaf.Subject}, l.app.now()); err != nil {
		return false, err
	}
	return true, seen.Save()
}
