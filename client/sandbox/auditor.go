package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// auditorAgent is how Auditor's requests are told from those of others.
const auditorAgent = "Netwrix Auditor (sandbox)"

// auditorWaits is MaxWaitForActiveStatusS of Auditor's CredentialResolverService, by Options.Now.
const auditorWaits = 300 * time.Second

// auditor is a stand-in for Netwrix Auditor: a client of the NPS stand-in, over its own TLS connection, with what a person typed.
type auditor struct {
	certificate tls.Certificate
	http        *http.Client
	settings    auditorSettings
	events      []Event
	log         string          // of those that Auditor logs, as wevtutil exports it
	ctx         context.Context //nolint:containedctx // it ends with the sandbox
	stop        context.CancelFunc
	running     sync.WaitGroup
	turn        sync.Mutex // one collection at a time
}

// auditorSettings is what stands in Auditor's dialogs. A plan's item names an activity and a resource, or a user.
type auditorSettings struct{ url, name, key, activity, resource, user string }

// items are the settings, one by one for each kind of item.
func (a auditorSettings) items() []auditorSettings {
	var list []auditorSettings
	if a.activity != "" {
		one := a
		one.user = ""
		list = append(list, one)
	}
	if a.user != "" {
		one := a
		one.activity, one.resource = "", ""
		list = append(list, one)
	}
	return list
}

func (s *Server) prepareAuditor() error {
	var err error
	if s.auditor.certificate, err = clientCertificate(s.o.Now()); err != nil {
		return err
	}
	if s.world.clientSerial, err = serialText(s.auditor.certificate.Certificate[0]); err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.tls.caPEM) // the person compared the certificate and ticked the box
	s.auditor.http = &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12, Time: s.o.Now,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				c := s.ClientCertificate()
				return &c, nil
			},
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// ClientCertificate is the certificate that Auditor shows, with its key.
func (s *Server) ClientCertificate() tls.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.auditor.certificate
}

// Collect lets Auditor collect data now; false: nobody has told it yet how.
func (s *Server) Collect() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startCollection() > 0
}

// startCollection lets Auditor collect, and says of how many kinds of items it will tell an event.
func (s *Server) startCollection() int {
	items := s.auditor.settings.items()
	if len(items) == 0 || s.clock.stopped {
		return 0
	}
	s.auditor.running.Add(1)
	go func() {
		defer s.auditor.running.Done()
		s.auditor.turn.Lock()
		defer s.auditor.turn.Unlock()
		for _, item := range items {
			e := s.collect(s.auditor.ctx, item)
			s.auditor.http.CloseIdleConnections()
			if s.auditor.ctx.Err() == nil { // what broke off because the sandbox stops is no event
				s.happened(e)
			}
		}
	}()
	return len(items)
}

// collect is one data collection: a session as the application user, used and ended.
func (s *Server) collect(ctx context.Context, item auditorSettings) Event {
	c := &collection{s: s, how: item}
	s.mu.Lock()
	serial := s.world.clientSerial
	s.mu.Unlock()
	login := map[string]string{"login": c.how.name, "password": c.how.key, "certificateSerialNumber": serial}
	if e, failed := c.call(ctx, http.MethodPost, "WebAppApi/api/v1/AppUserToken", login, &c.token); failed {
		return e
	}
	var started struct{ ID string }
	if e, failed := c.call(ctx, http.MethodPost, "api/v1/ActivitySession", c.request(), &started); failed {
		return e
	}
	c.session = started.ID
	if e, failed := c.untilActive(ctx); failed {
		return e
	}
	var password string
	if e, failed := c.call(ctx, http.MethodGet, "api/v1/ActivitySession/"+c.session+"/Password", nil, &password); failed {
		c.end(ctx)
		return e
	}
	if password == "" {
		c.end(ctx)
		return notEstablished("", "the password of the session is empty")
	}
	if e, cut := c.use(ctx); cut {
		return e
	}
	if e, failed := c.call(ctx, http.MethodDelete, "api/v1/ActivitySession/"+c.session, nil, nil); failed {
		return e
	}
	return Event{Text: "An activity session was established, used and ended.", Source: eventSource}
}

// collection is a data collection on its way.
type collection struct {
	s              *Server
	how            auditorSettings
	token, session string
}

// request is the session that the monitoring plan asks for, with the mistakes that a person makes in typing it.
func (c *collection) request() map[string]string {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	fs := c.s.faults
	if fs.has("plan-credential") {
		return map[string]string{"activityName": "Credential Release", "credentialUsername": "svc-auditr", "credentialDomain": domainNetBIOS}
	}
	if c.how.user != "" {
		return map[string]string{"activityName": activityRelease, "credentialUsername": c.how.user, "note": "Data collection: Active Directory"}
	}
	activity, resource := c.how.activity, c.how.resource
	if fs.has("plan-activity") {
		activity = strings.ToLower(activity)
	}
	if fs.has("plan-resource") {
		resource, _, _ = strings.Cut(resource, ".")
	}
	return map[string]string{"activityName": activity, "managedResourceName": resource, "note": "Data collection: Active Directory"}
}

type auditorView struct {
	SessionStatus                               sessionStatus
	ExpirationDateTimeUTC, ActualEndDateTimeUTC *time.Time
}

// look reads the session; the channel is closed at the next news after what it saw.
func (c *collection) look(ctx context.Context) (auditorView, <-chan struct{}, Event, bool) {
	var v auditorView
	news := c.s.news()
	e, failed := c.call(ctx, http.MethodGet, "api/v1/ActivitySession/SummaryById/"+c.session, nil, &v)
	return v, news, e, failed
}

// untilActive waits for the session as long as Auditor does.
func (c *collection) untilActive(ctx context.Context) (Event, bool) {
	deadline := c.s.o.Now().Add(auditorWaits)
	c.s.setDeadline(deadline)
	defer c.s.setDeadline(time.Time{})
	for {
		v, news, e, failed := c.look(ctx)
		switch {
		case failed:
			return e, true
		case v.SessionStatus == sessionActive:
			return Event{}, false
		case v.SessionStatus != sessionPending:
			return notEstablished("", "the session did not become active: "+c.lastError(ctx)), true
		case !c.s.o.Now().Before(deadline):
			c.end(ctx)
			return notEstablished(reasonTimeout, "the operation timed out"), true
		}
		select {
		case <-news:
		case <-ctx.Done():
			return Event{}, true
		}
	}
}

// use reads with the account of the session, as long as the collection takes. It tells when the session ended under it.
func (c *collection) use(ctx context.Context) (Event, bool) {
	for {
		v, news, e, failed := c.look(ctx)
		lasts := c.s.collectionTakesLong()
		switch {
		case failed:
			return e, true
		case v.SessionStatus == sessionActive && !lasts:
			return Event{}, false
		case v.SessionStatus == sessionComplete:
			return c.s.cutEvent(v), true
		}
		select {
		case <-news:
		case <-ctx.Done():
			return Event{}, true
		}
	}
}

// lastError is the last line of the session's log that tells of an error.
func (c *collection) lastError(ctx context.Context) string {
	var log struct {
		Lines []struct{ LogMessage string }
	}
	path := "api/v1/ActivitySession/" + c.session + fmt.Sprintf("/Log?logLevel=%d&orderDescending=true&skip=0&take=2", levelError)
	if _, failed := c.call(ctx, http.MethodGet, path, nil, &log); failed || len(log.Lines) < 2 {
		return "its log does not tell why"
	}
	return log.Lines[1].LogMessage // the first says only that it failed
}

func (c *collection) end(ctx context.Context) {
	_, _ = c.call(ctx, http.MethodDelete, "api/v1/ActivitySession/"+c.session, nil, nil) // it is over either way
}

// call sends a request and decodes its answer. What goes wrong is the event that Auditor writes.
func (c *collection) call(ctx context.Context, method, path string, body, out any) (Event, bool) {
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return notEstablished("", err.Error()), true
		}
		in = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.how.url+path, in)
	if err != nil {
		return notEstablished("", err.Error()), true
	}
	r.Header.Set("User-Agent", auditorAgent)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	a, err := c.s.auditor.http.Do(r)
	if err != nil {
		return broken(err), true
	}
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(a.Body, bodyLimit))
	switch {
	case err != nil:
		return broken(err), true
	case a.StatusCode/100 != 2:
		return refused(a.StatusCode, raw), true
	case out != nil && json.Unmarshal(raw, out) != nil:
		return notEstablished("", "the answer of "+c.how.url+" is not understood"), true
	}
	return Event{}, false
}

// broken is the event of a call that brought no answer. A certificate that is refused counts as the server's own 403 does.
func broken(err error) Event {
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return notEstablished(reasonOf(http.StatusForbidden), "the certificate of Privilege Secure is invalid")
	}
	return notEstablished(reasonTimeout, "the operation timed out")
}
