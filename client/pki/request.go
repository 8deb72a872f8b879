package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"

	"npsetup/steps/problem"
)

// Request is a PKCS #10 certificate request.
type Request struct {
	X509    *x509.CertificateRequest
	Subject string
	Proven  bool // the signature in it is right: whoever made it has the key
}

// PEM writes the request as certreq -submit and authorities' web pages take it.
func (r Request) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: r.X509.Raw})
}

// NewRequest makes a request for what NewSelfSigned makes: digitalSignature and clientAuth.
func NewRequest(name string, key crypto.Signer) (Request, error) {
	if err := CheckName(name); err != nil {
		return Request{}, err
	}
	usage, err := asn1.Marshal(asn1.BitString{Bytes: []byte{0x80}, BitLength: 1}) // digitalSignature is the first bit
	if err != nil {
		return Request{}, err
	}
	purposes, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 2}}) // clientAuth
	if err != nil {
		return Request{}, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: name}, SignatureAlgorithm: signature(key),
		ExtraExtensions: []pkix.Extension{{Id: []int{2, 5, 29, 15}, Critical: true, Value: usage}, {Id: []int{2, 5, 29, 37}, Value: purposes}},
	}, key)
	if err != nil {
		return Request{}, problem.New("the certificate request cannot be made").Because(problem.Plain(err.Error())).From(err)
	}
	return parseRequest(der)
}

// ParseRequest reads a request in DER, PEM or bare Base64.
func ParseRequest(name string, raw []byte) (Request, error) {
	r, err := request(raw)
	if err != nil {
		return r, problem.New("the file " + problem.Plain(name) + " cannot be used as a certificate request").Because(problem.Plain(err.Error())).Try("make one anew, or name another file")
	}
	return r, nil
}

func request(raw []byte) (Request, error) {
	if len(raw) > sizeLimit {
		return Request{}, errors.New("it is larger than 1 MiB")
	}
	raw = plainText(raw)
	if block, _ := pem.Decode(raw); block != nil && (block.Type == "CERTIFICATE REQUEST" || block.Type == "NEW CERTIFICATE REQUEST") {
		return parseRequest(block.Bytes)
	}
	if decoded, ok := bareBase64(raw); ok {
		raw = decoded
	}
	return parseRequest(withoutLineEnd(raw))
}

func parseRequest(der []byte) (Request, error) {
	r, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return Request{}, errors.New("it holds no certificate request that can be read")
	}
	if tooLarge(r.PublicKey) != nil {
		return Request{}, errLargeKey
	}
	return Request{X509: r, Subject: distinguishedName(r.RawSubject, r.Subject.String()), Proven: r.CheckSignature() == nil}, nil
}
