package sandbox

import (
	"errors"
	"net"
	"net/http"
	"sync"
)

type connKey struct{}

// door is the port of the NPS stand-in. It can be closed, so that connections are refused, and opened again at the same address.
type door struct {
	server *http.Server

	mu       sync.Mutex
	listener net.Listener // nil: closed
	addr     string
	conns    map[net.Conn]bool
	over     bool
}

// watch keeps the open connections in view, so that they can be cut.
func (d *door) watch(server *http.Server) {
	d.server, d.conns = server, map[net.Conn]bool{}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		d.mu.Lock()
		defer d.mu.Unlock()
		switch state {
		case http.StateNew:
			d.conns[c] = true
		case http.StateClosed, http.StateHijacked:
			delete(d.conns, c)
		case http.StateActive, http.StateIdle:
		}
	}
}

func (d *door) serve(l net.Listener) {
	d.mu.Lock()
	d.listener, d.addr = l, l.Addr().String()
	d.mu.Unlock()
	go func() { _ = d.server.ServeTLS(l, "", "") }()
}

// shut closes the port. Who is connected stays so until cut.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil {
		_ = d.listener.Close()
		d.listener = nil
	}
}

// cut ends all connections but one.
func (d *door) cut(but net.Conn) {
	d.mu.Lock()
	var list []net.Conn
	for c := range d.conns {
		if c != but {
			list = append(list, c)
		}
	}
	d.mu.Unlock()
	for _, c := range list {
		abort(c)
	}
}

// open opens the port again, unless it is open or the sandbox has ended.
func (d *door) open() error {
	d.mu.Lock()
	if d.listener != nil || d.over || d.addr == "" {
		d.mu.Unlock()
		return nil
	}
	addr := d.addr
	l, err := net.Listen("tcp", addr)
	d.mu.Unlock()
	if err != nil {
		return errors.Join(errors.New("the port "+addr+" cannot be opened again"), err)
	}
	d.serve(l)
	return nil
}

func (d *door) end() {
	d.mu.Lock()
	d.over = true
	d.mu.Unlock()
}

// afterwards does what happens once a call is answered, before its answer leaves: what comes after it cannot be faster.
func (s *Server) afterwards(hit struck, r *http.Request) bool {
	me, _ := r.Context().Value(connKey{}).(net.Conn)
	switch {
	case hit["refused"]:
		s.struckBy("refused")
		s.door.shut()
	case hit["restart"]:
		s.struckBy("restart")
		s.door.shut()
		s.late = append(s.late, deed{s.o.Now().Add(awayFor), func() {
			if err := s.door.open(); err != nil {
				s.violations = append(s.violations, err)
			}
		}})
		s.advance()
	case hit["certificate-changed"]:
		s.struckBy("certificate-changed")
		s.shown.Store(&s.tls.other)
	default:
		return false
	}
	s.door.cut(me)
	return true
}
