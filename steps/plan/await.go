package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// Sign is a member by which a row shows something: its value, as text and whatever the case of its letters, is one of Values; with
// Not, none of them. Numbers and truth values count as JSON writes them; a member that is absent or null is the empty text.
type Sign struct {
	Member string   `json:"member"`
	Values []string `json:"values"`
	Not    bool     `json:"not,omitempty"`
}

// ShownBy says whether a row, a JSON object, shows it.
func (s Sign) ShownBy(row json.RawMessage) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(row, &members) != nil {
		return false
	}
	have, raw := "", members[s.Member]
	if json.Unmarshal(raw, &have) != nil && len(raw) > 0 {
		have = string(raw)
	}
	return slices.ContainsFunc(s.Values, func(v string) bool { return strings.EqualFold(v, have) }) != s.Not
}

func (s Sign) text() string {
	values := make([]string, len(s.Values))
	for i, v := range s.Values {
		values[i] = v
		if v == "" {
			values[i] = "empty"
		}
	}
	is := " is "
	if s.Not {
		is = " is not "
	}
	return s.Member + is + strings.Join(values, " or ")
}

func signsText(signs []Sign, between string) string {
	parts := make([]string, len(signs))
	for i, s := range signs {
		parts[i] = s.text()
	}
	return strings.Join(parts, between)
}

// Await makes a read of an operation one that is repeated until the row shows all of Until: what was begun behind an answer is over
// then. The call of Row is the operation's own.
type Await struct {
	Row    Lookup
	Or     *Lookup // where the row may stand instead, when it is not there
	Until  []Sign
	Failed []Fail // any of them, when it stays: it will not come to that
	Within time.Duration
	What   string       // what is awaited, for people
	Why    string       // what it means when Failed is shown
	Next   []string     // and what to do then, or when the time is over
	Code   problem.Code // of the problem when the time is over
}

// Fail is a sign that what is awaited will not come, and what its problem is about.
type Fail struct {
	Sign
	Code problem.Code
}

func (a *Await) text() string {
	s := a.Row.text()
	if a.Or != nil {
		s += ", or " + a.Or.text()
	}
	if len(a.Until) > 0 {
		s += ", until " + signsText(a.Until, " and ")
	}
	return s + "; for " + a.Within.String() + " at most"
}

// Spare is a read just before a change: when the row shows any of Signs, what the change would bring about is there or under way, and
// it is not sent. The same read tells whether a change whose answer was lost was carried out.
type Spare struct {
	Row   Lookup
	Signs []Sign
}

func (s *Spare) text() string {
	return fmt.Sprintf("%s: not sent when %s", s.Row.text(), signsText(s.Signs, " or "))
}
