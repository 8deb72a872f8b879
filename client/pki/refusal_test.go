package pki

import (
	"bytes"
	"strings"
	"testing"

	"npsetup/steps/problem"
)

// TestAnAuthorityThatRefusesIsHeard: what certreq prints and what AD CS's pages show, saved as an answer. Of the text only numbers are repeated.
func TestAnAuthorityThatRefusesIsHeard(t *testing.T) {
	const secretText = "hunter2-swordfish"
	denied := "RequestId: 7\r\nRequestId: \"7\"\r\nCertificate not issued (Denied) Denied by Policy Module  0x80094800, " + secretText + "\r\n"
	for name, c := range map[string]struct {
		raw  []byte
		says []string
	}{
		"denied":          {[]byte(denied), []string{"has not issued one (0x80094800)", "the reason of request 7, then hand the same request in again"}},
		"denied, UTF-16":  {utf16le(denied), []string{"has not issued one (0x80094800)"}},
		"another tongue":  {[]byte("Zertifikat nicht ausgestellt (Verweigert) \xfcber das Richtlinienmodul 0x80094012"), []string{"has not issued one (0x80094012)", "for the reason, then"}},
		"pending":         {[]byte("RequestId: 12\r\nCertificate request is pending: Taken Under Submission (0)\r\n" + secretText), []string{"has yet to be approved", `certreq -retrieve -config "SERVER\AUTHORITY" 12 certnew.cer certnew.p7b`}},
		"page, denied":    {[]byte("<HTML><BODY>Your certificate request was denied.<P>Your Request Id is 9. The disposition message is \"" + secretText + "\"</BODY></HTML>"), []string{"has not issued one", "request 9"}},
		"page, pending":   {[]byte("<html><title>AD CS</title><b>Certificate Pending</b> Your Request Id is 3. " + secretText), []string{"has yet to be approved", `"SERVER\AUTHORITY" 3 certnew`}},
		"another page":    {[]byte("\r\n<!DOCTYPE html><title>" + secretText + "</title>"), []string{"it is a web page and no certificate", "Download certificate chain"}},
		"a very long one": {append([]byte("<html>"), bytes.Repeat([]byte("x"), sizeLimit-100)...), []string{"it is a web page"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, asBundle := ParseBundle("certnew.p7b", c.raw)
			_, alone := ParseCertificate("certnew.cer", c.raw)
			for _, err := range []error{asBundle, alone} {
				all := problem.All(err)
				if len(all) != 1 || all[0].Code != problem.CertificateNotIssued || strings.Contains(err.Error()+all[0].Next[0], secretText) {
					t.Fatalf("%v", err)
				}
				for _, s := range c.says {
					if told := err.Error() + " " + strings.Join(all[0].Next, " "); !strings.Contains(told, s) {
						t.Errorf("%q is missing in %s", s, told)
					}
				}
			}
		})
	}
}

// TestOtherTextIsNoRefusal: what is damaged is told as damaged, and a certificate with a refusal around it is a certificate.
func TestOtherTextIsNoRefusal(t *testing.T) {
	c := newChain(t, ecKey(t))
	for name, raw := range map[string][]byte{"text": []byte("see attachment"), "binary": []byte("\x01\x02denied"), "cut off": c.leaf.X509.Raw[:80]} {
		if _, err := ParseBundle("a.p7b", raw); err == nil || problem.All(err)[0].Code == problem.CertificateNotIssued {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found, err := ParseBundle("a.p7b", append([]byte("formerly denied 0x80094800\n"), PEM(c.leaf)...)); err != nil || len(found) != 1 {
		t.Errorf("%v", err)
	}
}
