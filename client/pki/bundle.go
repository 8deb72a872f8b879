package pki

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.mozilla.org/pkcs7"

	"npsetup/steps/problem"
)

// bundleLimit is how many certificates a file may hold. A chain has three or four, the bundle of a whole operating system
// some 150.
const bundleLimit = 200

// ReadBundle reads all certificates of a file, in any form in which an authority gives them: see ParseBundle.
func ReadBundle(path string) ([]Certificate, error) {
	raw, err := readFile("certificate file", path)
	if err != nil {
		return nil, err
	}
	return ParseBundle(path, raw)
}

// readFile reads a regular file of 1 MiB at the most; one byte more tells that it is larger.
func readFile(what, path string) ([]byte, error) {
	bad := func(err error, next string) ([]byte, error) {
		return nil, problem.New("the " + what + " " + problem.Plain(path) + " cannot be read").Because(problem.Plain(err.Error())).Try(next).From(err)
	}
	// Opening a pipe would wait for its other end.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, problem.New(problem.Plain(path) + " is not a file").Because("a folder or a device holds neither certificate nor key").Try("name the " + what + " itself")
	}
	f, err := os.Open(path)
	if err != nil {
		return bad(err, "name a file that is there and readable")
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, sizeLimit+1))
	if err != nil {
		return bad(err, "name a file that is readable")
	}
	return raw, nil
}

// ParseBundle reads the certificates in what a file called name holds: DER, one or several; PEM with anything around;
// bare Base64; PKCS #7 in DER, BER, PEM or Base64, also under the words BEGIN CERTIFICATE, the only ones that Windows'
// CryptBinaryToString has for anything, AD CS's certnew.p7b among it. They come in the order of the file, each once, at least one. A private key beside them is refused.
func ParseBundle(name string, raw []byte) ([]Certificate, error) {
	found, err := bundle(raw)
	if err != nil {
		p := problem.New("the file " + problem.Plain(name) + " cannot be used as a certificate").Because(problem.Plain(err.Error()))
		if errors.Is(err, errPrivateKey) {
			p.Try("delete this copy: a private key belongs into a file of its own", "take the certificates alone")
		}
		if said := (saying{}); errors.As(err, &said) {
			return nil, p.Coded(problem.CertificateNotIssued).Try(said.next).From(err)
		}
		return nil, p.Try("ask the authority for its answer as DER, Base64 or PKCS #7 (.cer, .p7b)").From(err)
	}
	return found, nil
}

// errPrivateKey is for callers that tell it from other faults.
var errPrivateKey = errors.New("it holds a private key")

// bundle does ParseBundle's work; its errors are half sentences about the file.
func bundle(raw []byte) ([]Certificate, error) {
	if len(raw) > sizeLimit {
		return nil, errors.New("it is larger than 1 MiB")
	}
	if raw = plainText(raw); len(bytes.TrimSpace(raw)) == 0 {
		return nil, errors.New("it is empty")
	}
	blocks, key := pemBlocks(raw)
	if key {
		return nil, errPrivateKey
	}
	if len(blocks) == 0 {
		if decoded, ok := bareBase64(raw); ok {
			raw = decoded
		} else if what := otherArmour(raw); what != "" {
			return nil, errors.New("it is " + what)
		} else if said, is := sayingIn(raw); is {
			return nil, said
		}
		blocks = [][]byte{raw}
	}
	return inBlocks(blocks)
}

// inBlocks reads the certificates of several binary pieces.
func inBlocks(blocks [][]byte) ([]Certificate, error) {
	var out []Certificate
	for _, b := range blocks {
		more, err := inBlock(b)
		if err != nil {
			return nil, err
		}
		if out = unique(append(out, more...)); len(out) > bundleLimit {
			return nil, fmt.Errorf("it holds more than %d certificates", bundleLimit)
		}
	}
	return out, nil
}

// pemBlocks gives what may hold certificates in PEM text, and whether a private key stands beside it.
func pemBlocks(raw []byte) (found [][]byte, key bool) {
	if isDER(raw) {
		return nil, false
	}
	for rest := raw; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return found, key || bytes.Contains(raw, []byte("PRIVATE KEY-----"))
		}
		switch kind := block.Type; {
		case strings.Contains(kind, "PRIVATE KEY"):
			key = true
		case strings.Contains(kind, "CERTIFICATE") && !strings.Contains(kind, "REQUEST"), kind == "PKCS7", kind == "CMS", kind == "PKCS #7 SIGNED DATA":
			found = append(found, block.Bytes)
		}
	}
}

// inBlock reads the certificates of one binary piece.
func inBlock(der []byte) ([]Certificate, error) {
	what := otherContainer(der)
	switch {
	case what == bundleWords:
		return inPKCS7(der)
	case strings.HasPrefix(what, "a private key"):
		return nil, keyInside(what)
	case what != "":
		return nil, errors.New("it is " + what)
	}
	parts, why := split(der)
	if why != "" {
		return nil, errors.New(why)
	}
	if len(parts) == 0 {
		return nil, errors.New("it holds an armour with nothing in it")
	}
	if len(parts) > bundleLimit {
		return nil, fmt.Errorf("it holds more than %d certificates", bundleLimit)
	}
	var out []Certificate
	for _, part := range parts {
		c, err := parse(part)
		if errors.Is(err, errLargeKey) {
			return nil, err
		}
		if err != nil {
			return nil, errors.New("it holds no certificate that can be read")
		}
		out = append(out, describe(c))
	}
	return out, nil
}

// keyInside is errPrivateKey with the kind of key.
type keyInside string

func (k keyInside) Error() string      { return "it is " + string(k) }
func (keyInside) Is(target error) bool { return target == errPrivateKey }

// inPKCS7 reads a bundle of certificates. The parser sees only what the guard has passed.
func inPKCS7(raw []byte) (out []Certificate, err error) {
	bad := func(why string) ([]Certificate, error) { return nil, fmt.Errorf("it is %s, and %s", bundleWords, why) }
	der, err := definite(raw)
	if err != nil {
		return bad(err.Error())
	}
	defer func() {
		if recover() != nil {
			out, err = bad("its parts are not where they should be")
		}
	}()
	p, err := pkcs7.Parse(der)
	switch {
	case errors.Is(err, pkcs7.ErrUnsupportedContentType):
		return bad("it carries something else than certificates")
	case err != nil:
		return bad("it cannot be read: " + err.Error())
	case len(p.Certificates) == 0:
		return bad("there is no certificate in it")
	case len(p.Certificates) > bundleLimit:
		return nil, fmt.Errorf("it holds more than %d certificates", bundleLimit)
	}
	for _, c := range p.Certificates {
		if err := tooLarge(c.PublicKey); err != nil {
			return nil, err
		}
		out = append(out, describe(c))
	}
	return out, nil
}

// unique drops certificates that came before.
func unique(list []Certificate) []Certificate {
	seen := map[string]bool{}
	var out []Certificate
	for _, c := range list {
		if !seen[c.SHA256] {
			seen[c.SHA256] = true
			out = append(out, c)
		}
	}
	return out
}
