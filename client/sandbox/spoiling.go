package sandbox

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
)

// fate is how an answer travels.
type fate int

const (
	fateWhole fate = iota
	fateReset
	fateSilent
	fateSlow
	fateHalf
	fateFlood
)

// spoil changes an answer that was made as it should be.
func (s *Server) spoil(a *answer, hit struck, op operation) {
	for _, name := range []string{"reset-after", "slow", "half-body", "flood", "wrong-type", "truncated", "malformed", "unknown-enum", "duplicate", "deleted-namesake", "totals-change", "server-500-done"} {
		if hit[name] && a.spoilt(name, op) {
			s.struckBy(name)
			a.spoiled = true
		}
	}
}

func (a *answer) spoilt(name string, op operation) bool {
	full := len(a.raw) > 1
	switch name {
	case "reset-after":
		a.fate = fateReset
	case "slow":
		a.fate = fateSlow
		return full
	case "half-body":
		a.fate = fateHalf
	case "flood":
		a.fate, a.kind = fateFlood, "application/json; charset=utf-8"
	case "wrong-type":
		a.kind = "image/png"
		return full
	case "truncated":
		a.raw, a.kind = a.raw[:len(a.raw)/2], "application/json; charset=utf-8"
		return full
	case "malformed":
		a.raw, a.kind = []byte(`{"data":[{,}],`+"\x00\xff}"), "application/json; charset=utf-8"
	case "server-500-done":
		*a = answer{status: http.StatusInternalServerError, spoiled: true}
		return op.Class == "change"
	case "unknown-enum":
		return a.rewritten(unknownEnums)
	case "duplicate":
		return a.rewritten(func(v any) bool { return doubled(v, false) })
	case "deleted-namesake":
		return a.rewritten(func(v any) bool { return doubled(v, true) })
	case "totals-change":
		return a.rewritten(func(v any) bool {
			m, _ := v.(map[string]any)
			n, counts := m["recordsTotal"].(float64)
			if counts {
				m["recordsTotal"] = n + 1
			}
			return counts
		})
	}
	return true
}

// rewritten changes the data of an answer; rows are in a member named data, so that both shapes of a list have a holder.
func (a *answer) rewritten(change func(any) bool) bool {
	var v any
	if json.Unmarshal(a.raw, &v) != nil {
		return false
	}
	list, bare := v.([]any)
	if bare {
		v = map[string]any{"data": list}
	}
	if !change(v) {
		return false
	}
	if bare {
		v = v.(map[string]any)["data"]
	}
	raw, err := json.Marshal(v)
	if err == nil {
		a.raw = raw
	}
	return err == nil
}

// enumMembers are the members that hold kinds and states.
func enumMember(name string) bool {
	switch name {
	case "type", "entityType", "managedType", "rotationType", "passwordStatus", "status", "approvalTypeRequired", "credentialType", "actionType", "policyType":
		return true
	}
	return false
}

func unknownEnums(v any) bool {
	changed := false
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			changed = unknownEnums(one) || changed
		}
	case map[string]any:
		for name, one := range v {
			if _, number := one.(float64); number && enumMember(name) {
				v[name], changed = 9999, true
			} else if unknownEnums(one) {
				changed = true
			}
		}
	}
	return changed
}

// doubled adds a second row, of another id, for each row of a list.
func doubled(v any, deleted bool) bool {
	m, _ := v.(map[string]any)
	rows, _ := m["data"].([]any)
	more := rows
	for _, r := range rows {
		o, _ := r.(map[string]any)
		_, soft := o["isDeleted"].(bool)
		if o["id"] == nil || deleted && !soft {
			continue
		}
		twin := map[string]any{}
		for name, value := range o {
			twin[name] = value
		}
		twin["id"] = newID()
		if deleted {
			twin["isDeleted"] = true
		}
		more = append(more, twin)
	}
	m["data"] = more
	if n, counts := m["recordsTotal"].(float64); counts {
		m["recordsTotal"] = n + float64(len(more)-len(rows))
	}
	return len(more) > len(rows)
}

// travel sends an answer as its fate wants it, and says whether it did.
func (s *Server) travel(w http.ResponseWriter, r *http.Request, a answer) bool {
	switch a.fate {
	case fateReset:
		reset(r)
	case fateSilent:
		select {
		case <-r.Context().Done():
		case <-s.gone: // nobody waits any more
		}
		reset(r)
	case fateHalf:
		// The length that is told is more than comes.
		w.Header().Set("Content-Length", "1000000")
		w.WriteHeader(a.status)
		_, _ = w.Write(a.raw[:len(a.raw)/2])
		_ = http.NewResponseController(w).Flush()
		reset(r)
	case fateSlow:
		w.WriteHeader(a.status)
		for i := range a.raw {
			_, _ = w.Write(a.raw[i : i+1])
			if i < 200 {
				_ = http.NewResponseController(w).Flush()
			}
		}
	case fateFlood:
		w.WriteHeader(http.StatusOK)
		flood(w)
	case fateWhole:
		return false
	}
	return true
}

func flood(w http.ResponseWriter) {
	block := bytes.Repeat([]byte("x"), 1<<16)
	_, err := w.Write([]byte(`{"data":[{"name":"`))
	for sent := 0; sent < floodSize && err == nil; sent += len(block) {
		_, err = w.Write(block)
	}
	if err == nil {
		_, _ = w.Write([]byte(`"}],"recordsTotal":1}`))
	}
}

// reset ends the connection of a request with a reset, and not with an orderly end.
func reset(r *http.Request) {
	c, _ := r.Context().Value(connKey{}).(net.Conn)
	if c != nil {
		abort(c)
	}
	panic(http.ErrAbortHandler)
}

// abort resets a connection. Of one over TLS the wire is beneath.
func abort(c net.Conn) {
	if over, is := c.(interface{ NetConn() net.Conn }); is {
		c = over.NetConn()
	}
	if t, is := c.(*net.TCPConn); is {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
