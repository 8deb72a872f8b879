package sandbox

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"time"
)

// selfMade is the certificate that Password Secure makes for itself: host name and IP numbers all as DNS names, and valid to the year 9999.
func selfMade(now time.Time) (authority, error) {
	c, err := signItself(&x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "PSR8Server"}, NotBefore: now.Add(-48 * time.Hour), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost", "127.0.0.1"},
	})
	if err != nil {
		return authority{}, err
	}
	der := c.Certificate[0]
	return authority{caPEM: pemOf(der), leaf: c, pin: pinOf(der)}, nil
}
