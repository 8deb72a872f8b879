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
		if n := len(chain.Issuers) - 1; n > 0 {
			var between []string
			for _, i := range chain.Issuers[:n] {
				between = append(between, i.Subject)
			}
			r.Try += ", and " + strings.Join(between, ", ") + " into Intermediate Certification Authorities"
		}
	case c.Issuer == c.Subject:
		r.Why = "it names itself as its issuer, but another key signed it; what is not self-signed there makes IIS refuse every client certificate (403.16, 403.7)"
		r.Try = "put the certificate of the authority that signed it, which has the same name, into Trusted Root on the NPS server instead"
	default:
		r.Try = "put the root of its chain into Trusted Root on the NPS server instead: the certificate of its issuer, " + chain.Missing + ", is not among these"
	}
	return []Remark{r}
}
