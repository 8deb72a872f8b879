package main

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"npsetup/client/pki"
	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/auditor"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

// passphraseKey is the answer that says where the passphrase of a PFX is fetched from.
const passphraseKey = "application.passphrase"

// passphraseNeeded says whether the passphrase has to be at hand from the start: where it is certain that a PFX will be packed. In
// other cases, and when it is asked for, makerFor fetches it before anything is made.
func passphraseNeeded(a steps.Answers, r secret.Reference) bool {
	return r.Source != secret.Prompt && auditor.Packs(a, func(path string) bool { _, err := os.Stat(path); return err == nil })
}

// files is what the guide looks at on this machine.
func (l *link) files() auditor.Files {
	f := auditor.Files{
		Exists: func(path string) bool { _, err := os.Lstat(path); return err == nil },
		Key: func(path string) (string, error) {
			k, err := pki.ReadKey(path)
			if err != nil {
				return "", err
			}
			return pki.KeyFingerprint(k.Public()), nil
		},
		Folder: pki.CheckFolder, CheckName: pki.CheckName, CheckRequest: checkRequest, Chain: readChain, CheckPFX: l.checkPFX, InStore: inStore, Beside: beside,
	}
	if runtime.GOOS == "windows" {
		f.Stored = stored
	}
	return f
}

// besideMost is how many files of a folder are tried.
const besideMost = 200

// beside lists the files of a folder that are named as certificates are.
func beside(folder string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".cer", ".crt", ".der", ".pem":
			if list = append(list, filepath.Join(folder, e.Name())); len(list) == besideMost {
				return list
			}
		}
	}
	return list
}

func inStore(thumbprint string, now time.Time) (auditor.Certificate, error) {
	der, err := trust.PersonalByThumbprint(thumbprint)
	if err != nil {
		return auditor.Certificate{}, err
	}
	c, err := pki.ParseCertificate(`LocalMachine\My`, der)
	if err != nil {
		return auditor.Certificate{}, err
	}
	return certificateIn(c, pki.Check(c, now)), nil
}

// stored leaves out what cannot be read: Windows keeps many kinds there.
func stored(now time.Time) ([]auditor.Certificate, error) {
	all, err := trust.Personal()
	var found []auditor.Certificate
	for _, der := range all {
		if c, err := pki.ParseCertificate(`LocalMachine\My`, der); err == nil {
			found = append(found, certificateIn(c, pki.Check(c, now)))
		}
	}
	return found, err
}

// checkRequest says whether a request asks for a certificate of this key.
func checkRequest(request, key string) error {
	f, err := os.Open(request)
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
	}
	bad := func(why string, next ...string) error {
		return problem.New("the request " + problem.Plain(request) + " cannot be used").Because(why).Try(next...)
	}
	if err != nil {
		return bad(problem.Plain(err.Error()), "make it readable")
	}
	defer func() { _ = f.Close() }()
	const limit = 64 << 10 // a request has some two kilobytes
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil || len(raw) > limit {
		return bad("it cannot be read, or is larger than a request", "move it away: the next run makes a new one of the same key")
	}
	r, err := pki.ParseRequest(request, raw)
	if err != nil {
		return bad(problem.Plain(problem.All(err)[0].Why), "move it away: the next run makes a new one of the same key")
	}
	k, err := pki.ReadKey(key)
	if err != nil {
		return err
	}
	if public, is := k.Public().(interface{ Equal(crypto.PublicKey) bool }); !is || !public.Equal(r.X509.PublicKey) || !r.Proven {
		return bad("it belongs to another key than "+problem.Plain(key), "put the key back to which it belongs", "or move the request away: the next run makes a new one")
	}
	return nil
}

// bundles reads the certificates of several files.
func bundles(files []string) ([]pki.Certificate, error) {
	var all []pki.Certificate
	for _, path := range files {
		found, err := pki.ReadBundle(path)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// chainOf orders the certificates in files: that of the key, or without one the only one of the first file, and its issuers.
func chainOf(key string, files []string) (pki.Chained, error) {
	all, err := bundles(files)
	if err != nil {
		return pki.Chained{}, err
	}
	if key == "" {
		leaf, err := pki.ReadCertificate(files[0])
		if err != nil {
			return pki.Chained{}, err
		}
		return pki.ChainOf(leaf, all), nil
	}
	k, err := pki.ReadKey(key)
	if err != nil {
		return pki.Chained{}, err
	}
	chain, err := pki.Chain(k, all)
	if err == nil {
		return chain, nil
	}
	var l problem.List
	for _, p := range problem.All(err) {
		told := *p
		told.Why = "the private key is " + problem.Plain(key) + ", the certificates are those of " + problem.Plain(strings.Join(files, ", ")) + "; " + p.Why
		l.Add(told.From(err))
	}
	return chain, l.Err()
}

func readChain(key string, files []string, now time.Time) (auditor.Chain, error) {
	c, err := chainOf(key, files)
	if err != nil {
		return auditor.Chain{}, err
	}
	judge := pki.Check
	if key != "" { // what belongs to a key that was made here, Auditor has not generated
		judge = pki.CheckAnswer
	}
	out := auditor.Chain{Leaf: certificateIn(c.Leaf, judge(c.Leaf, now)), Missing: c.Missing}
	if c.Missing != "" {
		return out, nil
	}
	for _, by := range c.Between() {
		out.Between = append(out.Between, certificateIn(by, pki.CheckAuthority(by, now)))
	}
	root, _ := c.Root()
	if root.SHA256 == c.Leaf.SHA256 {
		out.Root = out.Leaf
	} else {
		out.Root = certificateIn(root, pki.CheckAuthority(root, now))
	}
	return out, nil
}

// checkPFX says whether a PFX holds a certificate. A passphrase that is not at hand is not asked for: that the file is there has to
// do.
func (l *link) checkPFX(ctx context.Context, path string, a steps.Answers, sha256 string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
	}
	r, ok := a.Reference(passphraseKey)
	if !ok || r.Source == secret.Prompt {
		return nil
	}
	passphrase, err := l.app.fetch(ctx, passphraseKey, r, "passphrase of the PFX")
	if err != nil {
		return nil //nolint:nilerr // the file is there: what it was packed with is needed no longer
	}
	held, err := l.opened(path, passphrase)
	if err != nil {
		p := *problem.All(err)[0]
		return p.At(passphraseKey).Try("or move the PFX away: the next run packs it anew")
	}
	if !slices.ContainsFunc(held.Certificates, func(c pki.Certificate) bool { return c.SHA256 == sha256 }) {
		return problem.New("the PFX " + problem.Plain(path) + " holds another certificate").Because("it has " + problem.Plain(held.Certificates[0].Subject) + " with sha256:" + held.Certificates[0].SHA256).
			Try("move it away: the next run packs it anew")
	}
	return nil
}

// openedPFX is a PFX that was opened in this run.
type openedPFX struct {
	passphrase secret.Secret
	content    pki.Container
}

// opened opens a PFX. The same bytes are not opened twice with the same passphrase: that takes a hundred thousand rounds each time.
func (l *link) opened(path string, passphrase secret.Secret) (pki.Container, error) {
	raw, err := readLimited(path)
	if err != nil {
		return pki.ReadPFX(path, passphrase) // it says what is wrong
	}
	sum := sha256.Sum256(raw)
	if known, has := l.pfx[sum]; has && known.passphrase.Equal(passphrase) {
		return known.content, nil
	}
	content, err := pki.ParsePFX(path, raw, passphrase)
	if err == nil {
		if l.pfx == nil {
			l.pfx = map[[sha256.Size]byte]openedPFX{}
		}
		l.pfx[sum] = openedPFX{passphrase, content}
	}
	return content, err
}

// maker makes what a plan describes. Passphrases were fetched before anything was made.
type maker struct {
	now        func() time.Time
	passphrase secret.Secret
	watch      func(path string, made bool) // called before and after each file; nil: nobody watches
	rounds     int                          // of the key derivation of a PFX; 0: pki.Iterations
}

var _ run.Maker = (*maker)(nil)

// makerFor fetches what a plan needs to make its files; nil: it makes none.
func (j *job) makerFor(ctx context.Context, p plan.Plan) (run.Maker, error) {
	m := &maker{now: j.app.now, watch: j.app.making, rounds: j.app.rounds}
	for _, a := range p.Actions {
		for _, op := range a.Ops {
			if op.Kind != plan.KindFile || op.File.Make == nil || op.File.Make.Passphrase == nil || !m.passphrase.Empty() {
				continue
			}
			r, ok := j.answers.Reference(passphraseKey)
			if !ok {
				return nil, problem.New("the " + op.File.Make.Passphrase.Name + " is missing").At(passphraseKey).Try("answer it with env:NAME, file:PATH, keyring:NAME or prompt").Of(problem.Usage)
			}
			s, err := j.link.app.fetchNew(ctx, passphraseKey, r, op.File.Make.Passphrase.Name)
			if err != nil {
				return nil, err
			}
			passphraseWarnings(j.talk(), s, pki.Encryption(op.File.Make.Encryption))
			m.passphrase = s
		}
	}
	return m, nil
}

// Make implements run.Maker.
func (m *maker) Make(_ context.Context, f plan.File) (map[string]string, error) {
	if m.watch == nil {
		return m.make(f)
	}
	m.watch(f.Path, false)
	outputs, err := m.make(f)
	m.watch(f.Path, true)
	return outputs, err
}

func (m *maker) make(f plan.File) (map[string]string, error) {
	var err error
	switch what := *f.Make; what.What {
	case plan.MakeKey:
		var k crypto.Signer
		if k, err = pki.NewKey(pki.KeyKind(what.KeyType)); err == nil {
			err = pki.WriteKey(f.Path, k, secret.Secret{})
		}
	case plan.MakeSelfSigned:
		return m.selfSigned(f)
	case plan.MakeRequest:
		err = makeRequest(f)
	case plan.MakeCertificate:
		return takeOut(f)
	case plan.MakePFX:
		err = m.pack(f)
	}
	return nil, err
}

// early is how far back a certificate begins: clocks differ.
const early = 10 * time.Minute

func (m *maker) selfSigned(f plan.File) (map[string]string, error) {
	k, err := pki.ReadKey(f.Make.Key)
	if err != nil {
		return nil, err
	}
	now := m.now()
	c, err := pki.NewSelfSigned(f.Make.Name, k, now.Add(-early), now.AddDate(0, 0, f.Make.Days))
	if err != nil {
		return nil, err
	}
	return told(c), pki.WriteFile(f.Path, c.X509.Raw, fs.FileMode(f.Mode))
}

// told are the outputs of a certificate.
func told(c pki.Certificate) map[string]string {
	return map[string]string{plan.SerialOutput: c.Serial, plan.ThumbprintOutput: c.SHA1, plan.SHA256Output: c.SHA256}
}

func makeRequest(f plan.File) error {
	k, err := pki.ReadKey(f.Make.Key)
	if err != nil {
		return err
	}
	r, err := pki.NewRequest(f.Make.Name, k)
	if err != nil {
		return err
	}
	return pki.WriteFile(f.Path, r.PEM(), fs.FileMode(f.Mode))
}

// takeOut writes one certificate of several into a file of its own.
func takeOut(f plan.File) (map[string]string, error) {
	all, err := bundles(f.Make.From)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.SHA256 == f.Make.SHA256 {
			return told(c), pki.WriteFile(f.Path, c.X509.Raw, fs.FileMode(f.Mode))
		}
	}
	return nil, changed(f)
}

func changed(f plan.File) error {
	return problem.New("the certificate with sha256:" + f.Make.SHA256 + " is no longer in " + problem.Plain(f.Make.From[0])).Because("the file changed after the plan was made").
		Try("look at the plan anew").Of(problem.Stale)
}

func (m *maker) pack(f plan.File) error {
	c, err := chainOf(f.Make.Key, f.Make.From)
	if err != nil {
		return err
	}
	if f.Make.SHA256 != "" && c.Leaf.SHA256 != f.Make.SHA256 {
		return changed(f)
	}
	k, err := pki.ReadKey(f.Make.Key)
	if err != nil {
		return err
	}
	c.Issuers = c.Between() // importing it must not make Auditor's server trust another root
	raw, err := pki.PFXWith(k, c, m.passphrase, pki.Encryption(f.Make.Encryption), cmp.Or(m.rounds, pki.Iterations))
	if err != nil {
		return err
	}
	return pki.WriteFile(f.Path, raw, fs.FileMode(f.Mode))
}
