package auditor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// kit is what lies in the folder of a certificate that does not come from Auditor.
type kit struct {
	files
	key, req, cer, pfx bool
	gone               bool         // the key is not there, and nothing but a proof of our own needs it any longer
	answered           bool         // the authority's answer is there, at files.answer
	from               []string     // files with the certificates of the chain
	authorities        []issuerFile // of the answer, with their own files
}

// issuerFile is a certificate of an authority that gets a file of its own.
type issuerFile struct {
	path   string
	sha256 string
	there  bool
}

var kitKey = steps.Key[kit]{Name: "auditor.kit"}

// fits says whether the application's name can stand in a certificate.
func (w World) fits(s *steps.Scene) {
	for _, p := range problem.All(w.Files.CheckName(s.Answers.Text(keyApplication))) {
		s.Problem(p.At(keyApplication))
	}
}

// lookFolder says what keeps the files from being made that are not there, as far as they are needed.
func (w World) lookFolder(s *steps.Scene, k kit) {
	certified := k.cer || roadOf(s.Answers) == roadRequest && !k.answered
	needed := !k.key && !k.gone || !certified || !k.pfx && !k.gone && !s.Memory.ManualDone[importStep]
	for _, p := range problem.All(w.Files.Folder(k.folder)) {
		switch {
		case needed:
			s.Problem(p.At(keyFolder))
		case p.Code == problem.KeyFolderUnsafe && (k.key || k.pfx): // nothing is written there any more, and much is read
			s.Warn("the files of the certificate lie in "+problem.Plain(k.folder)+": "+p.Why+"; "+strings.Join(p.Next, "; "), p.Code)
		}
	}
}

// lookKey says whether the private key is there, and if not, whether it is needed any longer. A key that an earlier run made
// elsewhere is not forgotten: a new one would lock Auditor out.
func (w World) lookKey(ctx context.Context, s *steps.Scene, k *kit) (goesOn bool) {
	fingerprint, err := w.Files.Key(k.files.key)
	switch {
	case err == nil:
		s.Observe("key", fingerprint)
		k.key = true
		return true
	case !errors.Is(err, fs.ErrNotExist):
		s.Problem(err)
		return false
	}
	s.Observe("key", nil)
	if k.gone = w.keyServed(ctx, s, k.files); k.gone {
		steps.Put(s, goneKey, k.files.key)
		return true
	}
	w.keyMissing(s, k.files)
	return false
}

// keyMissing tells what a missing key means that is needed yet.
func (w World) keyMissing(s *steps.Scene, f files) {
	made := false
	for _, old := range s.Memory.Keys {
		made = made || old == f.key
		if old != f.key && w.Files.Exists(old) {
			s.Problem(problem.New("the private key is not in "+problem.Plain(f.folder)).Because("an earlier run made it at "+problem.Plain(old)+", and a new one would need a new certificate in Auditor").At(keyFolder).
				Try("name its folder under application.folder, or move the key into "+problem.Plain(f.folder), "to begin with a new key all the same, move the former one away"))
			return
		}
	}
	left := false
	for _, path := range []string{f.req, f.cer, f.pfx, f.answer} {
		if w.Files.Exists(path) {
			left = true
			s.Problem(problem.New("the private key of "+problem.Plain(path)+" is missing").Because("it belongs into "+problem.Plain(f.key)+", and without it nobody can sign in with the certificate").At(keyFolder).
				Try("put the key back", "to begin with a new key, move the file away, or name another folder under application.folder"))
		}
	}
	if made && !left {
		s.Warn("the private key that an earlier run made is no longer in " + problem.Plain(f.folder) + ": a new one is made, and what rested on the former certificate is done anew")
	}
}

// lookNew looks at a certificate that is made here.
func (w World) lookNew(ctx context.Context, s *steps.Scene) error {
	k := kit{files: filesOf(s.Answers)}
	k.from = []string{k.files.cer}
	defer func() {
		w.lay(s, k)
		w.lookFolder(s, k)
	}()
	w.fits(s)
	if !w.lookKey(ctx, s, &k) {
		return nil
	}
	c, err := w.ReadCertificate(k.files.cer, w.serverNow(s))
	if errors.Is(err, fs.ErrNotExist) {
		s.Observe("certificate", nil)
		if w.Files.Exists(k.files.pfx) {
			s.Problem(problem.New("the certificate of "+problem.Plain(k.files.pfx)+" is missing").Because("it belongs into "+problem.Plain(k.files.cer)).At(keyFolder).
				Try("put the certificate back", "to make a new one of the same key, move the PFX away"))
		}
		return nil
	}
	if err != nil {
		return remedied(err, false, "put the certificate back; to make a new one of the same key, move "+problem.Plain(k.files.cer)+" and "+problem.Plain(k.files.pfx)+" away")
	}
	if err := w.checkOwnKey(k); err != nil {
		return problem.New("the key and the certificate in "+problem.Plain(k.folder)+" do not belong together").Because(problem.Plain(problem.All(err)[0].Why)).At(keyFolder).
			Try("put the right one of the two back", "to make a new certificate of this key, move "+problem.Plain(k.files.cer)+" and "+problem.Plain(k.files.pfx)+" away").From(err)
	}
	if !c.SelfSigned {
		return problem.New(problem.Plain(k.files.cer)+" is not self-signed").Because("it was issued by "+problem.Plain(c.Issuer)).At(keyCertificate).
			Try("answer application.certificate: request, for a certificate that an authority issues", "to make a self-signed one of the same key, move the file away")
	}
	k.cer = true
	steps.Put(s, chainKey, Chain{Leaf: c, Root: c})
	w.seen(s, c)
	if c.NotBefore.After(w.serverNow(s)) {
		s.Problem(c.Refused) // the clocks differ: a new one would begin as late
	} else {
		s.Problem(remedied(c.Refused, false, "move "+problem.Plain(k.files.cer)+" and "+problem.Plain(k.files.pfx)+" away: the next run makes a new certificate of the same key"))
	}
	k.pfx = w.lookPFX(ctx, s, k.files, c.SHA256)
	return nil
}

// lookRequest looks at a key, the request for it, and what the authority has answered.
func (w World) lookRequest(ctx context.Context, s *steps.Scene) error {
	k := kit{files: filesOf(s.Answers)}
	defer func() {
		w.lay(s, k)
		w.lookFolder(s, k)
	}()
	w.fits(s)
	if !w.lookKey(ctx, s, &k) {
		return nil
	}
	w.lookOwnRequest(s, &k)
	for _, path := range k.candidates() {
		if w.Files.Exists(path) {
			k.files.answer, k.answered = path, true
			break
		}
	}
	if !k.answered && w.takenBefore(ctx, s, k.files) {
		k.files.answer, k.answered = k.files.cer, true
	}
	if !k.answered {
		s.Observe("certificate", nil)
		return nil
	}
	chain, err := w.answered(s, &k)
	if err != nil {
		return notIssued(err, k.files)
	}
	if chain.Leaf.SelfSigned {
		return problem.New("the certificate in "+problem.Plain(k.files.answer)+" is self-signed").Because("no authority has issued it").At(keyCAAnswer).
			Try("move it away and put the authority's answer there", "or answer application.certificate: new, to use a self-signed one")
	}
	w.seen(s, chain.Leaf)
	s.Problem(remedied(chain.Leaf.Refused, true, "hand "+problem.Plain(k.files.req)+" in again, and save the new answer as "+problem.Plain(k.files.answer)))
	if chain.Missing == "" {
		w.vouched(s, chain)
	} else {
		lone(s, k.files, chain)
	}
	w.lookAnswered(ctx, s, &k, chain)
	return nil
}

// lookOwnRequest looks whether the request is there. Without its key it is of no use any longer.
func (w World) lookOwnRequest(s *steps.Scene, k *kit) {
	if k.gone {
		return
	}
	err := w.Files.CheckRequest(k.files.req, k.files.key)
	if k.req = err == nil; err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Problem(err)
	}
	s.Observe("request", k.req)
}

// answered reads the chain of the answer. Where the answer itself is gone, the certificates that were taken out of it make it up.
func (w World) answered(s *steps.Scene, k *kit) (Chain, error) {
	k.from = []string{k.files.answer}
	key := k.files.key
	if k.gone {
		k.from, key = []string{k.files.cer, k.files.answer}, ""
	}
	if k.files.answer == k.files.cer {
		k.from = w.takenOut(k.files)
	}
	if authorities := s.Answers.File(keyAuthorities); authorities != "" {
		if !w.Files.Exists(authorities) {
			return Chain{}, problem.New("the file " + problem.Plain(authorities) + " is not there").At(keyAuthorities).Try("name the file with the certificates of the authority, or leave the answer out when their chain stands in its answer")
		}
		k.from = append(k.from, authorities)
	}
	return w.Files.Chain(key, k.from, w.serverNow(s))
}

// lookAnswered looks which files are made of the answer already.
func (w World) lookAnswered(ctx context.Context, s *steps.Scene, k *kit, chain Chain) {
	k.cer = k.files.answer == k.files.cer || w.holds(s, k.files.cer, chain.Leaf.SHA256)
	if chain.Missing == "" {
		k.authorities = []issuerFile{{path: k.files.root, sha256: chain.Root.SHA256}}
	}
	for i, c := range chain.Between {
		k.authorities = append(k.authorities, issuerFile{path: k.intermediate(i + 1), sha256: c.SHA256})
	}
	for i, a := range k.authorities {
		k.authorities[i].there = w.holds(s, a.path, a.sha256)
	}
	k.pfx = w.lookPFX(ctx, s, k.files, chain.Leaf.SHA256)
}

// holds says whether a file is there with this certificate. Another one in it is a problem: nothing is overwritten.
func (w World) holds(s *steps.Scene, path, sha256 string) bool {
	c, err := w.ReadCertificate(path, w.serverNow(s))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false
	case err != nil:
		s.Problem(err)
	case c.SHA256 != sha256:
		s.Problem(problem.New(problem.Plain(path) + " holds another certificate").Because("it has sha256:" + c.SHA256 + ", wanted is sha256:" + sha256).At(keyFolder).
			Try("move it away: the next run writes the right one"))
	}
	return true
}

func (w World) lookPFX(ctx context.Context, s *steps.Scene, f files, sha256 string) bool {
	err := w.Files.CheckPFX(ctx, f.pfx, s.Answers, sha256)
	if errors.Is(err, fs.ErrNotExist) {
		s.Observe("pfx", false)
		return false
	}
	if err != nil {
		s.Problem(err)
	}
	s.Observe("pfx", true)
	return true
}

// lay shows what lies in the folder, and keeps it for the plan.
func (w World) lay(s *steps.Scene, k kit) {
	steps.Put(s, kitKey, k)
	items := []string{stands("private key", k.files.key, k.key)}
	if k.gone {
		items[0] = "private key: " + problem.Plain(k.files.key) + ", no longer there, and needed only to prove the sign-in from here"
	}
	if roadOf(s.Answers) == roadRequest {
		items = append(items, stands("request", k.files.req, k.req), stands("answer of the authority", k.files.answer, k.answered))
	}
	items = append(items, stands("certificate", k.files.cer, k.cer), stands("PFX", k.files.pfx, k.pfx))
	s.See(steps.Finding{Kind: steps.ListFinding, Title: "files of the certificate", State: steps.Info, Items: items})
}

func stands(what, path string, there bool) string {
	state := "not there yet"
	if there {
		state = "there"
	}
	return strings.TrimSpace(fmt.Sprintf("%s: %s, %s", what, problem.Plain(path), state))
}
