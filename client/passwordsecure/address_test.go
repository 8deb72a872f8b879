package passwordsecure

import (
	"net/url"
	"strings"
	"testing"

	"npsetup/steps/problem"
)

func TestForms(t *testing.T) {
	for text, want := range map[string]string{
		"https://ps.contoso.com":               "https://ps.contoso.com/api/ https://ps.contoso.com:11016/",
		"ps.contoso.com":                       "https://ps.contoso.com/api/ https://ps.contoso.com:11016/",
		"https://PS.contoso.com:443/":          "https://ps.contoso.com/api/ https://ps.contoso.com:11016/",
		"https://ps.contoso.com/api":           "https://ps.contoso.com/api/",
		"https://ps.contoso.com/api/":          "https://ps.contoso.com/api/",
		"https://ps.contoso.com/api/api/":      "https://ps.contoso.com/api/",
		"https://ps.contoso.com/API/api":       "https://ps.contoso.com/api/",
		"https://ps.contoso.com/vault":         "https://ps.contoso.com/vault/api/",
		"https://ps.contoso.com/vault/api/api": "https://ps.contoso.com/vault/api/",
		"https://ps.contoso.com:8443/vault/":   "https://ps.contoso.com:8443/vault/api/",
		"https://ps.contoso.com:8443":          "https://ps.contoso.com:8443/api/ https://ps.contoso.com:8443/",
		"https://ps.contoso.com/vault/#/login": "https://ps.contoso.com/vault/api/",
		"https://ps.contoso.com:11016":         "https://ps.contoso.com:11016/",
		"https://ps.contoso.com:11016/api/":    "https://ps.contoso.com:11016/",
		"ps.contoso.com:11016":                 "https://ps.contoso.com:11016/",
		"https://10.0.0.7/":                    "https://10.0.0.7/api/ https://10.0.0.7:11016/",
		"https://[2001:db8::7]/":               "https://[2001:db8::7]/api/ https://[2001:db8::7]:11016/",
	} {
		forms, err := Forms(text)
		var got []string
		for _, f := range forms {
			got = append(got, f.URL)
			if (f.Page == "") != (f.Kind == Direct) || f.Kind == WebApp && f.Page+"api/" != f.URL {
				t.Errorf("%s: %+v", text, f)
			}
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v (%v)\nwant %s", text, got, err, want)
		}
	}
}

func TestFormsSayWhatTheyMended(t *testing.T) {
	for text, want := range map[string]string{
		"ps.contoso.com": "https:// was added", "https://ps/api": "a slash was added", "https://ps/api/api/": "only once", "https://ps/": "api/ was added", "https://ps/#x": "# on",
		"https://ps:11016/api": "takes no path", "https://10.0.0.7/api/": "PSR8Server",
	} {
		forms, err := Forms(text)
		if err != nil || !strings.Contains(strings.Join(forms[0].Notes, "\n"), want) {
			t.Errorf("%s: %v %v, want %q", text, forms, err, want)
		}
	}
	if forms, err := Forms("https://ps.contoso.com/api/"); err != nil || len(forms[0].Notes) != 0 {
		t.Errorf("nothing was to be mended: %v %v", forms, err)
	}
}

func TestAddressesThatCannotBeMeant(t *testing.T) {
	for text, want := range map[string]string{
		"": "empty", "http://ps.contoso.com/": "in clear", "ftp://ps/": "https://", "https://": "read", "https://u:S3CR3T@ps/": "user name", "https://ps/?a=S3CR3T": "question mark",
		"https://ps/a/../b": "path", "https://ps//api": "path", `https://ps/a\b`: "path", "https://ps/%2e": "path", "https://ps/grüße": "path", "https://bücher.example/": "DNS", "https://a..b/": "DNS",
		"https://ps:11011/": "applications", "https://ps:11014/": "backup", "https://ps:80/": "without TLS", "https://ps:99999999999/": "65535", "https://ps:/": "65535", "https://" + strings.Repeat("a", 3000): "longer",
	} {
		_, err := Forms(text)
		if !problem.Is(err, problem.Usage) || !strings.Contains(problem.All(err)[0].Why, want) || strings.Contains(err.Error(), "S3CR3T") {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}

func FuzzForms(f *testing.F) {
	for _, s := range []string{"https://ps/", "ps:11016", "https://[::1]:11016/api/api", "http://x", "https://u:p@h/", "https://h:/x", "//", "https://h/\x00", "https://ps/a/api/b", "Api"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		forms, err := Forms(text)
		if (err == nil) != (len(forms) > 0) {
			t.Fatalf("%v %v", forms, err)
		}
		for _, form := range forms {
			if !strings.HasPrefix(form.URL, "https://") || !strings.HasSuffix(form.URL, "/") || strings.Contains(strings.ToLower(path(form.URL)), "/api/api/") || problem.Plain(form.URL) != form.URL {
				t.Fatalf("%q gives %q", text, form.URL)
			}
			again, err := Forms(form.URL)
			if err != nil || again[len(again)-1].URL != form.URL && again[0].URL != form.URL {
				t.Fatalf("%q gives %q, and that %v (%v)", text, form.URL, again, err)
			}
		}
	})
}

func path(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "/api/api/"
	}
	return u.Path
}
