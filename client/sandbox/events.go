package sandbox

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Event is an entry of Auditor's health log. ID 0 is a collection that went well, which Auditor does not log.
type Event struct {
	ID     int    `json:"id"`     // 5801 to 5804
	Reason string `json:"reason"` // of 5804: the code, such as 0x80190190 for HTTP 400
	Text   string `json:"text"`
	Source string `json:"source"`
}

const eventSource = "Netwrix Auditor System Health"

// reasonTimeout is ERROR_INTERNET_TIMEOUT as an HRESULT.
const reasonTimeout = "0x80072EE2"

// reasonOf is an HTTP status as an HRESULT: 0x80190190 is 400.
func reasonOf(status int) string { return fmt.Sprintf("0x%08X", 0x80190000+status) }

func notEstablished(reason, why string) Event {
	return Event{ID: 5804, Reason: reason, Text: "Unable to establish an activity session. Reason: " + why, Source: eventSource}
}

// refused is the event of an answer that refuses.
func refused(status int, body []byte) Event {
	why := fmt.Sprintf("%s (%d)", http.StatusText(status), status)
	if status == http.StatusBadRequest {
		why = "Bad request (400)" // Auditor's letters
	}
	var problem struct{ Detail, Title string }
	if json.Unmarshal(body, &problem) == nil && problem.Detail != "" {
		why += ", " + problem.Detail
	}
	return notEstablished(reasonOf(status), why)
}

// collectionLasts tells whether Auditor's collection takes longer than its session may.
func (s *Server) collectionLasts() bool {
	return s.faults.has("session-expires") || s.faults.has("credential-expires")
}

func (s *Server) collectionTakesLong() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.collectionLasts() || s.faults.has("session-terminated")
}

// cutEvent is the event of a session that ended in use.
func (s *Server) cutEvent(v auditorView) Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	cut := func(id int, text string) Event { return Event{ID: id, Text: text, Source: eventSource} }
	switch {
	case v.ExpirationDateTimeUTC != nil && v.ActualEndDateTimeUTC != nil && v.ActualEndDateTimeUTC.Before(*v.ExpirationDateTimeUTC):
		return cut(5803, "The activity session was terminated while it was in use.")
	case s.faults.has("credential-expires"):
		return cut(5801, "The activity session expired while the corresponding credentials were in use. This might prevent credentials from rotating or result in data collection failures.")
	}
	return cut(5802, "The activity session expired while it was in use. This might result in data collection failures.")
}

func (s *Server) happened(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auditor.events = append(s.auditor.events, e)
	s.exportEvent(e)
	s.announce()
}

func (s *Server) setDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.deadline = t
	s.setAlarm(s.o.Now())
}

// Events lists what happened to Auditor's collections.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Event{}, s.auditor.events...)
}

// AwaitEvents lists them once there are at least n, or gives the error of ctx.
func (s *Server) AwaitEvents(ctx context.Context, n int) ([]Event, error) {
	for {
		news := s.news()
		if list := s.Events(); len(list) >= n {
			return list, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return s.Events(), ctx.Err()
		}
	}
}

// serveEvents lists the events; with ?wait=N it answers when there are N.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	n := 0
	if wait := strings.TrimSpace(r.URL.Query().Get("wait")); wait != "" {
		var err error
		if n, err = strconv.Atoi(wait); err != nil {
			http.Error(w, "wait is a number of events", http.StatusBadRequest)
			return
		}
	}
	list, err := s.AwaitEvents(r.Context(), n)
	if err != nil {
		return // nobody reads it
	}
	reply(w, list)
}

// EventFile is the file in Options.Dir that holds Auditor's event log, as wevtutil qe "Netwrix Auditor" /f:RenderedXml exports it.
const EventFile = "auditor-events.xml"

// exportEvent adds an event to that file. A collection that went well is no event.
func (s *Server) exportEvent(e Event) {
	if e.ID == 0 || s.o.Dir == "" {
		return
	}
	text := e.Text
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	var message strings.Builder
	_ = xml.EscapeText(&message, []byte(text))
	s.auditor.log += fmt.Sprintf("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='%s'/><EventID Qualifiers='0'>%d</EventID>"+
		"<Level>2</Level><TimeCreated SystemTime='%s'/><Channel>Netwrix Auditor</Channel><Computer>auditor01.%s</Computer></System><EventData><Data>%s</Data></EventData>"+
		"<RenderingInfo Culture='en-US'><Message>%s</Message></RenderingInfo></Event>\r\n", eventSource, e.ID, s.o.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"), domainName, message.String(), message.String())
	_ = putFile(filepath.Join(s.o.Dir, EventFile), []byte(s.auditor.log)) // who looks for it says that it is not there
}
