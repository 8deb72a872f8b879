package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"npsetup/assets"
	"npsetup/client/nps"
	vault "npsetup/client/passwordsecure"
	"npsetup/client/pki"
	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/auditor"
	shared "npsetup/steps/nps"
	"npsetup/steps/passwordsecure"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// link is the one connection of a run: it is made once, signed in once, and used by every look and every change.
type link struct {
	app     *app
	talk    io.Writer
	dry     bool
	yes     bool // consent was given in advance: nothing is asked
	state   string
	observe func(nps.Exchange)
	life    context.Context // ends with the command: the token is renewed in the background until then

	client   *nps.Client
	fresh    *nps.Client // whose token is renewed in the background
	served   string      // url and trust that the client was made for
	signedAs string      // answers that the identity was signed in with
	answers  steps.Answers
	identity *shared.Identity
	mute     bool // nothing is noted down, not even a host that was signed in to
	chain    shared.Presented

	pfx map[[sha256.Size]byte]openedPFX // by the SHA-256 of the file

	vaultKey   vault.Key                   // of Password Secure, as it was read last
	vaultTyped secret.Secret               // the same as it was typed on a terminal
	vaultLeaf  *passwordsecure.Certificate // that Password Secure presented
	vaultSeen  vault.Report                // how it answered
	asked      passwordsecure.Asked        // what it said of the key, for askedAbout
	askedAbout string

	sshPassword sshPassword // of the NPS server's administrator
	leafKey     string      // of the first certificate in chain: the SHA-256 of its public key, base64
}

// guides makes the guides over a link.
func (l *link) guides() []steps.Guide {
	return []steps.Guide{auditor.Guide(l.world()), passwordsecure.Guide(l.vaultWorld())}
}

func (l *link) guide(id string) (steps.Guide, bool) {
	for _, g := range l.guides() {
		if g.ID == id {
			return g, true
		}
	}
	return steps.Guide{}, false
}

func (l *link) world() auditor.World {
	return auditor.World{
		World: shared.World{
			Probe: l.probe, Connect: l.connect, Now: l.app.now, Texts: shared.Texts{FS: assets.Texts()},
			CheckTrust: func(text string) error { _, err := trust.ParseTrust(text); return err },
		},
		ReadCertificate: readCertificate, CheckKey: checkKey, SameSerial: pki.SameSerial, PDC: l.app.pdc, Files: l.files(), SSH: l.ssh(), Events: l.app.auditorEvents,
	}
}

func (l *link) probe(ctx context.Context, address string) (shared.Presented, error) {
	end := l.app.waiting(l.talk, "the certificate of "+address, longestHandshake)
	p, err := trust.Prober{Now: l.app.now, Dial: l.app.network.Dial, Resolver: l.app.network, HandshakeLimit: l.app.patience}.Probe(ctx, address)
	end()
	if err != nil {
		return shared.Presented{}, err
	}
	seen := shared.Presented{Host: p.Host, Port: p.Port, Verified: p.Verified, Reason: p.Reason, Expired: p.Has(trust.Expired), Misnamed: p.Has(trust.WrongName), Took: p.Handshake, Note: p.Note}
	for _, c := range p.Chain {
		seen.Chain = append(seen.Chain, shared.Certificate{
			Subject: c.Subject, Issuer: c.Issuer, SHA256: c.SHA256, SHA1: c.SHA1, Key: c.KeyDescription, Names: c.SANs, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
			SelfSigned: c.SelfSigned,
		})
	}
	l.chain, l.leafKey = seen, ""
	if len(p.Chain) > 0 {
		l.leafKey = p.Chain[0].PublicKey
	}
	return seen, nil
}

func (l *link) connect(ctx context.Context, a steps.Answers) (shared.Connection, error) {
	l.answers = a
	if l.client != nil && l.served == served(a) {
		return l, nil
	}
	l.client, l.identity = nil, nil
	choice, err := trust.ParseTrust(a.Text("nps.trust"))
	if err != nil {
		return nil, problem.New("nps.trust cannot be read").Because(err.Error()).Of(problem.Usage)
	}
	choice.File = a.Path(choice.File)
	u, err := url.Parse(a.Text("nps.url"))
	if err != nil {
		return nil, problem.New("nps.url cannot be read").Of(problem.Usage)
	}
	config, err := trust.Config(choice, u.Hostname(), l.app.now)
	if err != nil {
		return nil, err
	}
	if err := l.knownHost(ctx, a); err != nil {
		return nil, err
	}
	l.served = served(a)
	l.client, err = nps.New(nps.Options{
		BaseURL: a.Text("nps.url"), TLS: config, Now: l.app.now, DryRun: l.dry, Scrub: l.app.scrub, UserAgent: "npsetup/" + version, Observe: l.observe,
		Explain: trust.Explain, Again: l.again(), Wait: l.app.between, Timeout: l.app.patience, Waiting: l.awaits,
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// served names what a client is made for.
func served(a steps.Answers) string { return a.Text("nps.url") + "\x00" + a.Text("nps.trust") }

// signedAs names what an identity was signed in with.
func signedAs(a steps.Answers) string {
	return a.Text("nps.signIn.user") + "\x00" + a.Text("nps.signIn.password") + "\x00" + a.Text("nps.signIn.token")
}

// knownHost asks before a host that was not seen before gets a password, also when the answers carry a pin.
func (l *link) knownHost(ctx context.Context, a steps.Answers) error {
	seen, err := trust.LoadSeen(l.state)
	if err != nil || len(l.chain.Chain) == 0 {
		return err
	}
	leaf := l.chain.Chain[0]
	sight, before := seen.Look(l.chain.Host, l.chain.Port, leaf.SHA256)
	switch sight {
	case trust.Same:
		return nil
	case trust.Changed:
		_, _ = fmt.Fprintf(l.talk, "note: the certificate of %s is another one than before\n  then  sha256:%s, seen since %s\n  now   sha256:%s\n",
			problem.Plain(l.chain.Host), before.SHA256, before.FirstSeen.UTC().Format("2006-01-02"), leaf.SHA256)
	case trust.New:
	}
	if l.app.terminal && !l.yes {
		ok, err := l.app.confirm(ctx, l.talk, "Sign in there?",
			problem.Plain(l.chain.Host)+" was not used before from here.", "  certificate "+problem.Plain(leaf.Subject), "  SHA-256     "+face.Grouped(leaf.SHA256), "  SHA-1       "+face.Grouped(leaf.SHA1)+"  (Thumbprint in Windows)",
			"To look what NPS has, and what this user may do there, "+signsIn(a)+". Nothing is changed by that.")
		if err != nil {
			return err
		}
		if !ok {
			return problem.New("stopped before the sign-in").Of(problem.Cancelled)
		}
	}
	return nil
}

// remember notes the host after a sign-in that worked.
func (l *link) remember() error {
	if len(l.chain.Chain) == 0 || l.mute {
		return nil
	}
	seen, err := trust.LoadSeen(l.state)
	if err != nil {
		return err
	}
	leaf := l.chain.Chain[0]
	shown := trust.Cert{SHA256: leaf.SHA256, SHA1: leaf.SHA1, Subject: leaf.Subject, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}
	if err := seen.Remember(l.chain.Host, l.chain.Port, shown, l.app.now()); err != nil {
		return err
	}
	return seen.Save()
}

// Greet implements the guides' Connection.
func (l *link) Greet(ctx context.Context) (shared.Greeting, error) {
	g, err := l.client.Greet(ctx)
	return shared.Greeting{Health: g.Health, Skew: g.Skew}, err
}

// Reader implements the guides' Connection.
func (l *link) Reader() shared.Reader { return l.client }

// SignIn implements the guides' Connection. A second look in the same run finds itself signed in.
func (l *link) SignIn(ctx context.Context, a steps.Answers) (shared.Identity, error) {
	l.answers = a
	if l.identity != nil && l.signedAs == signedAs(l.answers) {
		return *l.identity, nil
	}
	l.identity = nil
	cr, err := l.credentials(ctx)
	if err != nil {
		return shared.Identity{}, err
	}
	l.say()
	who, err := l.client.SignIn(ctx, cr)
	if err != nil {
		return shared.Identity{}, err
	}
	id := shared.Identity{User: who.User, Roles: who.Roles, Admin: who.Admin}
	if id.Version, err = l.client.Version(ctx); err != nil {
		return id, err
	}
	if id.Admin {
		licence, err := l.client.License(ctx)
		if err != nil {
			return id, err
		}
		id.LicenceExpired, id.LicenceText = licence.Expired, licence.String()
	}
	l.identity, l.signedAs = &id, signedAs(l.answers)
	if client := l.client; l.life != nil && l.fresh != client {
		l.fresh = client
		go func() { _ = client.KeepFresh(l.life) }() // the next request meets whatever failed
	}
	return id, l.remember()
}

// signsIn says what a sign-in sends.
func signsIn(a steps.Answers) string {
	if a.Has("nps.signIn.token") {
		return "a token goes there"
	}
	user := problem.Plain(a.Text("nps.signIn.user"))
	if user == "" { // a wizard comes to it next
		user = "the NPS administrator who is asked for next"
	}
	return "the password and the MFA code of " + user + " go there"
}

// say tells where the first secret goes before it leaves.
func (l *link) say() {
	certificate := ""
	if len(l.chain.Chain) > 0 {
		certificate = " (certificate sha256:" + l.chain.Chain[0].SHA256 + ")"
	}
	_, _ = fmt.Fprintf(l.talk, "signing in to %s: %s%s\n", l.answers.Text("nps.url"), signsIn(l.answers), certificate)
}

func (l *link) credentials(ctx context.Context) (nps.Credentials, error) {
	a := l.answers
	if r, ok := a.Reference("nps.signIn.token"); ok {
		t, err := l.app.fetch(ctx, "nps.signIn.token", r, "token")
		return nps.Credentials{Token: t}, err
	}
	r, ok := a.Reference("nps.signIn.password")
	if !ok {
		return nps.Credentials{}, problem.New("nps.signIn.password is missing").Of(problem.Usage)
	}
	what := "password of " + problem.Plain(a.Text("nps.signIn.user"))
	if r.Source == secret.Prompt {
		what += l.signInTo()
	}
	password, err := l.app.fetch(ctx, "nps.signIn.password", r, what)
	if err != nil {
		return nps.Credentials{}, err
	}
	mfa, err := l.mfa(ctx, a.Text("nps.signIn.mfa"))
	return nps.Credentials{User: a.Text("nps.signIn.user"), Password: password, MFA: mfa}, err
}

// signInTo tells the person who is asked for a secret what it is for.
func (l *link) signInTo() string {
	return ", to sign in to " + problem.Plain(l.answers.Text("nps.url"))
}

func (l *link) mfa(ctx context.Context, answer string) (nps.MFA, error) {
	kind, rest, _ := strings.Cut(answer, ":")
	switch kind {
	case "none":
		return nps.None(), nil
	case "push":
		return nps.Push(rest), nil
	case "totp":
		r, ok := l.answers.ReferenceIn(rest)
		if !ok {
			return nil, problem.New("nps.signIn.mfa cannot be read").Of(problem.Usage)
		}
		s, err := l.app.fetch(ctx, "nps.signIn.mfa", r, "TOTP secret")
		return nps.TOTP(s, l.app.now), err
	}
	return nps.Ask(func(ctx context.Context) (secret.Secret, error) {
		return l.app.fetch(ctx, "nps.signIn.mfa", secret.Reference{}, "MFA code of "+problem.Plain(l.answers.Text("nps.signIn.user"))+l.signInTo())
	}), nil
}

// again signs in anew in the middle of a run, when the means for it are at hand without asking, or a person is there.
func (l *link) again() func(context.Context) (nps.Credentials, error) {
	return func(ctx context.Context) (nps.Credentials, error) {
		if l.answers.Has("nps.signIn.token") {
			return nps.Credentials{}, nps.SignInEnded()
		}
		return l.credentials(ctx)
	}
}

func readCertificate(path string, now time.Time) (auditor.Certificate, error) {
	c, err := pki.ReadCertificate(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return auditor.Certificate{}, fs.ErrNotExist
		}
		return auditor.Certificate{}, err
	}
	return certificateIn(c, pki.Check(c, now)), nil
}

// certificateIn is a certificate in words, with what was judged of it.
func certificateIn(c pki.Certificate, judged []pki.Remark) auditor.Certificate {
	out := auditor.Certificate{
		Subject: c.Subject, Issuer: c.Issuer, Serial: c.Serial, Thumbprint: c.SHA1, SHA256: c.SHA256, NotBefore: c.X509.NotBefore, NotAfter: c.X509.NotAfter, SelfSigned: c.SelfSigned, DER: c.X509.Raw,
	}
	var refused problem.List
	for _, r := range judged {
		switch r.Level {
		case pki.Warn:
			out.Warnings = append(out.Warnings, r.Text)
		case pki.Refuse:
			refused.Add(r.Problem())
		}
	}
	out.Refused = refused.Err()
	return out
}

func checkKey(certificate, key string) error {
	c, err := pki.ReadCertificate(certificate)
	if err != nil {
		return err
	}
	k, err := pki.ReadKey(key)
	if err == nil {
		err = pki.Matches(c, k)
	}
	if err != nil {
		p := *problem.All(err)[0]
		if p.Code == problem.KeyDoesNotFit {
			p.Why = "the key is " + problem.Plain(key) + ", the certificate " + problem.Plain(certificate) + "; " + p.Why
		}
		return p.At("application.key").Try("or leave application.key out: it is optional")
	}
	return nil
}
