package pki

import "strings"

// CheckTrustedRoot judges whether a certificate may go into Trusted Root on the NPS server: only a self-signed one may.
// That anything else there makes IIS refuse all client certificates with 403.16 or 403.7 is Microsoft's KB 2802568. The
// remark names what belongs there instead, by its thumbprint when the chain is among known.
func CheckTrustedRoot(c Certificate, known ...Certificate) []Remark {
	if c.SelfSigned {
		return nil
	}
	r := Remark{
		Level: Refuse, Text: "this certificate must not go into Trusted Root: it is not self-signed",
		Why: "it was issued by " + c.Issuer + ", and what is not self-signed there makes IIS refuse every client certificate (403.16, 403.7)",
	}
	chain := ChainOf(c, known)
	root, complete := chain.Root()
	switch {
	case complete:
		r.Try = "put " + root.Subject + " (thumbprint " + root.SHA1 + "), the root of its chain, into Trusted Root on the NPS server instead"
		if between := chain.between(); between != "" {
			r.Try += ", and " + between + " into Intermediate Certification Authorities"
		}
	case c.Issuer == c.Subject:
		r.Why = "it names itself as its issuer, but another key signed it; what is not self-signed there makes IIS refuse every client certificate (403.16, 403.7)"
		r.Try = "put the certificate of the authority that signed it, which has the same name, into Trusted Root on the NPS server instead"
	default:
		r.Try = "put the root of its chain into Trusted Root on the NPS server instead: the certificate of its issuer, " + chain.Missing + ", is not among these"
	}
	return []Remark{r}
}

// TrustedRoot says in words what has to lie in Trusted Root on the NPS server for a certificate, and whether it is that one
// itself. It judges nothing: for what is issued, that its root belongs there is as it should be. See CheckTrustedRoot.
func TrustedRoot(c Certificate, known ...Certificate) (itself bool, text string) {
	if c.SelfSigned {
		return true, "may go there on the NPS server: it is self-signed"
	}
	chain := ChainOf(c, known)
	root, complete := chain.Root()
	text = "not this one: it was issued by " + c.Issuer
	switch {
	case !complete && c.Issuer == c.Subject:
		return false, "not this one: another key of the same name signed it, and NPS trusts that one's certificate, which is not among these"
	case !complete:
		return false, text + "; NPS trusts the root of its chain, and the certificate of " + chain.Missing + " is not among these"
	}
	text += "; NPS trusts its root, " + root.Subject + " (thumbprint " + root.SHA1 + ")"
	if between := chain.between(); between != "" {
		text += ", with " + between + " in Intermediate Certification Authorities"
	}
	return false, text
}

// between names the authorities under the root.
func (c Chained) between() string {
	var names []string
	for _, i := range c.Between() {
		names = append(names, i.Subject)
	}
	return strings.Join(names, ", ")
}
