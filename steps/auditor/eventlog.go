package auditor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// Event is an entry of Auditor's event log "Netwrix Auditor" that is about Privilege Secure: 5801 to 5804.
type Event struct {
	ID   int
	At   time.Time
	Text string // its message, as it stands in the log
}

// EventLog is Auditor's event log.
type EventLog struct {
	From   string // where it was read, for people
	Events []Event
}

// ErrNoEventLog says that this machine has no event log of Auditor.
var ErrNoEventLog = errors.New("this machine has no event log of Netwrix Auditor")

var eventsKey = steps.Key[*EventLog]{Name: "auditor.events"}

// lookEvents reads the event log: an exported file, or on Auditor's own server the log itself. That the log cannot be read stops nothing.
func (w World) lookEvents(ctx context.Context, s *steps.Scene) error {
	if w.Events == nil {
		return nil
	}
	file := s.Answers.File(keyEvents)
	log, err := w.Events(ctx, file)
	title := "event log of Auditor"
	switch {
	case errors.Is(err, ErrNoEventLog):
		return ctx.Err()
	case err != nil && file != "":
		judgeExport(s, file, err)
		return ctx.Err()
	case err != nil:
		s.See(steps.Finding{Kind: steps.TextFinding, Title: title, State: steps.Doubtful, Text: "it cannot be read: " + problem.Plain(err.Error())})
		return ctx.Err()
	}
	steps.Put(s, eventsKey, &log)
	f := steps.Finding{Kind: steps.ListFinding, Title: title, State: steps.Info, Text: "read from " + problem.Plain(log.From)}
	if len(log.Events) == 0 {
		f.Text += ": no event 5801 to 5804"
	}
	for _, e := range newest(log.Events, 5) {
		f.Items = append(f.Items, fmt.Sprintf("%s UTC: event %d: %s", e.At.UTC().Format("2006-01-02 15:04"), e.ID, problem.Plain(firstLine(e.Text))))
	}
	s.See(f)
	return ctx.Err()
}

// judgeExport tells why an exported file cannot be read. One that is not there may come later: that stops only who wants to be told what is in it.
func judgeExport(s *steps.Scene, file string, err error) {
	p := problem.New("Auditor's event log cannot be read from "+problem.Plain(file)).Coded(problem.EventLogUnreadable).At(keyEvents).Of(problem.Usage).
		Try(`export it on Auditor's server: wevtutil qe "Netwrix Auditor" /f:RenderedXml /e:Events > auditor-events.xml`, "name that file in "+keyEvents+", or leave the answer out")
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p = p.Because("there is no such file")
	case errors.As(err, &path):
		p = p.Because(problem.Plain(path.Err.Error()))
	default:
		p = p.Because(problem.Plain(err.Error()))
	}
	if errors.Is(err, fs.ErrNotExist) && !s.Memory.Reads {
		s.Doubt(steps.Finding{Kind: steps.TextFinding, Title: "event log of Auditor", Text: p.What + ": " + p.Why + ". " + strings.Join(p.Next, "; "), Code: p.Code})
		return
	}
	s.Problem(p)
}

// newest are the last n events, the latest first.
func newest(events []Event, n int) []Event {
	var list []Event
	for i := len(events) - 1; i >= 0 && len(list) < n; i-- {
		list = append(list, events[i])
	}
	return list
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(s)
}

// complaints are what Auditor's event log says against the set-up as it is, with their causes: of each kind of policy that items take the latest
// event, unless a session of that kind began after it.
func complaints(s *steps.Scene, ev evidence) []*problem.Problem {
	log, _ := steps.Get(s, eventsKey)
	if log == nil {
		return nil
	}
	var list []*problem.Problem
	kinds, told := kindsOf(s.Answers), map[string]bool{}
	for _, e := range slices.Backward(log.Events) {
		p := Cause(e)
		kind := e.kind(p.Code, kinds)
		if told[kind] {
			continue
		}
		told[kind] = true
		if ev.overtook(s, e, p.Code, kind, kinds) {
			continue
		}
		p.What = fmt.Sprintf("event %d in Auditor's log at %s UTC: %s", e.ID, e.At.UTC().Format("2006-01-02 15:04"), p.What)
		list = append(list, p)
	}
	return list
}

// ofResources are the causes that only an item with a resource-based policy meets.
var ofResources = []problem.Code{problem.ResourceUnknown, problem.ActivityUnknown, problem.DirectoryReplication, problem.RemoteAccessDenied}

// kind is the kind of policy that an event with such a cause is about where items take both kinds: by what it says was looked for, or whose
// account it was. Empty: it does not tell, or there is only one.
func (e Event) kind(about problem.Code, kinds []string) string {
	switch {
	case len(kinds) < 2:
		return ""
	case about == problem.CredentialUnknown, about == problem.CollectionTooLong && e.ID == 5801:
		return kindCredential
	case about == problem.CollectionTooLong, slices.Contains(ofResources, about):
		return kindResourceBased
	}
	return ""
}

// kindsOf are the kinds of policy that items take.
func kindsOf(a steps.Answers) []string {
	var kinds []string
	if len(itemsOf(a, false)) > 0 {
		kinds = append(kinds, kindResourceBased)
	}
	if len(itemsOf(a, true)) > 0 {
		kinds = append(kinds, kindCredential)
	}
	return kinds
}

// Cause names the cause of an event of Auditor, and the way out (vendor KB 000009212, 000009214 to 000009216).
func Cause(e Event) *problem.Problem {
	switch e.ID {
	case 5801:
		return problem.New("a session expired while its credentials were in use").Coded(problem.CollectionTooLong).
			Because("the collection takes longer than Max Duration, or several collections share one account; NPS may not rotate its password then").
			Try("set a longer Max Duration (connectionProfile.settings.maxDuration)", "name one account for each monitoring plan and data source")
	case 5802:
		return problem.New("a session expired while it was in use").Coded(problem.CollectionTooLong).Because("the collection takes longer than Max Duration").
			Try("set a longer Max Duration (connectionProfile.settings.maxDuration)")
	case 5803:
		return problem.New("a session was ended while it was in use").Coded(problem.SessionEndedInUse).Because("somebody ended it in NPS, or NwCfgServerSvc was restarted on Auditor's server").
			Try("let the sessions of the application user end by themselves")
	}
	return notEstablished(strings.ToLower(e.Text))
}

// notEstablished is the cause of an event 5804, by its reason: the code of an HTTP status or of a time-out, and NPS's words.
func notEstablished(text string) *problem.Problem {
	p := problem.New("Auditor could not establish a session")
	said := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case said("requested credential"):
		return p.Coded(problem.CredentialUnknown).Because("NPS finds no credential by the user name of the item that the application user may have").
			Try("type the user name in the item as NPS shows it under Credentials, letter by letter and without its domain", "npsetup verify tells whether the policy has the account")
	case said("requested resource"):
		return p.Coded(problem.ResourceUnknown).Because("NPS finds no resource by the name of the item: it looks for the DNS host name").Try("type the resource in the item by its DNS host name, such as dc01.contoso.com")
	case said("requested activity"):
		return p.Coded(problem.ActivityUnknown).Because("NPS finds no activity by the name of the item among those of the application user's policies").
			Try("type the activity in the item letter by letter", "npsetup verify tells whether the policy has the activity")
	case said("serial number"):
		return p.Coded(problem.SerialDiffers).Because("NPS has another serial number for the application user than the certificate's").
			Try("npsetup verify compares the serial number")
	case said("the user name or password is incorrect", "failed to get any valid dc"):
		return p.Coded(problem.DirectoryReplication).Because("a domain controller does not know the session's account yet: with several of them it reaches the others late").
			Try("take the PDC emulator as the resource", "or take a credential-based policy: its account is there already")
	case said("access is denied"):
		return p.Coded(problem.RemoteAccessDenied).Because("the service account may not do on the resource what the activity asks for").
			Try("give the service account the right to make accounts and to change the group")
	case said("0x80190193", "(403)", "forbidden", "certificate"):
		return p.Coded(problem.ClientCertificateNotTrusted).Because("NPS refuses the certificate: it is not trusted there, has expired, or has another serial number than the application user").
			Try("npsetup verify compares the serial number", "see that the NPS server trusts the certificate (step certificate-trust)")
	case said("0x80072ee2", "timed out", "timeout"):
		return p.Coded(problem.SessionTimeout).Because("the session was not active within MaxWaitForActiveStatusS (300 s), or the network is slow").
			Try("npsetup verify --session tells how long a session takes, and why",
				"only when it is merely slow: raise MaxWaitForActiveStatusS in CredentialResolverService.acconf on Auditor's server, restart NwCfgServerSvc, and do so again after each update or repair of Auditor, which sets it back to 300")
	case said("0x80190190", "(400)", "bad request"):
		return p.Coded(problem.SessionFailed).Because("NPS does not know what the item asks for").Try("compare the names in the item with those that npsetup plan shows, letter by letter")
	}
	return p.Coded(problem.SessionFailed).Because("the event gives a reason that is not known here").Try("read the reason of the event in the event log Netwrix Auditor on Auditor's server")
}
