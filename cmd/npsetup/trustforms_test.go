package main

import (
	"os"
	"path/filepath"
	"testing"

	"npsetup/client/pki"
	"npsetup/client/sandbox"
	"npsetup/steps/secret"
)

// answered is an authority's answer in the forms that people have: the chain as PKCS #7, the key with it as PFX, two roots in one file.
func answered(t *testing.T, root pki.Certificate) (p7b, pfx, two string) {
	t.Helper()
	dir := t.TempDir()
	key, err := pki.NewKey(pki.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	now := timeNow()
	own, err := pki.NewSelfSigned("NetwrixAuditor", key, now.AddDate(0, 0, -1), now.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := pki.PFX(key, pki.Chained{Leaf: own}, secret.New("correct-horse-battery"), pki.Legacy)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, content []byte, err error) string {
		t.Helper()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	one, err := pki.P7B([]pki.Certificate{root})
	p7b = put("root.p7b", one, err)
	both, err := pki.P7B([]pki.Certificate{own, root})
	return p7b, put("a.pfx", packed, nil), put("two.p7b", both, err)
}

// TestTrustTakesTheRootOutOfAnAnswer, where only one is in it, and names the file to give where it cannot.
func TestTrustTakesTheRootOutOfAnAnswer(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	st.machine = d.machine()
	ca, about := rootOf(t, st)
	root, err := pki.ReadCertificate(ca)
	if err != nil {
		t.Fatal(err)
	}
	p7b, pfx, two := answered(t, root)
	r := st.do("trust", "install", p7b, "--dry-run").want(t, exitPending)
	holds(t, "a .p7b", r.out, "SHA-256 "+about.SHA256)
	holds(t, "a dry run", r.err, "nothing was changed; without --dry-run this machine would trust "+about.Subject)
	st.do("trust", "install", p7b, "--yes").want(t, exitOK)
	holds(t, "a dry run that finds it there", st.do("trust", "install", p7b, "--dry-run").want(t, exitOK).err, "without --dry-run nothing would be")
	holds(t, "a removal's dry run", st.do("trust", "remove", p7b, "--dry-run").want(t, exitPending).err, "would no longer trust "+about.Subject)
	st.do("trust", "remove", p7b, "--yes").want(t, exitOK)
	holds(t, "a PFX", st.do("trust", "install", pfx, "--yes").want(t, exitUsage).err, "is a PFX", "NAME.root.cer")
	holds(t, "two roots", st.do("trust", "install", two, "--yes").want(t, exitUsage).err, "holds 2 self-signed certificates")
	if len(d.anchors()) > 0 {
		t.Error(d.anchors())
	}
	holds(t, "the script", st.do("trust", "script", p7b).want(t, exitOK).out, "npsetup sandbox authority")
	holds(t, "the script of two", st.do("trust", "script", two).want(t, exitUsage).err, "holds 2 certificates, of which 2 are self-signed", "NAME.root.cer")
}

// TestTrustRemoveSaysWhatAThumbprintIs when an argument is nothing else either.
func TestTrustRemoveSaysWhatAThumbprintIs(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	st.machine = newDebian(t).machine()
	r := st.do("trust", "remove", "abc", "--yes").want(t, exitUsage)
	holds(t, "the refusal", r.err, "abc is no URL, no file that is there, and no thumbprint", "SHA-1 with 40 hex digits", "SHA-256 with 64")
}
