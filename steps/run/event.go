package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// The names of events.
const (
	StepStarted = "step.started"
	OpSent      = "op.sent"
	OpDone      = "op.done"
	ActionDone  = "action.done"
	WaitingFor  = "waiting"
	StepDone    = "step.done"
	RunDone     = "run.done"
)

// Event is one thing that happened in a run. Faces, journal, JSON and transcript are fed by the same stream.
type Event struct {
	Time    time.Time  `json:"time"`
	Name    string     `json:"event"`
	Step    string     `json:"step,omitempty"`
	Action  string     `json:"action,omitempty"`
	Object  string     `json:"object,omitempty"` // kind and name
	Effect  string     `json:"effect,omitempty"`
	Outcome string     `json:"outcome,omitempty"`
	Op      *OpInfo    `json:"op,omitempty"`
	Error   *ErrorInfo `json:"error,omitempty"`
}

// OpInfo is one operation in an event; its path is redacted.
type OpInfo struct {
	Kind   string `json:"kind"`
	Class  string `json:"class"`
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Status int    `json:"status,omitempty"`
	MS     int64  `json:"ms"`
	Awaits string `json:"awaits,omitempty"` // what a read is repeated for
	Waited int64  `json:"waitedMs,omitempty"`
}

// Line is an operation that has ended, in one line. Without an answer there is no status.
func (o OpInfo) Line() string {
	if o.Awaits != "" {
		return fmt.Sprintf("waits until %s: %d s so far", problem.Plain(o.Awaits), o.Waited/1000)
	}
	status := ""
	if o.Status != 0 {
		status = fmt.Sprintf("%d ", o.Status)
	}
	return fmt.Sprintf("%s %s: %sin %d ms", o.Method, problem.Plain(o.Path), status, o.MS)
}

// ErrorInfo is a problem in an event.
type ErrorInfo struct {
	Code string   `json:"code"` // npsetup explain CODE
	What string   `json:"what"`
	Why  string   `json:"why,omitempty"`
	Next []string `json:"next,omitempty"`
}

// Sink takes events. It is called by one goroutine at a time.
type Sink interface{ Emit(e Event) }

// Sinks hands every event to several sinks.
type Sinks []Sink

// Emit implements Sink.
func (s Sinks) Emit(e Event) {
	for _, one := range s {
		one.Emit(e)
	}
}

// JSONSink writes one event a line.
type JSONSink struct {
	mu sync.Mutex
	w  io.Writer
}

// NewJSONSink writes to w.
func NewJSONSink(w io.Writer) *JSONSink { return &JSONSink{w: w} }

// Emit implements Sink.
func (s *JSONSink) Emit(e Event) {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if enc.Encode(e) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.w.Write(problem.PlainJSON(line.Bytes())) // a reader that went away must not stop a run
}

var _ Sink = (*JSONSink)(nil)

func eventOf(a plan.Action) Event {
	return Event{Step: a.Step, Action: a.Key, Object: a.Object + " " + problem.Plain(a.Name), Effect: a.Effect.String()}
}

func errorInfo(err error) *ErrorInfo {
	if err == nil {
		return nil
	}
	p := problem.All(err)[0]
	return &ErrorInfo{Code: string(p.Named()), What: problem.Plain(p.What), Why: problem.Plain(p.Why), Next: p.Next}
}

// emit stamps and serialises.
func (r *runner) emit(e Event) {
	if r.Sink == nil {
		return
	}
	r.emitting.Lock()
	defer r.emitting.Unlock()
	e.Time = r.Clock.Now()
	r.Sink.Emit(e)
}
