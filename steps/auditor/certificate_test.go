package auditor

import (
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
)

// TestDatesAreJudgedByTheServersClock: a certificate that has expired on the server has expired, whatever this machine thinks.
func TestDatesAreJudgedByTheServersClock(t *testing.T) {
	w := newSite().world()
	var at time.Time
	w.ReadCertificate = func(_ string, now time.Time) (Certificate, error) {
		at = now
		return newSite().cert, nil
	}
	s := steps.NewScene(newSite().complete().answers(), steps.Memory{})
	steps.Put(s, nps.SkewKey, -2*time.Hour) // this machine is behind
	if err := w.lookExported(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if want := w.Now().Add(2 * time.Hour); !at.Equal(want) {
		t.Errorf("judged at %s, the server has %s", at, want)
	}
}

// TestACertificateOfWindowsStore is read by its thumbprint, and signs nothing in from here: its key stays in the store.
func TestACertificateOfWindowsStore(t *testing.T) {
	st := newSite().complete().made().withKey()
	st.drafts[keyCertificate] = "store:" + strings.Repeat("A1", 20)
	if err := checkCertificateAnswer(st.drafts[keyCertificate]); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"store:", "store:A1", "store:" + strings.Repeat("G1", 20)} {
		if checkCertificateAnswer(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	w := st.world()
	asked := ""
	w.Files.InStore = func(digits string, _ time.Time) (Certificate, error) {
		asked = digits
		return st.cert, nil
	}
	s := steps.NewScene(st.answers(), steps.Memory{})
	if err := w.lookExported(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	certificate, key := signsWith(s)
	if asked != strings.Repeat("A1", 20) || certificate != "" || key != "" {
		t.Errorf("asked for %q, signs in with %q and %q", asked, certificate, key)
	}
	if _, file, _ := toTrust(s); file != `LocalMachine\My` {
		t.Errorf("it is in %q", file)
	}
}

// TestNobodyExportsWhatIsMadeHere: the page of the certificate has the article's clicks only where somebody does them.
func TestNobodyExportsWhatIsMadeHere(t *testing.T) {
	for road, want := range map[string]string{"file:a.cer": "Export the certificate", roadNew: "", roadRequest: "certreq"} {
		st := newSite()
		st.drafts[keyCertificate] = road
		for _, step := range st.guide().Steps {
			if step.ID != certificateStep {
				continue
			}
			clicks := strings.Join(step.Paragraph(st.answers(), steps.Facts{}), "\n")
			if !strings.Contains(clicks, want) || want == "" && clicks != "" {
				t.Errorf("%s: %q", road, clicks)
			}
		}
	}
}

// TestThePagesShowTheCertificateAsSoonAsItIsRead: until then its values are named in brackets.
func TestThePagesShowTheCertificateAsSoonAsItIsRead(t *testing.T) {
	st := newSite()
	g := st.guide()
	step, _ := g.Step(trustStep)
	read := func(known steps.Facts) string { return strings.Join(step.Paragraph(st.answers(), known), "\n") }
	if before := read(steps.Facts{}); !strings.Contains(before, "(subject)") || !strings.Contains(before, "(thumbprint)") {
		t.Errorf("before it is read: %s", before)
	}
	seen := steps.NewSight(g, func() steps.Memory { return steps.Memory{} }).Look(t.Context(), st.answers(), certificateStep)
	c, known := steps.Get(seen.Facts.Scene(st.answers()), certificateKey)
	if after := read(seen.Facts); !known || strings.Contains(after, "(subject)") || strings.Contains(after, "(thumbprint)") || !strings.Contains(after, c.Subject) || !strings.Contains(after, c.Thumbprint) {
		t.Errorf("%v, and behind it: %s", seen.Err, after)
	}
}
