package pki

// CheckTrustedRoot judges whether a certificate may go into Trusted Root on the NPS server: only a self-signed one may.
// That anything else there makes IIS refuse all client certificates with 403.16 or 403.7 is Microsoft's KB 2802568.
func CheckTrustedRoot(c Certificate) []Remark {
	if c.SelfSigned {
		return nil
	}
	r := Remark{
		Level: Refuse, Text: "this certificate must not go into Trusted Root: it is not self-signed",
		Why: "it was issued by " + c.Issuer + ", and what is not self-signed there makes IIS refuse every client certificate (403.16, 403.7)",
		Try: "put the certificate of its issuer, " + c.Issuer + ", into Trusted Root on the NPS server instead",
	}
	if c.Issuer == c.Subject {
		r.Why = "it names itself as its issuer, but another key signed it; what is not self-signed there makes IIS refuse every client certificate (403.16, 403.7)"
		r.Try = "put the certificate of the authority that signed it, which has the same name, into Trusted Root on the NPS server instead"
	}
	return []Remark{r}
}
