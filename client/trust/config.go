package trust

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// maxFile is the largest file of authorities that is read, in bytes: the whole of Mozilla's list has a fifth of it.
const maxFile = 1 << 20

// Config makes the TLS configuration for connections to serverName (a host name or an IP number, without a port) that
// trusts by choice and judges dates by now. TLS 1.2 is the least. Errors are problems: a file of authorities that cannot
// be used, or a choice that ParseTrust would not make. The configuration may be cloned and given a client certificate.
func Config(choice Choice, serverName string, now func() time.Time) (*tls.Config, error) {
	host := plainHost(serverName)
	if host == "" || now == nil {
		return nil, errors.New("a TLS configuration needs a server name and a clock")
	}
	switch choice.Kind {
	case System:
		return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, Time: now}, nil
	case CAFile:
		pool, err := authorities(choice.File, now())
		if err != nil {
			return nil, err
		}
		return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, Time: now, RootCAs: pool}, nil
	case Pin:
		want, err := fingerprint(choice.SHA256)
		if err != nil {
			return nil, err
		}
		return pinned(host, want, now), nil
	}
	return nil, fmt.Errorf("no kind of trust: %d", choice.Kind)
}

// plainHost drops brackets, a zone and the dot at the end, which certificates never have.
func plainHost(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(host), "["), "]")
	host, _, _ = strings.Cut(host, "%")
	return strings.TrimSuffix(host, ".")
}

func authorities(path string, now time.Time) (*x509.CertPool, error) {
	raw, err := readAuthorities(path)
	if err != nil {
		return nil, err
	}
	pool, p := parseAuthorities(raw, now)
	if p != nil {
		p.What = "the authorities' file " + problem.Plain(path) + " " + p.What
		return nil, p
	}
	return pool, nil
}

func readAuthorities(path string) ([]byte, error) {
	name := problem.Plain(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage("there is no authorities' file "+name, "nps.trust names it", "check the path; a relative one counts from the answers file").From(err)
	case err != nil:
		return nil, usage("the authorities' file "+name+" cannot be opened", problem.Plain(err.Error()), "check its path and permissions").From(err)
	case !info.Mode().IsRegular():
		return nil, usage(name+" is not a file", "", "name the file that holds the authority's certificate")
	case info.Size() > maxFile:
		return nil, usage("the authorities' file "+name+" is larger than 1 MiB", "a certificate has a few KiB", "name the file that holds only the authority's certificate")
	}
	raw, err := readBounded(path, maxFile)
	if err == nil {
		return raw, nil
	}
	return nil, usage("the authorities' file "+name+" cannot be read", problem.Plain(err.Error()), "check its permissions").From(err)
}

// parseAuthorities takes PEM, one or several, or DER. Certificates that are no authority are left out: put into the pool, a
// server's certificate would be trusted by itself. The problem's What continues "the authorities' file X …".
func parseAuthorities(raw []byte, now time.Time) (*x509.CertPool, *problem.Problem) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	certs, p := readCertificates(raw)
	if p != nil {
		return nil, p
	}
	pool, usable, past := x509.NewCertPool(), 0, ""
	var leaf *x509.Certificate
	for _, c := range certs {
		switch {
		case !authority(c):
			leaf = c
		case dateFlaw(c.NotBefore, c.NotAfter, now) != nil:
			past = orNone(Describe(c).Subject) + ": " + dateFlaw(c.NotBefore, c.NotAfter, now).text
		default:
			pool.AddCert(c)
			usable++
		}
	}
	switch {
	case usable > 0:
		return pool, nil
	case past != "":
		return nil, usage("holds no authority that is valid now", past, "get the authority's present certificate", "check this machine's clock and date")
	}
	d := Describe(leaf)
	return nil, usage("holds no authority", "it holds the certificate of a server ("+orNone(d.Subject)+"), which cannot vouch for others",
		"name the certificate of the authority that issued it ("+orNone(d.Issuer)+")", "or trust exactly this server certificate: pin:sha256:"+d.SHA256)
}

// authority goes by basicConstraints; certificates before version 3 could not have them, and old roots are such.
func authority(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA || c.Version < 3 && selfSigned(c)
}

func readCertificates(raw []byte) ([]*x509.Certificate, *problem.Problem) {
	export := "export the authority's certificate alone, as Base64 (PEM) or DER"
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, usage("is empty", "", export)
	}
	if bytes.Contains(raw, []byte("PRIVATE KEY-----")) {
		return nil, usage("holds a private key", "trust needs certificates only, and a key does not belong into a file that is passed around", export+", without the private key")
	}
	if raw[0] == 0x30 {
		certs, err := x509.ParseCertificates(raw)
		if err != nil {
			return nil, usage("is no certificate that can be read", problem.Plain(err.Error()), export, "of a .p7b, npsetup cert inspect FILE tells what it holds; a .pfx is not taken").From(err)
		}
		return certs, nil
	}
	var certs []*x509.Certificate
	for n := 1; ; {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, usage(fmt.Sprintf("cannot be used: its certificate %d is damaged", n), problem.Plain(err.Error()), export).From(err)
			}
			certs = append(certs, c)
			n++
		default:
			return nil, usage("holds something else than certificates ("+problem.Plain(block.Type)+")", "", export)
		}
	}
	if len(certs) == 0 {
		return nil, usage("holds no certificate", "it is neither PEM (-----BEGIN CERTIFICATE-----) nor DER", export)
	}
	if bytes.Contains(raw, []byte("-----BEGIN ")) {
		return nil, usage(fmt.Sprintf("cannot be used: what follows its certificate %d is damaged", len(certs)), "a PEM block begins and does not end", export)
	}
	return certs, nil
}
