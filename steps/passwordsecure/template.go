package passwordsecure

import (
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/problem"
)

func checkTemplate(v string) error {
	domain, user, found := strings.Cut(v, `\`)
	switch {
	case !found || domain == "" || user == "":
		return fmt.Errorf(`NPS looks for DOMAIN\user in Password Secure: a template without \ finds nothing`)
	case strings.ContainsAny(v, "\r\n\t") || v != strings.TrimSpace(v):
		return fmt.Errorf("no blank stands before or behind it")
	case strings.Count(v, "%")%2 != 0:
		return fmt.Errorf("a mask has a percent sign at both of its ends, such as %%samaccountname%%")
	}
	return nil
}

// preview says what the template comes to, and whether that is the entry.
func preview(s *steps.Scene) {
	a := s.Answers
	template, entry := a.Text(keyTemplate), login(a)
	if !strings.Contains(template, "%") {
		if template != entry {
			letters := ""
			if strings.EqualFold(template, entry) {
				letters = " in its letters' case"
			}
			s.Warn(fmt.Sprintf("the Login Account Template is %s, and the entry is %s: they differ%s, and what is not found is answered with null", problem.Plain(template), problem.Plain(entry), letters))
		}
		s.See(steps.Finding{Kind: steps.TextFinding, Title: "Login Account Template", State: steps.Info, Text: "every session asks Password Secure for " + problem.Plain(template)})
		return
	}
	f := steps.Finding{Kind: steps.ListFinding, Title: "Login Account Template, by user", State: steps.Info}
	hit := false
	for _, user := range a.List(keyUsers) {
		comes, known := filled(template, user)
		if !known {
			comes += " (the masks in it are filled by NPS)"
		}
		hit = hit || strings.EqualFold(comes, entry) || !known
		f.Items = append(f.Items, problem.Plain(user+": "+comes))
	}
	s.See(f)
	if !hit && len(a.List(keyUsers)) > 0 {
		s.Warn(fmt.Sprintf("the Login Account Template gives the entry %s to none of the users; each user needs an entry of its own in Password Secure, or the template a fixed name", problem.Plain(entry)))
	}
}

// filled fills the masks that a user's name alone tells, written DOMAIN\user or user@domain. known: none is left.
func filled(template, user string) (comes string, known bool) {
	domain, sam, found := strings.Cut(user, `\`)
	if !found {
		domain, sam = "", user
		if name, _, is := strings.Cut(user, "@"); is {
			sam = name
		}
	}
	for _, mask := range []struct{ name, value string }{{"%samaccountname%", sam}, {"%domain%", domain}, {"%targetdomain%", ""}} {
		if mask.value != "" {
			template = replaceFold(template, mask.name, mask.value)
		}
	}
	return template, !strings.Contains(template, "%")
}

// replaceFold replaces letters' case aside: masks are written either way.
func replaceFold(text, old, with string) string {
	var b strings.Builder
	for {
		i := strings.Index(strings.ToLower(text), old)
		if i < 0 || len(strings.ToLower(text)) != len(text) {
			return b.String() + text
		}
		b.WriteString(text[:i])
		b.WriteString(with)
		text = text[i+len(old):]
	}
}
