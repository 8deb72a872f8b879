package pki

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// parse reads one DER certificate. crypto/x509 refuses a negative serial number, which Windows does not, and which some
// generators made (random bytes without a 00 in front of a high bit): such a certificate is parsed with another number
// and then gets its own bytes and number back, so that its signature is still checked over what was signed.
func parse(der []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if err == nil {
		return c, tooLarge(c.PublicKey)
	}
	tbs, serial, ok := outline(der)
	if !ok || serial[0]&0x80 == 0 {
		return nil, err
	}
	changed := bytes.Clone(der)
	_, copied, _ := outline(changed)
	copied[0] = 1 // not 0, which DER forbids in front of a low bit
	if c, err = x509.ParseCertificate(changed); err != nil {
		return nil, err
	}
	number := new(big.Int).SetBytes(serial)
	c.SerialNumber = number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(8*len(serial))))
	c.Raw, c.RawTBSCertificate = der, tbs
	if len(serial) > 1 && serial[0] == 0xff && serial[1]&0x80 != 0 {
		return nil, errors.New("the serial number is not written as DER demands")
	}
	return c, tooLarge(c.PublicKey)
}

// largestRSA is the largest RSA key that Windows takes, in bits. Checking a signature of a key that fills a megabyte takes
// minutes.
const largestRSA = 16384

var errLargeKey = fmt.Errorf("it has an RSA key of more than %d bits, which Windows does not take", largestRSA)

func tooLarge(public crypto.PublicKey) error {
	if k, is := public.(*rsa.PublicKey); is && k.N.BitLen() > largestRSA {
		return errLargeKey
	}
	return nil
}

// outline finds the signed part and the bytes of the serial number; both are parts of der itself.
func outline(der []byte) (tbs, serial []byte, ok bool) {
	var outer, signed, v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, nil, false
	}
	if _, err := asn1.Unmarshal(outer.Bytes, &signed); err != nil {
		return nil, nil, false
	}
	rest, err := asn1.Unmarshal(signed.Bytes, &v)
	if err == nil && v.Class == asn1.ClassContextSpecific { // the version, which certificates of version 1 do not have
		_, err = asn1.Unmarshal(rest, &v)
	}
	ok = err == nil && v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger && len(v.Bytes) > 0
	return signed.FullBytes, v.Bytes, ok
}
