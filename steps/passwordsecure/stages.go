package passwordsecure

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/problem"
)

// verdict is how the search for a credential ended, as far as the log of a session tells.
type verdict int

const (
	untold     verdict = iota // nothing in the log tells it
	found                     // the credential was returned
	null                      // null, and the log does not say why
	notFound                  // null: there is no entry that the key may see
	ambiguous                 // there are several
	sealed                    // there is one that asks for more than NPS gives
	keyRefused                // Password Secure did not take the key
	unreached                 // NPS did not reach Password Secure
	untrusted                 // NPS does not trust its certificate
	elsewhere                 // something else answers at the address
	oldKit                    // the software kit in NPS does not fit
	noVault                   // the activity has no connector that works
)

// course is what the log of a session tells of the seven stages of the article's diagram.
type course struct {
	lines   [8]string // by stage, 1 to 7: the line that tells it
	verdict verdict
	said    string // the line of the verdict
}

// stageNames are the stages of the article's diagram "Vault Login Activity with Password Secure Integration". 6 and 7 exclude each other.
func stageNames() [8]string {
	return [8]string{
		1: "the Action Service starts the activity",
		2: "its worker asks for the credential",
		3: "the module VaultConnector PasswordSecure calls Get-VaultCredential",
		4: "it signs in to Password Secure with the API key",
		5: `it searches for Domain\User`,
		6: "the credential is found and returned",
		7: "it is not found: null is returned",
	}
}

// stage is the name of a stage as it went. Null has several causes, and only one of them is the diagram's.
func (c course) stage(i int) string {
	if i == 7 {
		switch c.verdict {
		case null:
			return "null is returned; the log does not say why"
		case ambiguous:
			return "null is returned: several entries fit"
		case sealed:
			return "null is returned: the entry asks for more than NPS gives"
		case untold, found, notFound, keyRefused, unreached, untrusted, elsewhere, oldKit, noVault:
		}
	}
	return stageNames()[i]
}

// sign is a piece of a log line that tells something. The stages and the names in them are the vendor's; every other word of a log is
// not published, so that each sign is short and several may stand for one thing.
type sign struct {
	all, any []string
	stage    int
	verdict  verdict
}

// signs are looked at in this order; the first that a line has counts.
func signs() []sign {
	vault := []string{"vault", "password secure", "passwordsecure", "psrapi"}
	return []sign{
		{all: []string{"connector"}, any: []string{"does not exist", "of another kind"}, verdict: noVault},
		{any: []string{"psrapi", "version of the server is not supported"}, verdict: oldKit},
		{all: []string{"certificate"}, any: []string{"not trusted", "untrusted", "remotecertificate", "invalid"}, verdict: untrusted},
		{any: []string{"several entries", "multiple entries", "more than one entry", "ambiguous"}, verdict: ambiguous, stage: 5},
		{any: []string{"reason is required", "reason required", "is sealed", "seal is"}, verdict: sealed, stage: 5},
		{any: []string{"answers 404", "(404)"}, verdict: elsewhere},
		{any: []string{"not reachable", "unreachable", "timed out", "no such host", "could not connect", "unable to connect", "connection refused", "could not be resolved"}, verdict: unreached},
		{any: []string{"failed (401)", "failed (403)", "login failed", "log in failed", "unauthorized", "api key has expired", "api key was deleted", "unknown api key"}, verdict: keyRefused},
		{any: []string{"no entry found", "entry not found", "credential not found", "password not found"}, verdict: notFound, stage: 5},
		{any: []string{"null returned", "returned null", "null value"}, verdict: null, stage: 7},
		{all: []string{"returned"}, any: []string{"found", "credential"}, verdict: found, stage: 6},
		{any: []string{"searching", "search for"}, stage: 5},
		{any: []string{"logged in", "log in with", "signed in", "login with", "authenticated"}, stage: 4},
		{all: []string{"get-vaultcredential"}, any: []string{"calling", "call ", "invok"}, stage: 3},
		{all: []string{"worker"}, any: []string{"checkout", "credential"}, stage: 2},
		{all: []string{"action service"}, any: []string{"starting", "start "}, stage: 1},
		{all: []string{"vaultconnector"}, any: vault, stage: 3},
	}
}

func (g sign) in(line string) bool {
	return !slices.ContainsFunc(g.all, func(w string) bool { return !strings.Contains(line, w) }) &&
		slices.ContainsFunc(g.any, func(w string) bool { return strings.Contains(line, w) })
}

// readCourse reads the lines of a log, the last first, as NPS gives them.
func readCourse(lines []string) course {
	var c course
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.ToLower(lines[i])
		if !ofVault(line) {
			continue
		}
		for _, g := range signs() {
			if !g.in(line) {
				continue
			}
			if g.stage > 0 {
				c.lines[g.stage] = lines[i]
			}
			// null is said behind what it came from, and tells less.
			if g.verdict != untold && (c.verdict == untold || g.stage != 7) {
				c.verdict, c.said = g.verdict, lines[i]
			}
			break
		}
	}
	return c
}

// ofVault says whether a line is about the search for a credential: others, such as those of WinRM, have causes of their own.
func ofVault(line string) bool {
	return slices.ContainsFunc([]string{"vault", "password secure", "passwordsecure", "action service"}, func(w string) bool { return strings.Contains(line, w) })
}

// past is the last stage that the log tells, 0 for none.
func (c course) past() int {
	for i := len(c.lines) - 1; i > 0; i-- {
		if c.lines[i] != "" {
			return i
		}
	}
	return 0
}

// text is the course in one line.
func (c course) text() string {
	var parts []string
	for i := 1; i < len(c.lines); i++ {
		switch {
		case c.lines[i] != "":
			parts = append(parts, fmt.Sprintf("%d %s", i, c.stage(i)))
		case i < c.past() && i != 6:
			parts = append(parts, fmt.Sprintf("%d (not told)", i))
		}
	}
	if c.verdict != found && c.past() < 6 {
		parts = append(parts, "no further")
	}
	return strings.Join(parts, ", ")
}

// finding shows all seven stages, with the lines of the log.
func (c course) finding() steps.Finding {
	f := steps.Finding{Kind: steps.ListFinding, Title: "the last session, by the seven stages of the article's diagram", State: steps.Doubtful}
	if c.verdict == found {
		f.State = steps.Fits
	}
	for i := 1; i < len(c.lines); i++ {
		state := "not told by the log"
		switch {
		case c.lines[i] != "":
			state = c.lines[i]
		case i == 7 && c.verdict == found, i == 6 && c.lines[7] != "":
			state = "did not happen"
		case i > c.past():
			state = "not reached"
		}
		f.Items = append(f.Items, fmt.Sprintf("%d %s: %s", i, c.stage(i), state))
	}
	return f
}

// cause is why no credential came; nil when one did, or nothing tells it.
func (c course) cause(login string) *problem.Problem {
	p := map[verdict]*problem.Problem{
		null: problem.New("Password Secure gave nothing for "+login+" (null)").Coded(problem.VaultEntryNotFound).
			Because("the log does not say why: there is no entry with this Domain and Username, the user of the API key may not read it, there are several, or it has a seal; none of that is an error to NPS").
			Try("compare Domain and Username of the entry with the Login Account Template, letter by letter", "look in Password Secure, as the user of the API key, that exactly one entry fits and that it has no seal"),
		notFound: problem.New("Password Secure has no entry "+login+" for this key (null)").Coded(problem.VaultEntryNotFound).Because("there is none with this Domain and Username, or the user of the API key may not read it; that is no error to NPS").
			Try("compare Domain and Username of the entry with the Login Account Template, letter by letter", "give the user of the API key the right Read on the entry"),
		ambiguous: problem.New("Password Secure has several entries " + login + " for this key").Coded(problem.VaultEntryAmbiguous).Because("NPS cannot tell which is meant, and takes none").
			Try("leave one of them, or let the user of the API key see only one"),
		sealed: problem.New("the entry " + login + " asks for more than NPS gives").Coded(problem.VaultEntryProtected).Because("it has a seal, or wants a reason for each look").
			Try("except the user of the API key from it in Password Secure"),
		keyRefused: problem.New("Password Secure refuses the API key").Coded(problem.VaultKeyRefused).Because("it has expired, was deleted, is cut, or its database is not enabled for the Web Application").
			Try("see under Tools > API Keys whether the key is there and valid", "make a new key, put it where the answers take it from, and run npsetup apply again: it writes the new key"),
		unreached: problem.New("NPS does not reach Password Secure").Coded(problem.VaultNotReachable).Because("its own network has no way to the API URL, or the service there does not run").
			Try("open the API URL in a browser on every NPS node with an action service", "see there whether DNS, firewall and proxy let it through"),
		untrusted: problem.New("NPS does not trust the certificate of Password Secure").Coded(problem.VaultNotTrusted).Because("no root in the store of the NPS server vouches for it").
			Try("on every NPS node with an action service import the root of its authority, or the certificate itself only where that is self-signed: certutil -addstore -f Root FILE.cer (certlm.msc > Trusted Root Certification Authorities); npsetup plan names it", "Skip Certificate Check would let anyone in between read the API key"),
		elsewhere: problem.New("the API of Password Secure is not at the connector's API URL").Coded(problem.VaultAddress).Because("something answers there, and knows no API").
			Try("compare the API URL with the address of the Web Application, with api/ behind it"),
		oldKit: problem.New("the software kit in NPS does not fit this Password Secure").Coded(problem.VaultKitTooOld).Because("its DLLs are older than the server").
			Try("on every NPS node with an action service, save "+dllFolder+" and put the DLLs of the fitting kit there; then restart the action service", "or update NPS"),
		noVault: problem.New("the activity has no vault connector that works").Coded(problem.DiffersFromGuide).Because("NPS does not find the connector, or finds one of another template").
			Try("npsetup plan shows what differs"),
	}[c.verdict]
	if p == nil {
		return nil
	}
	if c.said != "" {
		p.Why += "; the log says: " + c.said + " (what NPS writes there is not published: the line is read by its words)"
	}
	return p
}

// SessionCause names why a session of the activity did not become active, from the last state, the time it took, and the session's log.
func SessionCause(state steps.SessionState, words string, took time.Duration, log json.RawMessage) error {
	lines := nps.LogLines(log)
	if state == steps.SessionApproval {
		return problem.New("the session waits for an approval").Coded(problem.ApprovalNeeded).Because("the connection profile has an approval workflow").
			Try("approve it in NPS, or name another profile under accessPolicy.connectionProfile")
	}
	c := readCourse(lines)
	if p := c.cause(searched(c)); p != nil {
		return p
	}
	if p := nps.KnownCause(lines, words, took); p != nil {
		return p
	}
	p := problem.New("the session did not become active").Coded(problem.SessionFailed).Because("NPS says neither why nor what it waits for")
	if words != "" {
		p.Why = words
	}
	if state == steps.SessionPending || state == steps.SessionUnknown {
		p.What, p.Code = fmt.Sprintf("the session is not active after %d s", int(took.Seconds())), problem.SessionTimeout
	}
	if len(lines) > 0 {
		p.Why += "; its log says last: " + lines[0]
	}
	return p.Try("look at its log in NPS under Active Sessions > Historical, mend what it names, then npsetup verify --session")
}

// SessionDoubt names why a session became active without a credential, as its log tells it: null, several entries, a seal. Nil when the
// log tells nothing, or that the credential came.
func SessionDoubt(log json.RawMessage) error {
	c := readCourse(nps.LogLines(log))
	if p := c.cause(searched(c)); p != nil {
		return p
	}
	return nil
}

// searched is the account that the log says was looked for.
func searched(c course) string {
	fields := strings.Fields(c.lines[5])
	for i := len(fields) - 1; i >= 0; i-- {
		if strings.Contains(fields[i], `\`) {
			return fields[i]
		}
	}
	return "that was asked for"
}
