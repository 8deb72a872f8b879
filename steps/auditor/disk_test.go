package auditor

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// disk is what lies on this machine: paths, and what they hold in one word: KEY, for a private key and a request; KEY ISSUER…
// for certificates, of which the first belongs to the key and each was issued by the next; a PFX holds the SHA-256 of its
// certificate. The last issuer is self-signed when the word ends with "!". A nil disk knows one certificate, that of the site.
type disk map[string]string

const (
	folder = "/answers/netwrix-auditor-certificate/"
	keyAt  = folder + "NetwrixAuditor.key"
	cerAt  = folder + "NetwrixAuditor.cer"
	reqAt  = folder + "NetwrixAuditor.req"
	pfxAt  = folder + "NetwrixAuditor.pfx"
	p7bAt  = folder + "NetwrixAuditor.p7b"
	rootAt = folder + "NetwrixAuditor.root.cer"
	midAt  = folder + "NetwrixAuditor.intermediate-1.cer"
)

func (d disk) read(path string) (string, error) {
	if text, there := d[path]; there {
		return text, nil
	}
	return "", fs.ErrNotExist
}

// named is a certificate of that name; the one of a key has the site's serial number.
func named(subject, issuer string) Certificate {
	return Certificate{
		Subject: "CN=" + subject, Issuer: "CN=" + issuer, Serial: serial, Thumbprint: "thumb-" + subject, SHA256: "sum-" + subject, SelfSigned: subject == issuer,
		NotBefore: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC),
	}
}

// line are the certificates of a file, in order.
func line(text string) (list []Certificate) {
	words := slices.Compact(strings.Fields(strings.TrimSuffix(text, "!")))
	whole := strings.HasSuffix(text, "!")
	for i, w := range words {
		switch {
		case i+1 < len(words):
			list = append(list, named(w, words[i+1]))
		case whole:
			list = append(list, named(w, w))
		}
	}
	return list
}

func (d disk) certificate(path string) (Certificate, error) {
	text, err := d.read(path)
	if err != nil {
		return Certificate{}, err
	}
	c := line(text)[0]
	if strings.Contains(path, "expired") || d["expired"] == path {
		c.Refused = problem.New("it has expired").Try("generate a new certificate in Auditor")
		c.NotAfter = time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)
	}
	return c, nil
}

func (d disk) checkKey(certificate, key string) error {
	if d == nil || strings.HasPrefix(d[certificate], d[key]) {
		return nil
	}
	return problem.New("they do not fit").Because("another key signed it")
}

func (d disk) files() Files {
	return Files{
		Exists: func(path string) bool { _, there := d[path]; return there },
		Key:    d.read,
		Folder: func(string) error {
			if why, bad := d["folder"]; bad {
				return problem.New("nothing can be written").Because(why)
			}
			return nil
		},
		CheckName: func(name string) error {
			if utf8.RuneCountInString(name) > 64 {
				return problem.New("the name cannot stand in a certificate")
			}
			return nil
		},
		CheckRequest: func(request, key string) error {
			text, err := d.read(request)
			if err == nil && text != d[key] {
				err = problem.New("it belongs to another key")
			}
			return err
		},
		Chain: d.chain,
		CheckPFX: func(_ context.Context, path string, _ steps.Answers, sha256 string) error {
			text, err := d.read(path)
			if err == nil && text != sha256 {
				err = problem.New("it holds another certificate")
			}
			return err
		},
	}
}

func (d disk) chain(key string, files []string, _ time.Time) (Chain, error) {
	var texts []string
	for _, f := range files {
		texts = append(texts, d[f])
	}
	text := strings.Join(texts, " ")
	list := line(text)
	if key != "" && !strings.HasPrefix(text, d[key]) {
		return Chain{}, problem.New("the answer belongs to another key")
	}
	if !strings.HasSuffix(text, "!") {
		return Chain{Leaf: list[0], Missing: list[len(list)-1].Issuer}, nil
	}
	c := Chain{Leaf: list[0], Root: list[len(list)-1]}
	if len(list) > 2 {
		c.Between = list[1 : len(list)-1]
	}
	if next, unfit := d["unfit"]; unfit {
		c.Leaf.Refused = problem.New("it is not for clients").Try(next)
	}
	for i := range c.Between {
		if why, weak := d["weak"]; weak {
			c.Between[i].Refused = problem.New(why).Coded(problem.ClientCertificateUnfit)
		}
	}
	return c, nil
}
