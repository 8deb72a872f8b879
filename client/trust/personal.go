package trust

import (
	"crypto/sha1" //nolint:gosec // Windows' thumbprint: for finding, not for trusting
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"

	"npsetup/steps/problem"
)

// errNotWindows says that there is no LocalMachine\My here.
var errNotWindows = errors.New("this machine runs " + runtime.GOOS)

// Personal gives the DER of the certificates of LocalMachine\My, which Windows shows as Certificates (Local Computer) >
// Personal: the ones that Auditor offers are there. Private keys are not looked at, and no privilege is needed. The error is a
// problem: another operating system, or a store that cannot be read.
func Personal() ([][]byte, error) {
	var found [][]byte
	err := eachPersonal(func(der []byte) { found = append(found, der) })
	if err != nil {
		return nil, problem.New("the certificate store LocalMachine\\My cannot be read").Because(problem.Plain(err.Error())).
			Try("run npsetup on Auditor's own server, which runs Windows, or name an exported certificate: file:PATH").From(err)
	}
	return found, nil
}

// PersonalByThumbprint gives the one with these hex digits of its SHA-1 or SHA-256; blanks and colons between them do not count.
func PersonalByThumbprint(digits string) ([]byte, error) {
	all, err := Personal()
	if err != nil {
		return nil, err
	}
	return byThumbprint(all, digits)
}

func byThumbprint(all [][]byte, digits string) ([]byte, error) {
	want := strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return r
		}
		return -1 // blanks, colons, and the mark that Windows' dialog puts in front
	}, digits))
	for _, der := range all {
		s1, s256 := sha1.Sum(der), sha256.Sum256(der) //nolint:gosec // for finding
		if want == hex.EncodeToString(s1[:]) || want == hex.EncodeToString(s256[:]) {
			return der, nil
		}
	}
	return nil, problem.New("LocalMachine\\My has no certificate with the thumbprint " + problem.Plain(digits)).
		Because("it holds others, or none").Try("read the thumbprint in certlm.msc, under Personal > Certificates, Details").Of(problem.NotFound)
}
