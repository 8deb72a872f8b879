package auditor

import (
	"npsetup/steps/problem"
)

// notIssued says where the answer has to lie that takes the place of one in which the authority refuses, or puts off. What else is
// wrong with an answer stays as it is.
func notIssued(err error, f files) error {
	var l problem.List
	for _, p := range problem.All(err) {
		if p.Code == problem.CertificateNotIssued {
			c := *p
			c.Next = append([]string{}, p.Next...)
			p = c.At(keyCAAnswer).Try("save the authority's answer as "+problem.Plain(f.answer)+" in place of what is there, and run npsetup resume", "key and request stay as they are").From(err)
		}
		l.Add(p)
	}
	return l.Err()
}
