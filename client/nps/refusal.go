package nps

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// refusal is the problem of an answer with a status of 400 or more.
func (c *Client) refusal(r request, status int, contentType string, raw []byte) error {
	if isPage(contentType, raw) {
		if p := c.webServer(r, status, raw); p != nil {
			return p
		}
	}
	s := explainBody(contentType, raw)
	p := c.sessionRefused(r, status, s)
	if p == nil {
		p = c.judged(r, status)
	}
	if p.Kind == problem.NotOffered && r.op.Class == plan.Read && isPage(contentType, raw) {
		p = c.strange(r, status)
	}
	p.Why = c.because(s, p.Why)
	if licence.MatchString(s.text) {
		p.Coded(problem.LicenceExpired)
		p.Next = append([]string{"import a licence on the About page of NPS: without one it refuses new objects"}, p.Next...)
	}
	return p
}

var licence = regexp.MustCompile(`(?i)\blicen[cs]e`)

// because puts the server's own words first, and the trace id last.
func (c *Client) because(s said, otherwise string) string {
	var parts []string
	for _, text := range []string{c.plain(s.text), otherwise} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		parts = []string{"it gives no reason"}
	}
	why := strings.Join(parts, "; ")
	if s.trace != "" {
		why += " (trace id " + c.plain(s.trace) + ")"
	}
	return why
}

// absent says whether a status may mean that the server has no such call.
func absent(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed
}

// strange is the problem of a page in the place of data: NPS itself answers a call that it does not have with JSON or with nothing,
// and what stands before it must not pass for NPS.
func (c *Client) strange(r request, status int) *problem.Problem {
	return problem.New(fmt.Sprintf("a web page came from %s (%d)", r.text(), status)).Coded(problem.SomethingInBetween).
		Because("NPS answers with data, so that something else answers in its place").
		Try("check that nps.url leads to NPS itself, and to no proxy or portal before it")
}

// judged is the problem by its status alone.
func (c *Client) judged(r request, status int) *problem.Problem {
	p := problem.New(fmt.Sprintf("NPS refused %s (%d)", r.text(), status))
	switch {
	case absent(status) && r.op.Source != npsapi.Documented:
		p = problem.New("this server does not offer " + r.text() + fmt.Sprintf(" (%d)", status)).
			Because("the call is " + r.op.Source.String() + ", not documented: " + r.op.Reason).Of(problem.NotOffered)
		if r.op.Class == plan.Read { // without it there is no plan, and no page of clicks
			return p.Try("check that nps.url leads to NPS itself", "npsetup cannot compare what is there on this version: set it up in NPS by the article")
		}
		return p.Try("do the step by hand; npsetup plan shows the clicks")
	case status == http.StatusNotFound:
		return p.Because("there is no such object, or none that this user may see").
			Try("run npsetup plan: it looks again at what is there").Of(problem.NotFound)
	case status == http.StatusUnauthorized:
		return p.Coded(problem.SignInEnded).Because("the token is missing or has expired").
			Try("sign in again and run npsetup resume; nothing that was done is lost").Of(problem.SignInAgain)
	case status == http.StatusForbidden:
		if bare := c.roleless(p.What); bare != nil {
			return bare
		}
		return p.Coded(problem.RoleMissing).Because("the token carries no role that may do this").
			Try("sign in as an administrator, or ask for the role under Role Management").Of(problem.Refused)
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout:
		return p.Coded(problem.ServerBusy).Because("the server is busy; nothing was carried out").Try("wait a minute, then run the same command again")
	case status >= 500:
		p.What = fmt.Sprintf("NPS failed at %s (%d)", r.text(), status)
		if r.op.Class == plan.Change {
			p.Kind = problem.ServerFailed // a proxy may give up on what NPS carries out
		}
		return p.Try("look for the trace id, or the time, in the web log on the NPS server", "run npsetup resume to go on where this run stopped")
	}
	return p.Try("correct the value that it names in the answers, then run npsetup plan again")
}

var subStatus = regexp.MustCompile(`\b(403\.13|403\.16|403\.17|403\.7|404\.7|500\.19)\b`)

// webServer is the problem of a page that IIS answered in place of NPS, or nil when the page is not known. Their fixes
// are those of the vendor's knowledge base.
func (c *Client) webServer(r request, status int, raw []byte) *problem.Problem {
	what := func(status string, code problem.Code) *problem.Problem {
		return problem.New(fmt.Sprintf("the web server of NPS refused %s (%s)", r.text(), status)).Coded(code)
	}
	code := subStatus.FindString(pageText(raw))
	path, _, _ := strings.Cut(r.wire.Path, "?")
	switch {
	case status == http.StatusMethodNotAllowed:
		return what("405", problem.WebDAV).Because("WebDAV on the NPS server answers PUT and DELETE in the place of NPS (module WebDAVModule)").
			Try("remove the WebDAV module and handler in the web.config of the NPS site, then run npsetup resume")
	case code == "500.19":
		return what(code, problem.HostingBundle).Because("the web server cannot read the configuration of NPS: its .NET hosting bundle is damaged").
			Try("repair \"Microsoft .NET Core - Windows Server Hosting\" on the NPS server and restart it, then run the same command again")
	case strings.HasPrefix(code, "403."):
		return c.certificateRefused(r, code, "")
	case status == http.StatusNotFound && (code == "404.7" || adSegment(path)):
		return what("404.7", problem.ADExtensionBlocked).Because("request filtering of the web server blocks names that end in .ad").
			Try("remove .ad under Request Filtering, File Name Extensions, in IIS Manager and run iisreset, then run npsetup resume")
	case status == http.StatusServiceUnavailable:
		return what("503", problem.ApplicationPool).Because("the application pool of NPS is stopped or starting").
			Try("start it in IIS Manager on the NPS server, then run the same command again")
	}
	return nil
}

func adSegment(path string) bool {
	for _, segment := range strings.Split(path, "/") {
		if strings.HasSuffix(strings.ToLower(segment), ".ad") {
			return true
		}
	}
	return false
}
