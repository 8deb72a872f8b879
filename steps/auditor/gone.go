package auditor

import (
	"context"
	"errors"
	"io/fs"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
)

// goneKey is the private key that is not there any longer and that only a proof of our own would need.
var goneKey = steps.Key[string]{Name: "auditor.goneKey"}

// keyServed says whether a key that is not there has done its service: its certificate is there, and Auditor has the key, or a PFX
// carries it to Auditor.
func (w World) keyServed(ctx context.Context, s *steps.Scene, f files) bool {
	c, err := w.ReadCertificate(f.cer, w.serverNow(s))
	if err != nil {
		return false
	}
	return w.Files.Exists(f.pfx) || w.inAuditor(ctx, s, c)
}

// inAuditor says whether Auditor has a certificate with its key, before the steps have looked that tell so: a person said so, or
// Auditor has opened a session with it.
func (w World) inAuditor(ctx context.Context, s *steps.Scene, c Certificate) bool {
	if s.Memory.ManualDone[importStep] {
		about, bound := s.Memory.ManualAbout[importStep]
		return !bound || nps.Same(about, c.Thumbprint)
	}
	user, has := w.userOf(ctx, s, c)
	if !has {
		return false
	}
	r, _ := steps.Get(s, nps.ReaderKey)
	ev := evidence{of: map[string]seenSessions{}}
	err := nps.EachSession(ctx, r, user.Name, func(row npsapi.Session) {
		if nps.Same(row.ManagedAccountID, user.ID) && (row.ActivityName == s.Answers.Text(keyActivity) || row.ActivityName == npsapi.ActivityRelease) {
			ev.take(row, "", true, c.NotBefore)
		}
	})
	return err == nil && ev.auditor != nil
}

// userOf is the application user that signs in with a certificate. What cannot be read is told by the step that reads it.
func (w World) userOf(ctx context.Context, s *steps.Scene, c Certificate) (npsapi.Account, bool) {
	if _, signedIn := steps.Get(s, nps.ReaderKey); !signedIn {
		return npsapi.Account{}, false
	}
	found, err := findUser(ctx, s)
	if err != nil || len(found) != 1 {
		return npsapi.Account{}, false
	}
	u, err := readUser(ctx, s, found[0].Row.ID)
	return u.Row, err == nil && w.SameSerial(u.Row.CertificateSerialNumber, c.Serial)
}

// numbered says whether the application user has the certificate's serial number.
func (w World) numbered(s *steps.Scene, c Certificate) bool {
	u, _ := steps.Get(s, userKey)
	return u != nil && w.SameSerial(u.Row.CertificateSerialNumber, c.Serial)
}

// imported says whether the certificate lies in Auditor's store: seen, or said. The PFX that brought it there is needed no longer.
func imported(s *steps.Scene) bool {
	if _, known := steps.Get(s, certificateKey); !known {
		return false
	}
	about := leafAbout(s)
	return nps.Done(s, importStep, about) || nps.Evident(s, importStep, about, seenAuditor) != ""
}

// trustSeen says whether the root lies where it belongs: read, seen, or said.
func trustSeen(s *steps.Scene) bool {
	if there, read := steps.Get(s, trustedKey); read {
		return there
	}
	about := trustCheck(s)
	return nps.Done(s, trustStep, about) || nps.Evident(s, trustStep, about, seenAs) != ""
}

// takenOut are the certificates that were taken out of an answer, that of Auditor first.
func (w World) takenOut(f files) []string {
	from := []string{f.cer}
	for n := 1; w.Files.Exists(f.intermediate(n)); n++ {
		from = append(from, f.intermediate(n))
	}
	if w.Files.Exists(f.root) {
		from = append(from, f.root)
	}
	return from
}

// checkOwnKey says whether key and certificate belong together, as far as the key is there.
func (w World) checkOwnKey(k kit) error {
	if k.gone {
		return nil
	}
	return w.CheckKey(k.files.cer, k.files.key)
}

// lookNamedKey looks at the private key that application.key names. Nothing but a proof of our own needs it: once NPS has the
// certificate, it may be gone.
func (w World) lookNamedKey(ctx context.Context, s *steps.Scene, c Certificate, path, key string) {
	err := w.CheckKey(path, key)
	if errors.Is(err, fs.ErrNotExist) {
		if _, has := w.userOf(ctx, s, c); has {
			s.Observe("key", nil)
			steps.Put(s, goneKey, key)
			return
		}
	}
	s.Problem(err)
}

// withoutKey says what cannot be proven without the private key that is gone, and how it can; empty: no key is gone.
func withoutKey(s *steps.Scene) string {
	key, gone := steps.Get(s, goneKey)
	if !gone {
		return ""
	}
	return "the private key " + problem.Plain(key) + " is no longer there: the sign-in cannot be proven from here; put the key back and run npsetup verify --session, or let Auditor's own session prove it: npsetup verify --watch 10m"
}

// takenBefore says whether a named answer that is not there was taken apart before, and NPS has its certificate.
func (w World) takenBefore(ctx context.Context, s *steps.Scene, f files) bool {
	c, err := w.ReadCertificate(f.cer, w.serverNow(s))
	if err != nil {
		return false
	}
	_, has := w.userOf(ctx, s, c)
	return has
}
