package pki

import (
	"strings"
	"testing"
)

// TestAnEmptyArmourIsNoBundle: no error and no certificate would be taken for an answer that holds others' certificates.
func TestAnEmptyArmourIsNoBundle(t *testing.T) {
	for _, text := range []string{"-----BEGIN CERTIFICATE-----END CERTIFICATE", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "-----BEGIN PKCS7-----\n-----END PKCS7-----\n"} {
		found, err := ParseBundle("certnew.p7b", []byte(text))
		if err == nil || !strings.Contains(err.Error(), "nothing in it") {
			t.Errorf("%q: %d certificates, %v", text, len(found), err)
		}
	}
}
