package auditor

import (
	"slices"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// notIssued says where the answer has to lie that takes the place of one in which the authority refuses, or puts off. What else is
// wrong with an answer stays as it is.
func notIssued(err error, f files) error {
	var l problem.List
	for _, p := range problem.All(err) {
		if p.Code == problem.CertificateNotIssued {
			c := *p
			c.Next = slices.Clone(p.Next)
			p = c.At(keyCAAnswer).Try("save the authority's answer as "+problem.Plain(f.answer)+" in place of what is there, and run npsetup resume", "key and request stay as they are").From(err)
		}
		l.Add(p)
	}
	return l.Err()
}

// remedied puts a remedy that fits the road in the place of Auditor's, or behind what has to be asked of an authority.
func remedied(err error, behind bool, try string) error {
	var l problem.List
	for _, p := range problem.All(err) {
		c := *p
		c.Next = []string{try}
		if behind {
			c.Next = append(slices.Clone(p.Next), try)
		}
		l = append(l, &c)
	}
	return l.Err()
}

// authorityRefused says why an authority's certificate cannot vouch: a signature, a key or a purpose that Windows does not take, or its
// dates by the server's clock.
func (w World) authorityRefused(s *steps.Scene, c Certificate) error {
	const next = "ask the authority for its present certificates, and for a client certificate that they vouch for"
	if w.serverNow(s).After(c.NotAfter) {
		return problem.New("the certificate of the authority " + problem.Plain(c.Subject) + " has expired").Coded(problem.ClientCertificateExpired).Because("it was valid to " + c.NotAfter.UTC().Format("2006-01-02")).
			Try(next)
	}
	var l problem.List
	for _, p := range problem.All(c.Refused) {
		told := *p
		told.What, told.Next = "the authority "+problem.Plain(c.Subject)+" cannot vouch for Auditor's certificate: "+p.What, []string{next}
		l.Add(&told)
	}
	return l.Err()
}
