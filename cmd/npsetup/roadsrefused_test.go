package main

import (
	"os"
	"testing"

	"npsetup/client/sandbox"
)

// TestAnAuthorityThatRefusesIsToldAsSuch, on the road and by the command, and the road goes on with the answer that comes later.
func TestAnAuthorityThatRefusesIsToldAsSuch(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	cheap := []string{"--yes", "--set", "application.keyType=ecdsa-p256"}
	st.do(append([]string{"apply", "-f", st.road("request")}, cheap...)...).want(t, exitPerson)
	n, key := st.changes(), string(st.file(st.inFolder(".key")))
	answer := st.inFolder(".p7b")
	for text, wants := range map[string][]string{
		"RequestId: 7\r\nCertificate not issued (Denied) Denied by Policy Module  0x80094800\r\n":           {"the authority says that it has not issued one (0x80094800)", "Failed Requests"},
		"<html><b>Certificate Pending</b> Your Request Id is 31.</html>":                                    {"the request has yet to be approved", `certreq -retrieve -config "SERVER\AUTHORITY" 31`},
		"<html><title>Microsoft Active Directory Certificate Services</title>Welcome, use this site</html>": {"it is a web page and no certificate", "Download certificate chain"},
	} {
		if err := os.WriteFile(answer, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := st.do("resume", "--yes").want(t, exitFailed)
		says(t, squeezed(r.err), append(wants, "application.answer", "save the authority's answer as "+answer+" in place of what is there", "code: certificate-not-issued")...)
		r = st.do("cert", "bundle", "--key", st.inFolder(".key"), "--answer", answer, "--passphrase", "env:NPS_PFX_PASSPHRASE").want(t, exitFailed)
		says(t, squeezed(r.err), append(wants, "code: certificate-not-issued")...)
		says(t, squeezed(st.do("cert", "inspect", answer).err), wants...)
	}
	if st.changes() != n || string(st.file(st.inFolder(".key"))) != key {
		t.Error("something was changed")
	}
	if err := os.Remove(answer); err != nil {
		t.Fatal(err)
	}
	st.person() // the authority issues it now
	says(t, outcome(t, st.do("resume", "--yes").want(t, exitPerson).out, "certificate"), "done serial ")
}
