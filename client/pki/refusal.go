package pki

import (
	"bytes"
	"regexp"
)

// saying is what stands in a file in place of a certificate: a text, or a page.
type saying struct{ why, next string }

func (s saying) Error() string { return s.why }

// What certreq, AD CS's web pages and its policy module say in English; other languages are known by the error's number.
var (
	refusalWords  = regexp.MustCompile(`(?i)\b(?:denied|not issued|disposition message)\b`)
	pendingWords  = regexp.MustCompile(`(?i)\btaken under submission\b|\brequest is pending\b|\bcertificate pending\b`)
	refusalNumber = regexp.MustCompile(`\b0x80[0-9a-fA-F]{6}\b`)
	requestNumber = regexp.MustCompile(`(?i)\brequest ?id(?: is)?:? *"?([0-9]{1,9})\b`)
	pageWords     = regexp.MustCompile(`(?i)^\s*<(?:!doctype|html|head|body|\?xml)\b`)
)

// sayingLimit is how much of a text is looked at: a page of AD CS has some kilobytes.
const sayingLimit = 64 << 10

// sayingIn tells what an authority says in a file that holds no certificate. Of the text itself only numbers are repeated: a file
// that was named by mistake may hold a secret.
func sayingIn(text []byte) (saying, bool) {
	text = text[:min(len(text), sayingLimit)]
	if !readable(text) {
		return saying{}, false
	}
	number := ""
	if m := requestNumber.FindSubmatch(text); m != nil {
		number = string(m[1])
	}
	coded := refusalNumber.Find(text)
	switch {
	case pendingWords.Match(text):
		if number == "" {
			number = "NUMBER"
		}
		return saying{"it holds no certificate: the authority says that the request has yet to be approved", `have it approved, then fetch the answer: certreq -retrieve -config "SERVER\AUTHORITY" ` + number + " certnew.cer certnew.p7b"}, true
	case refusalWords.Match(text), coded != nil:
		why := "it holds no certificate: the authority says that it has not issued one"
		if coded != nil {
			why += " (" + string(coded) + ")"
		}
		if number != "" {
			number = " of request " + number
		}
		return saying{why, "look under Failed Requests in the authority's console for the reason" + number + ", then hand the same request in again"}, true
	case pageWords.Match(text):
		return saying{"it is a web page and no certificate", "take Download certificate chain on the authority's page, and save what comes"}, true
	}
	return saying{}, false
}

// readable says whether bytes are text, in whatever code page.
func readable(b []byte) bool {
	return len(b) > 0 && bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' }) < 0
}
