// Package sandbox is a stand-in for NPS and Password Secure, and for what a person does around them, over real TLS on loopback. It shares no code
// with the client: what holds both to the truth is the API contract. It is no NPS: it keeps everything in memory, knows
// one domain, and forgets all when it stops.
package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options chooses what the sandbox is like. The zero value is a healthy server on a free port of 127.0.0.1.
type Options struct {
	Listen    string        // address and port; default 127.0.0.1:0
	Exposed   bool          // allows an address beyond loopback
	Dir       string        // folder that gets answers, environment and certificates; empty: none
	Resources int           // additional resources, and as many import candidates
	Accounts  int           // additional accounts of the domain
	API       string        // full (default), observed or documented
	Latency   time.Duration // waited before each answer
	TokenLife time.Duration // default 15 minutes
	Faults    []string      // NAME or NAME@n, see Faults
	Now       func() time.Time

	// SessionDelay is how long a session is pending, and how long it takes to end, by Now; default 300 ms. Who moves the clock
	// that Now reads calls Tick, so that Auditor need not wait for the next request.
	SessionDelay time.Duration

	Check      Checker // nil: requests and answers are not held against the contract
	CheckVault Checker // the same for Password Secure
}

// Checker holds requests and answers against the contract.
type Checker interface {
	Request(r *http.Request, body []byte) error
	Response(r *http.Request, status int, header http.Header, body []byte) error
}

// ErrExposed refuses an address beyond loopback that was not asked for in so many words.
var ErrExposed = errors.New("it can be reached from other machines, and the sandbox hands out its secrets to whoever asks")

// Request is one request as it arrived.
type Request struct {
	Class  string `json:"class"` // read, auth, probe, change, outside
	Method string `json:"method"`
	Path   string `json:"path"` // with query
	Status int    `json:"status"`
	Body   []byte `json:"-"`

	Operation string `json:"-"` // its id in the contract; empty outside of it

	auditor bool // it is Auditor's
	vault   bool // it went to Password Secure
}

// Announcement is the line that the sandbox prints when it is ready.
type Announcement struct {
	NPS            string `json:"nps"`
	PasswordSecure string `json:"passwordSecure"` // of its Web Application
	Admin          string `json:"admin"`
}

// Server is a running sandbox.
type Server struct {
	o      Options
	tls    authority
	nps    *http.Server
	admin  *http.Server
	addr   string
	token  string
	adminA string
	faults faults

	mu           sync.Mutex
	world        world
	requests     []Request
	hooks        []func(Request)
	auditorHooks []func(Request)
	violations   []error
	clock        clock
	auditor      auditor
	vault        vaultServer

	once     sync.Once // of Close
	door     door
	ahead    atomic.Int64 // nanoseconds by which its clock is ahead of Options.Now
	shown    atomic.Pointer[tls.Certificate]
	gone     chan struct{} // closed by Close
	strokes  map[string]int
	late     []deed
	lastMade newest
	renamed  []other
	nonces   []string // of the tokens that were issued
	revoked  map[string]bool
}

// Start starts the sandbox. It runs until Close or until ctx ends.
func Start(ctx context.Context, o Options) (*Server, error) {
	o = withDefaults(o)
	if o.API != "full" && o.API != "observed" && o.API != "documented" {
		return nil, fmt.Errorf("api %q: one of full, observed, documented", o.API)
	}
	s := &Server{o: o, token: randomHex(16), gone: make(chan struct{}), revoked: map[string]bool{}}
	s.o.Now = func() time.Time { return o.Now().Add(time.Duration(s.ahead.Load())) }
	s.clock.changed = make(chan struct{})
	s.auditor.ctx, s.auditor.stop = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if s.faults, err = parseFaults(o.Faults); err != nil {
		return nil, err
	}
	listener, err := listen(o)
	if err != nil {
		return nil, err
	}
	s.addr = listener.Addr().String()
	if err := s.prepare(listener.Addr()); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	adminListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s.adminA = adminListener.Addr().String()
	if err := s.startVault(ctx, listener.Addr()); err != nil {
		return nil, errors.Join(err, listener.Close(), adminListener.Close())
	}
	if o.Dir != "" {
		if err := s.writeFiles(o.Dir); err != nil {
			return nil, errors.Join(err, listener.Close(), adminListener.Close(), s.closeVault())
		}
	}
	s.serve(ctx, listener, adminListener)
	return s, nil
}

func withDefaults(o Options) Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.API == "" {
		o.API = "full"
	}
	if o.TokenLife == 0 {
		o.TokenLife = 15 * time.Minute
	}
	if o.SessionDelay == 0 {
		o.SessionDelay = 300 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func listen(o Options) (net.Listener, error) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, err
	}
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() && !o.Exposed {
		return nil, errors.Join(fmt.Errorf("%s: %w", o.Listen, ErrExposed), l.Close())
	}
	return l, nil
}

func (s *Server) prepare(addr net.Addr) error {
	var err error
	if s.tls, err = newAuthority(addr, s.o.Now(), s.faults.has("expired-cert")); err != nil {
		return err
	}
	s.shown.Store(&s.tls.leaf)
	s.world = newWorld(s.o.Resources, s.o.Accounts)
	s.prepareVault()
	if err := s.prepareAuditor(); err != nil {
		return err
	}
	// The first request waits for the contract, not the first frame of the demonstration.
	routes := sync.OnceValues(func() (http.Handler, error) {
		ops, err := operations()
		if err != nil {
			return nil, fmt.Errorf("the contract cannot be read: %w", err)
		}
		return s.routes(ops)
	})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, err := routes()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h.ServeHTTP(w, r)
	})
	s.nps = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		// A client certificate is asked for and not demanded: one path wants it, and says so itself, as IIS does.
		TLSConfig: &tls.Config{
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.shown.Load(), nil }, MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert,
		},
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 only, as the client speaks
		ErrorLog:     quietLog(),
		ConnContext:  func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	s.door.watch(s.nps)
	s.admin = &http.Server{Handler: s.adminHandler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: quietLog()}
	return nil
}

func (s *Server) serve(ctx context.Context, nps, admin net.Listener) {
	s.door.serve(nps)
	go func() { _ = s.admin.Serve(admin) }()
	context.AfterFunc(ctx, func() { _ = s.Close() })
}

// Close stops the sandbox at once, Auditor first.
func (s *Server) Close() error {
	s.stopClock()
	s.door.end()
	s.once.Do(func() { close(s.gone) })
	s.auditor.stop()
	s.auditor.running.Wait()
	return errors.Join(s.nps.Close(), s.admin.Close(), s.closeVault())
}

// URL is the address of the NPS stand-in.
func (s *Server) URL() string { return "https://" + s.addr + "/" }

// AdminURL is the address of the admin port, with its token.
func (s *Server) AdminURL() string { return "http://" + s.adminA + "/" + s.token }

// Announcement is what a caller needs to use the sandbox.
func (s *Server) Announcement() Announcement {
	return Announcement{NPS: s.URL(), PasswordSecure: s.VaultURL(), Admin: s.AdminURL()}
}

// CAPEM is the certificate of the sandbox's own authority.
func (s *Server) CAPEM() []byte { return s.tls.caPEM }

// Pin is the leaf certificate as a trust answer: pin:sha256:HEX without its first word.
func (s *Server) Pin() string { return s.tls.pin }

// Requests lists the requests to NPS in order of arrival. Auditor's are not among them: they come when they like.
func (s *Server) Requests() []Request {
	return s.requestsWhere(func(r Request) bool { return !r.auditor && !r.vault })
}

// AuditorRequests lists those of Auditor.
func (s *Server) AuditorRequests() []Request {
	return s.requestsWhere(func(r Request) bool { return r.auditor })
}

func (s *Server) requestsWhere(wanted func(Request) bool) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Request{}
	for _, r := range s.requests {
		if wanted(r) {
			list = append(list, r)
		}
	}
	return list
}

// OnRequest calls f after a request was carried out and before its answer leaves. Auditor's are left out.
func (s *Server) OnRequest(f func(Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, f)
}

// Violations lists what did not fit the contract.
func (s *Server) Violations() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]error(nil), s.violations...)
}

// OnAuditorRequest is OnRequest for those of Auditor.
func (s *Server) OnAuditorRequest(f func(Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auditorHooks = append(s.auditorHooks, f)
}

// Credentials are what the administrator signs in with.
type Credentials struct{ User, Password, TOTPSecret string }

// Passphrase is what the person types when a PFX is imported.
func (s *Server) Passphrase() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.passphrase
}

// BrowserToken is what the administrator copies from a browser after a sign-in there.
func (s *Server) BrowserToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issue(s.world.people[adminName], true)
}

// Credentials gives the administrator's.
func (s *Server) Credentials() Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.world.people[adminName]
	return Credentials{u.name, u.password, u.totp}
}
