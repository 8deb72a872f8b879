package pki

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"
	"strings"

	"npsetup/steps/problem"
)

// chainLimit is how long a chain may be; real ones have two to four certificates.
const chainLimit = 10

// Chained is a certificate with the authorities that vouch for it.
type Chained struct {
	Leaf    Certificate
	Issuers []Certificate // from the one that signed Leaf upwards; empty when Leaf is self-signed or nobody who signed it is there
	Missing string        // the issuer of the last one, when that is not there; empty when the chain ends in a self-signed certificate
	Others  []Certificate // what stands in no relation to Leaf
}

// All is the leaf and its issuers.
func (c Chained) All() []Certificate { return append([]Certificate{c.Leaf}, c.Issuers...) }

// Root is the certificate at the end of the chain, and whether the chain is complete.
func (c Chained) Root() (Certificate, bool) {
	all := c.All()
	return all[len(all)-1], c.Missing == ""
}

// Between are the issuers without the root: what a client shows and carries along, so that a server which knows only the root
// can follow.
func (c Chained) Between() []Certificate {
	return slices.DeleteFunc(slices.Clone(c.Issuers), func(by Certificate) bool { return by.SelfSigned })
}

// Chain finds the certificate that belongs to key, and orders those that vouch for it, whatever the order they come in. Of
// several for the same key the newest is taken. The error says whose certificates they are when none belongs to key; that
// issuers are missing is no error.
func Chain(key crypto.Signer, certificates []Certificate) (Chained, error) {
	certificates = unique(certificates)
	var leaf *Certificate
	for i, c := range certificates {
		if sameKey(key.Public(), c.X509.PublicKey) && (leaf == nil || c.X509.NotBefore.After(leaf.X509.NotBefore)) {
			leaf = &certificates[i]
		}
	}
	if leaf == nil {
		return Chained{}, foreign(key, certificates)
	}
	return ChainOf(*leaf, certificates), nil
}

// ChainOf orders the certificates that vouch for leaf.
func ChainOf(leaf Certificate, certificates []Certificate) Chained {
	out := Chained{Leaf: leaf}
	rest := slices.DeleteFunc(unique(certificates), func(c Certificate) bool { return c.SHA256 == leaf.SHA256 })
	last := leaf
	for !last.SelfSigned {
		i := issuerOf(last, rest)
		if i < 0 || len(out.Issuers) == chainLimit {
			out.Missing = last.Issuer
			break
		}
		last = rest[i]
		out.Issuers = append(out.Issuers, last)
		rest = slices.Delete(rest, i, i+1)
	}
	out.Others = rest
	return out
}

// issuerOf finds who signed c, a self-signed one first: a cross-signed namesake makes the chain longer and no better. -1
// when nobody did.
func issuerOf(c Certificate, list []Certificate) int {
	found, tried := -1, 0
	for i, by := range list {
		if !bytes.Equal(by.X509.RawSubject, c.X509.RawIssuer) || found >= 0 && !by.SelfSigned {
			continue
		}
		if tried++; tried > chainLimit { // every check of a signature costs
			break
		}
		if by.X509.CheckSignature(c.X509.SignatureAlgorithm, c.X509.RawTBSCertificate, c.X509.Signature) != nil {
			continue
		}
		if found = i; by.SelfSigned {
			break
		}
	}
	return found
}

// foreign says that no certificate belongs to key, and which keys they belong to.
func foreign(key crypto.Signer, certificates []Certificate) error {
	if len(certificates) == 0 {
		return problem.New("there is no certificate for the private key").Because("no certificate was given").Try("name the authority's answer")
	}
	if !slices.ContainsFunc(certificates, func(c Certificate) bool { return !c.CAFlag }) {
		return problem.New("the answer lacks the certificate for the private key").Coded(problem.KeyDoesNotFit).Because("it holds certificates of authorities only: " + names(certificates)).
			Try("add the certificate that was issued for the request; a .p7b with the chain holds all of them").From(errMismatch)
	}
	var theirs []string
	for _, c := range ends(certificates) {
		if len(theirs) == 3 {
			theirs = append(theirs, "…")
			break
		}
		theirs = append(theirs, fmt.Sprintf("the certificate of %s has sha256:%s", c.Subject, KeyFingerprint(c.X509.PublicKey)))
	}
	return problem.New("the answer belongs to another key").Coded(problem.KeyDoesNotFit).Because("the public key of the private key is sha256:"+KeyFingerprint(key.Public())+"; "+strings.Join(theirs, "; ")).
		Try("take the key that was made with the request which was answered; npsetup cert inspect FILE tells the sha256 of each", "or hand the request of this key in, and take the answer to it").From(errMismatch)
}

// names are the subjects of a few certificates.
func names(list []Certificate) string {
	var out []string
	for i, c := range list {
		if i == 5 {
			out = append(out, "…")
			break
		}
		out = append(out, c.Subject)
	}
	return strings.Join(out, "; ")
}

// ends are those that signed none of the others: what was asked for, in all likelihood.
func ends(list []Certificate) []Certificate {
	var out []Certificate
	for i, c := range list {
		signs := func(other Certificate) bool {
			return other.SHA256 != c.SHA256 && bytes.Equal(other.X509.RawIssuer, c.X509.RawSubject)
		}
		if !slices.ContainsFunc(list, signs) {
			out = append(out, list[i])
		}
	}
	if len(out) == 0 {
		return list
	}
	return out
}

func sameKey(a, b crypto.PublicKey) bool {
	public, is := a.(interface{ Equal(crypto.PublicKey) bool })
	return is && public.Equal(b)
}
