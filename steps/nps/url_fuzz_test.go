package nps

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzURL completes and judges addresses: what passes names a host over https and nothing else, and completing it again changes nothing.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"", "nps", "nps:6500", "https://nps.contoso.com:6500/", "http://nps/", "https://user:pass@nps/", "https://nps/?q", "https://nps/#f", "[::1]", "https://[fe80::1%25eth0]:1/", "nps.contoso.com:99999", "https://nps:0/",
		"https://nps\x00/", "//nps", "https:nps", "https://nps%2f@evil/", "https://\u202enps/", "https://nps:6500/../x", " https://nps ", "javascript:alert(1)", "https://nps\\@evil/", "https://[nps/", "https://nps:/",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		completed, _ := CompleteURL(text)
		if again, said := CompleteURL(completed); again != completed || said != "" && checkURL(completed) == nil {
			t.Errorf("%q becomes %q, and that %q (%s)", text, completed, again, said)
		}
		err := checkURL(completed)
		if err != nil {
			if len(text) > 8 && strings.Contains(strings.ReplaceAll(err.Error(), "https://nps.contoso.com:6500/", ""), text) {
				t.Errorf("the fault repeats the text: %v", err)
			}
			return
		}
		u, err := url.Parse(completed)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
			t.Errorf("%q passed (%v)", completed, err)
		}
		if strings.ContainsFunc(completed, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q is no address", completed)
		}
	})
}
