package pki

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"errors"
	"strings"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// Content is what a file holds, whatever it is called.
type Content struct {
	Kind         string // certificate, certificates, certificate request, PFX, private key
	Form         string // DER, BER, PEM or Base64, and PKCS #7 where it is
	Certificates []Certificate
	Request      *Request
	Key          crypto.PublicKey // of the private key, of a key file or of a PFX; nil otherwise
	Chain        *Chained         // of the certificate that belongs to Key; nil when none does
	Remarks      []Remark         // about the file; Check judges its certificates
}

// Inspect reads any file with certificates, a request or a key. passphrase is asked only when the file cannot be opened
// without, once; nil means that there is none.
func Inspect(path string, passphrase func() (secret.Secret, error)) (Content, error) {
	raw, err := readFile("file", path)
	if err != nil {
		return Content{}, err
	}
	return InspectBytes(path, raw, passphrase)
}

// InspectBytes is Inspect for what a file called name holds.
func InspectBytes(name string, raw []byte, passphrase func() (secret.Secret, error)) (Content, error) {
	if len(raw) > sizeLimit {
		return Content{}, problem.New("the file " + problem.Plain(name) + " cannot be inspected").Because("it is larger than 1 MiB").Try("name the certificate file itself")
	}
	text := plainText(raw)
	c := Content{Form: formOf(text)}
	kind := kindOf(text)
	var err error
	switch kind {
	case "certificate request":
		var r Request
		r, err = ParseRequest(name, raw)
		c.Request = &r
	case "PFX":
		err = c.container(name, raw, passphrase)
	case "private key":
		err = c.privateKey(name, raw, passphrase)
	default:
		c.Certificates, err = ParseBundle(name, raw)
		if kind = "certificate"; len(c.Certificates) > 1 {
			kind = "certificates"
		}
		if bundled(text) {
			c.Form = "PKCS #7, " + c.Form
		}
	}
	c.Kind = kind
	return c, err
}

func (c *Content) container(name string, raw []byte, passphrase func() (secret.Secret, error)) error {
	opened, err := ParsePFX(name, raw, secret.Secret{})
	if err == nil {
		c.Remarks = append(c.Remarks, Remark{
			Warn, "the PFX has no passphrase", "whoever gets the file has the private key", "import it, then delete it; npsetup cert bundle packs the key anew, with a passphrase", "",
		})
	} else if errors.Is(err, ErrPassphrase) && passphrase != nil {
		words, asked := passphrase()
		if asked != nil {
			return asked
		}
		opened, err = ParsePFX(name, raw, words)
	}
	if err != nil {
		return err
	}
	c.Certificates, c.Key = opened.Certificates, opened.Key.Public()
	chain, err := Chain(opened.Key, opened.Certificates)
	if err != nil {
		c.Remarks = append(c.Remarks, Remark{
			Refuse, "no certificate in the PFX belongs to its private key", "Windows would import them apart from each other", "export the certificate anew with its private key", problem.KeyDoesNotFit,
		})
		return nil
	}
	c.Chain = &chain
	return nil
}

func (c *Content) privateKey(name string, raw []byte, passphrase func() (secret.Secret, error)) error {
	key, err := ParseKey(name, raw, secret.Secret{})
	if errors.Is(err, ErrPassphrase) && passphrase != nil {
		words, asked := passphrase()
		if asked != nil {
			return asked
		}
		key, err = ParseKey(name, raw, words)
	}
	if err != nil {
		return err
	}
	c.Key = key.Public()
	text := plainText(raw)
	if blocks, _ := pemBlocks(text); len(blocks) > 0 {
		if c.Certificates, err = inBlocks(blocks); err == nil {
			if chain, err := Chain(key, c.Certificates); err == nil {
				c.Chain = &chain
			}
		}
		c.Remarks = append(c.Remarks, Remark{
			Refuse, "a private key stands beside the certificate", "a certificate file is copied to other machines, and the key would go with it", "keep the key in a file of its own", "",
		})
	}
	return nil
}

// kindOf tells what a file is by its armour or its first elements; empty when it looks like certificates, or like nothing.
func kindOf(text []byte) string {
	if block, _ := pem.Decode(text); block != nil && !isDER(text) {
		switch {
		case bytes.Contains(text, []byte("PRIVATE KEY-----")):
			return "private key"
		case strings.Contains(block.Type, "CERTIFICATE REQUEST"):
			return "certificate request"
		case block.Type == "PKCS12" || block.Type == "PFX":
			return "PFX"
		}
		return ""
	}
	if decoded, ok := bareBase64(text); ok {
		text = decoded
	}
	if der, err := definite(text); err == nil {
		text = der
	}
	switch what := otherContainer(text); {
	case strings.HasPrefix(what, "a PKCS #12"):
		return "PFX"
	case strings.HasPrefix(what, "a private key"):
		return "private key"
	case strings.HasPrefix(what, "a certificate request"):
		return "certificate request"
	}
	return ""
}

// formOf tells how a file is written.
func formOf(text []byte) string {
	if !isDER(text) && bytes.Contains(text, []byte("-----BEGIN ")) {
		return "PEM"
	}
	if _, ok := bareBase64(text); ok {
		return "Base64"
	}
	if len(text) > 1 && text[1] == 0x80 {
		return "BER"
	}
	return "DER"
}

// bundled says whether certificates come in PKCS #7.
func bundled(text []byte) bool {
	blocks, _ := pemBlocks(text)
	if len(blocks) == 0 {
		if decoded, ok := bareBase64(text); ok {
			text = decoded
		}
		blocks = [][]byte{text}
	}
	for _, b := range blocks {
		if otherContainer(b) == bundleWords {
			return true
		}
	}
	return false
}
