package passwordsecure

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"npsetup/steps/problem"
)

// Port is where the server answers web services directly.
const Port = "11016"

// FormKind is which of the two ways to the API an address goes.
type FormKind int

// The kinds of addresses.
const (
	WebApp FormKind = iota // through the Web Application: its address and api/
	Direct                 // at the server's own port, without api
)

func (k FormKind) String() string {
	switch k {
	case WebApp:
		return "web application"
	case Direct:
		return "server"
	}
	return "unknown"
}

// Form is one address at which the API may be.
type Form struct {
	Kind  FormKind
	URL   string   // of the API, as the connector of NPS takes it; ends in a slash
	Page  string   // of the Web Application; "" for Direct
	Notes []string // what was completed, and what may go wrong, in words
}

// Forms gives the addresses that text can mean, most likely first; at least one. text is the address of the Web Application
// (https://host, https://host/sub, https://host:port/sub), of the API below it, or of the server (https://host:11016). The error is a problem
// of kind Usage; it repeats nothing but the scheme and the port, since an address may hold a password.
func Forms(text string) ([]Form, error) {
	u, notes, err := parse(text)
	if err != nil {
		return nil, err
	}
	path, named, more := apiPath(u.Path)
	notes = append(notes, more...)
	host := "https://" + u.Host
	if net.ParseIP(u.Hostname()) != nil {
		notes = append(notes, "the certificate that Password Secure makes for itself (PSR8Server) holds IP numbers as names, which does not count for TLS: a host name is safer")
	}
	if u.Port() == Port {
		if path != "/" || named {
			notes = append(notes, "the server's own port takes no path: it was left out")
		}
		return []Form{{Kind: Direct, URL: host + "/", Notes: notes}}, nil
	}
	web := Form{Kind: WebApp, URL: host + path + "api/", Page: host + path, Notes: slices.Clone(notes)}
	switch {
	case !named:
		web.Notes = append(web.Notes, "api/ was added: the API is below the Web Application")
	case !strings.HasSuffix(u.Path, "/"):
		web.Notes = append(web.Notes, "a slash was added at the end")
	}
	forms := []Form{web}
	switch {
	case named || path != "/":
	case u.Port() == "":
		forms = append(forms, Form{Kind: Direct, URL: "https://" + bracketed(u.Hostname()) + ":" + Port + "/", Notes: slices.Clone(notes)})
	default:
		forms = append(forms, Form{Kind: Direct, URL: host + "/", Notes: slices.Clone(notes)})
	}
	return forms, nil
}

func parse(text string) (*url.URL, []string, error) {
	const example = "write it as https://ps.contoso.com/ (the Web Application) or https://ps.contoso.com:11016/ (the server)"
	bad := func(why string) (*url.URL, []string, error) {
		return nil, nil, problem.New("the address of Password Secure cannot be used").Coded(problem.VaultAddress).Because(why).Try(example).Of(problem.Usage)
	}
	var notes []string
	text = strings.TrimSpace(text)
	if text == "" {
		return bad("it is empty")
	}
	if len(text) > 2048 {
		return bad("it is longer than any address")
	}
	if scheme, _, found := strings.Cut(text, "://"); !found {
		text, notes = "https://"+text, append(notes, "https:// was added")
	} else if strings.EqualFold(scheme, "http") {
		return bad("it begins with http://: without TLS the API key, and with it every password that it may read, would travel in clear")
	} else if !strings.EqualFold(scheme, "https") {
		return bad("it does not begin with https://")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return bad("it is no address that can be read")
	case u.User != nil:
		return bad("it holds a user name: the API key does the sign-in")
	case u.RawQuery != "" || u.ForceQuery:
		return bad("it has a question mark: take the part before it")
	case strings.Contains(u.EscapedPath(), "%") || strings.Contains(u.Path, "//") || strings.Contains(u.Path, `\`) || strings.Contains(u.Path+"/", "/../") || strings.Contains(u.Path+"/", "/./"):
		return bad("its path has signs that no folder of a web application has")
	case strings.ContainsFunc(u.Path, func(r rune) bool { return r <= ' ' || r > '~' }):
		return bad("its path has signs that no folder of a web application has")
	case !hostname(u.Hostname()):
		return bad("its host name holds characters that DNS does not have")
	case !portNumber(u):
		return bad("its port is no number from 1 to 65535")
	case otherPort(u.Port()) != "":
		return bad("port " + u.Port() + " is that of " + otherPort(u.Port()) + ": the API is at 443, or at 11016 of the server")
	}
	if u.Fragment != "" || strings.Contains(text, "#") {
		u.Fragment, notes = "", append(notes, "the part from # on was left out: it names a view of the Web Application")
	}
	u.Host = strings.ToLower(u.Host)
	if u.Port() == "443" {
		u.Host = bracketed(u.Hostname())
	}
	return u, notes, nil
}

func portNumber(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == u.Port()
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func hostname(host string) bool {
	if net.ParseIP(host) != nil {
		return true
	}
	for _, r := range host {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return !strings.HasPrefix(host, ".") && !strings.Contains(host, "..") && len(host) <= 253
}

// otherPort names the ports of the product that do not carry its web services; from the vendor's list of ports.
func otherPort(port string) string {
	switch port {
	case "80":
		return "http, without TLS"
	case "1433":
		return "the SQL server"
	case "11011":
		return "the applications"
	case "11014":
		return "the backup service"
	case "11015":
		return "the Entra ID service"
	case "11018":
		return "the real-time service"
	case "11019":
		return "the identity provider for SAML"
	}
	return ""
}

// apiPath takes api off the end of a path, twice if it stands there twice. path begins and ends with a slash. IIS knows no capitals.
func apiPath(given string) (path string, named bool, notes []string) {
	segments := strings.FieldsFunc(given, func(r rune) bool { return r == '/' })
	n := len(segments)
	for n > 0 && strings.EqualFold(segments[n-1], "api") {
		n--
	}
	if len(segments)-n > 1 {
		notes = append(notes, "api stands only once in it: the other was left out")
	}
	named = n < len(segments)
	if n == 0 {
		return "/", named, notes
	}
	return "/" + strings.Join(segments[:n], "/") + "/", named, notes
}
