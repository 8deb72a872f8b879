package sandbox

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// writeFiles puts answers, environment and certificates into dir, for whoever wants to try npsetup on this sandbox.
func (s *Server) writeFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(s.auditor.certificate.PrivateKey)
	if err != nil {
		return err
	}
	pin, own := "pin:"+s.tls.pin, []string{"  certificate: file:auditor-client.cer", "  key: file:auditor-client.key"}
	made := func(road string) []string {
		return []string{"  certificate: " + road, "  folder: file:" + certificateFolder, "  passphrase: env:NPS_PFX_PASSPHRASE"}
	}
	files := map[string]string{
		"answers-auditor.yaml":            s.answers(pin, own),
		"answers-auditor-credential.yaml": s.answersOf("credential", pin, own),
		"answers-auditor-both.yaml":       s.answersOf("both", pin, own),
		"answers-auditor-new.yaml":        s.answers(pin, made("new")),
		"answers-auditor-request.yaml":    s.answers(pin, made("request")),
		"answers-untrusted.yaml":          s.answers("system", own),
		"env":                             s.world.environment(),
		"ca.pem":                          string(s.tls.caPEM),
		"auditor-client.cer":              string(s.auditor.certificate.Certificate[0]),
		"auditor-client.key":              string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),

		"answers-password-secure.yaml": s.vaultAnswers(),
		"ca-password-secure.pem":       string(s.VaultCAPEM()),
	}
	for name, content := range files {
		if err := putFile(filepath.Join(dir, name), []byte(content)); err != nil {
			return err
		}
	}
	return nil
}

// putFile replaces a file, or the link in its place, by a new one that its owner alone can read: a sandbox starts again in the same folder.
func putFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".sandbox-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// serialText is the serial number of a certificate as .NET writes it: every byte of the DER integer.
func serialText(der []byte) (string, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return "", err
	}
	raw := c.SerialNumber.Bytes()
	if len(raw) > 0 && raw[0] >= 0x80 {
		raw = append([]byte{0}, raw...)
	}
	return strings.ToUpper(hex.EncodeToString(raw)), nil
}

func (s *Server) answers(trust string, certificate []string) string {
	return s.answersOf("resource", trust, certificate)
}

// answersOf are complete answers for a kind of policy. The risk of a new password is not accepted in them: that is the reader's to do.
func (s *Server) answersOf(kind, trust string, certificate []string) string {
	lines := append([]string{
		"version: 1",
		"guide: auditor",
		"nps:",
		"  url: " + s.URL(),
		"  trust: " + trust,
		"  signIn:",
		"    user: " + adminName,
		"    password: env:NPS_PASSWORD",
		"    mfa: totp:env:NPS_TOTP_SECRET",
		"application:",
		"  name: " + applicationName,
	}, certificate...)
	lines = append(lines, "connectionProfile:", "  name: "+profileName, "  settings: {maxDuration: 60}", "accessPolicy:", "  kind: "+kind)
	if kind != "credential" {
		lines = append(lines, "  resource:", "    name: "+policyName, "    activity: "+activityName, "    group: Domain Admins",
			"    resources: [dc01."+domainName+"]", "    serviceAccount: svc-nps")
	}
	if kind != "resource" {
		lines = append(lines, "  credential:", "    name: "+credentialPolicy, "    accounts: ['"+domainNetBIOS+`\`+accountName+"']")
	}
	lines = append(lines, "monitoringPlan:", "  name: AD Monitoring")
	switch kind {
	case "resource":
		lines = append(lines, "  items: ["+domainName+"]", "acceptRisks: [domain-admins]")
	case "credential":
		lines = append(lines, "  items: ["+domainName+"]")
	case "both":
		lines = append(lines, "  items: ["+domainName+", file01."+domainName+"]", "  credentialItems: [file01."+domainName+"]", "acceptRisks: [domain-admins]")
	}
	return strings.Join(lines, "\n") + "\n"
}
