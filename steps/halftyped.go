package steps

import (
	"strconv"
	"strings"
	"unicode"
)

// tokenRun is from which length on letters and digits in one piece are no name any more: keys and tokens have 32 or more.
const tokenRun = 32

// mayBeSecret says whether what was typed may be a secret: a code, which is used once; what stands where a reference to a secret belongs
// and is none; what is no valid answer and does not read as the beginning of one; and, valid or not, what looks like a key or a token.
func (f Field) mayBeSecret(text string) bool {
	switch {
	case f.Kind == Code:
		return true
	case f.Kind == SecretField || f.Refers:
		return f.Valid(text) != nil
	}
	for _, value := range strings.Split(text, "\n") {
		if f.valueMayBeSecret(value) {
			return true
		}
	}
	return false
}

func (f Field) valueMayBeSecret(value string) bool {
	valid := f.Valid(value) == nil
	switch {
	case keyOrJWT(value):
		return true
	case valid && f.Check != nil && (f.Kind == Fingerprint || f.Kind == FileField || strings.HasPrefix(value, "SHA256:")):
		return false // a fingerprint is for everybody to see, and folders are called what they like
	case f.Kind == Fingerprint && !valid:
		return !beginsTrust(value)
	case token(value):
		return true
	}
	return !valid && !beginsAnswer(value)
}

// beginsTrust says whether a text may become an answer about whom to trust.
func beginsTrust(text string) bool {
	const pin = "pin:sha256:"
	if digits, is := strings.CutPrefix(text, pin); is {
		return strings.Trim(strings.ToLower(digits), "0123456789abcdef: ") == ""
	}
	if file, is := strings.CutPrefix(text, "ca:"); is {
		return beginsAnswer(file) && !token(file)
	}
	return strings.HasPrefix(pin, text) || strings.HasPrefix("system", text)
}

// beginsAnswer says whether a text may become an address, a path or a name: it has letters, digits and what stands between those there, and
// a colon only behind a scheme or a drive, within a bracketed address of IP version 6, or before a port.
func beginsAnswer(text string) bool {
	for _, scheme := range []string{"https:", "http:", "file:"} {
		if rest, is := strings.CutPrefix(text, scheme); is {
			text = rest
			break
		}
	}
	if len(text) > 1 && text[1] == ':' && unicode.IsLetter(rune(text[0])) && (len(text) == 2 || text[2] == '\\' || text[2] == '/') {
		text = text[2:]
	}
	if before, rest, is := strings.Cut(text, "["); is && strings.Trim(before, "/") == "" {
		inner, after, _ := strings.Cut(rest, "]")
		if strings.Trim(inner, "0123456789abcdefABCDEF:.") != "" {
			return false
		}
		text = after
	}
	if before, after, is := strings.Cut(text, ":"); is {
		port, path, _ := strings.Cut(after, "/")
		if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) {
			return false
		}
		text = before + "/" + path
	}
	return strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune(` ./\-_~,()'`, r)
	}) < 0
}

// parts are the pieces of a text between what parts names in addresses and paths.
func parts(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(` ./\:,;()[]'"<>`, r) })
}

// keyOrJWT says whether a text holds a key in PEM or the beginning of a JSON Web Token, which all begin alike.
func keyOrJWT(text string) bool {
	if strings.Contains(text, "-----BEGIN") {
		return true
	}
	for _, p := range parts(text) {
		if strings.HasPrefix(p, "eyJ") {
			return true
		}
	}
	return false
}

// token says whether a piece of a text is too long for a name, and made of what keys and tokens are made of.
func token(text string) bool {
	for _, p := range parts(text) {
		if len(p) < tokenRun {
			continue
		}
		has := func(is func(rune) bool) bool { return strings.IndexFunc(p, is) >= 0 }
		words := strings.ContainsAny(p, "-_") // of several words, as long names are
		switch {
		case len(p) > 63: // longer than a label of DNS
			return true
		case has(unicode.IsDigit) && has(unicode.IsLetter) && (!words || has(unicode.IsUpper) && has(unicode.IsLower)):
			return true
		}
	}
	return false
}
