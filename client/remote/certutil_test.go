package remote

import (
	"context"
	"strings"
	"testing"
	"time"

	"npsetup/steps/problem"
)

var thumbprint = strings.Repeat("a1", 20)

func TestTrustedGoesByTheToolsWords(t *testing.T) {
	spaced := strings.TrimSpace(strings.Repeat("a1 ", 20))
	for said, c := range map[string]struct {
		code  uint32
		there bool
	}{
		"Root \"Trusted Root\"\r\n====\r\nCert Hash(sha1): " + thumbprint + "\r\nCertUtil: -store command completed successfully.": {0, true},
		"Cert Hash(sha1): " + spaced:                       {0, true},
		"Zertifikathash(sha1): " + strings.ToUpper(spaced): {0, true},
		"Cert Hash(sha1): " + strings.Repeat("b2", 20):     {0, false},
		"": {0, false},
		"FAILED: 0x80090011 (-2146893807 NTE_NOT_FOUND)":     {0x80090011, false},
		"FAILED: 0x80090011 (-2146893807)":                   {17, false},
		"FAILED: 0X80092004 (-2146885628)":                   {1, false}, // a shell between gives 1
		"FAILED: CRYPT_E_NOT_FOUND":                          {4, false},
		"FAILED: NTE_NOT_FOUND " + thumbprint + " is absent": {1, false},
	} {
		for _, onErr := range []bool{false, true} {
			s := newServer(t)
			s.Tool, s.OnErr = says(said, c.code), onErr
			there, err := s.open().Trusted(t.Context(), thumbprint)
			if there != c.there || err != nil {
				t.Errorf("%.40q: %v %.80v", said, there, err)
			}
			s.wantRan("certutil -store Root " + thumbprint)
		}
	}
}

// TestAToolThatFailsIsQuoted, its words made harmless and bounded.
func TestAToolThatFailsIsQuoted(t *testing.T) {
	for said, c := range map[string]struct {
		code uint32
		says []string
	}{
		"'certutil' is not\r\nrecognized \x1b]0;title\a\u009b2J\u202e\xff": {1, []string{"ended with 1", "'certutil' is not recognized ]0;title2J\uFFFD", "import the certificate by hand"}},
		"FAILED: 0x80070005 (WIN32: 5)":                                    {5, []string{"ended with 5", "0x80070005", "administrator of that server"}},
		"Access is Denied.":                                                {0x80070005, []string{"Access is Denied.", "administrator of that server"}},
		"":                                                                 {3, []string{"ended with 3"}},
		strings.Repeat("\x1b[2J x", 1<<18):                                 {2, []string{"ended with 2"}},
	} {
		s := newServer(t)
		s.Tool = says(said, c.code)
		m := s.open()
		there, err := m.Trusted(t.Context(), thumbprint)
		wantProblem(t, err, problem.Failed, append(c.says, "certutil -store Root "+thumbprint)...)
		if there {
			t.Error("and it is there")
		}
		if n := len(err.Error()); n > 1200 {
			t.Errorf("the error has %d bytes", n)
		}
		err = m.Remove(t.Context(), thumbprint)
		wantProblem(t, err, problem.Failed, append(c.says, "certutil -delstore Root "+thumbprint)...)
		s.wantRan("certutil -store Root "+thumbprint, "certutil -delstore Root "+thumbprint)
	}
}

func TestWhatIsNoThumbprintReachesNoServer(t *testing.T) {
	s := newServer(t)
	m := s.open()
	for _, evil := range []string{
		"", "a1", thumbprint + "a1", thumbprint[:39], strings.ToUpper(thumbprint), thumbprint + "\n", " " + thumbprint, thumbprint[:38] + "\x1b[", thumbprint + "; x",
		thumbprint[:37] + "&&x", thumbprint[:38] + "$x", strings.Repeat("*", 40), strings.Repeat("-", 40), strings.Repeat("à", 20),
	} {
		_, err := m.Trusted(t.Context(), evil)
		for _, err := range []error{err, m.Remove(t.Context(), evil)} {
			if err == nil || !strings.Contains(err.Error(), "no thumbprint") || problem.Plain(err.Error()) != err.Error() {
				t.Errorf("%q: %v", evil, err)
			}
		}
	}
	s.wantRan()
}

// TestItDoesWhatItTells compares what a person agrees to with what runs.
func TestItDoesWhatItTells(t *testing.T) {
	s := newServer(t)
	m := s.open()
	_, err := m.Trusted(t.Context(), thumbprintOf(der))
	must(t, err)
	must(t, m.Add(t.Context(), der))
	must(t, m.Remove(t.Context(), thumbprintOf(der)))
	told, undone := Does(thumbprintOf(der)), Undoes(thumbprintOf(der))
	s.wantRan(strings.TrimPrefix(told[0], "looks: "), strings.TrimPrefix(told[2], "runs "), strings.TrimPrefix(undone[0], "runs "))
	if !strings.Contains(told[1], carrier) || !strings.Contains(told[3], "removes that file") {
		t.Errorf("%q", told)
	}
}

// TestNobodyKnowsHowAToolEnded: the change may have happened.
func TestNobodyKnowsHowAToolEnded(t *testing.T) {
	for what, ends := range map[string]func(s *server) tool{
		"cut":       func(s *server) tool { return func(context.Context, string) (string, uint32) { s.Cut(); return "", 0 } },
		"no status": func(*server) tool { return says("", noStatus) },
	} {
		s := newServer(t)
		s.Tool = ends(s)
		wantProblem(t, s.open().Remove(t.Context(), thumbprint), problem.AnswerLost, "ended during certutil -delstore Root "+thumbprint, "npsetup resume --yes looks")
		if n := s.Signed(); n != 1 {
			t.Errorf("%s: %d signed in", what, n)
		}
		s.wantRan("certutil -delstore Root " + thumbprint)
	}
}

// TestALateToolIsEnded when time is over, and when a person leaves.
func TestALateToolIsEnded(t *testing.T) {
	for kind, cause := range map[problem.Kind]string{problem.AnswerLost: "deadline exceeded", problem.Cancelled: "canceled"} {
		s := newServer(t)
		ended := make(chan bool, 1)
		s.Tool = func(ctx context.Context, _ string) (string, uint32) {
			<-ctx.Done()
			ended <- true
			return "Cert Hash(sha1): " + thumbprint, 0
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if kind == problem.Cancelled {
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
		}
		defer cancel()
		there, err := s.open().Trusted(ctx, thumbprint)
		wantProblem(t, err, kind, "ended during certutil -store Root", cause)
		if there {
			t.Error("and it is there")
		}
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			t.Error("the session still runs")
		}
	}
}

// TestWhoHasLeftStartsNothing: a context that is over before a command sends none, and waits for nothing.
func TestWhoHasLeftStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newServer(t)
	start := time.Now()
	for range 20 {
		m := s.open()
		wantProblem(t, m.Remove(ctx, thumbprint), problem.Cancelled)
		wantProblem(t, m.Add(ctx, []byte("x")), problem.Cancelled)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	s.wantRan()
}

// TestASilentConnectionIsGivenUp: a person who leaves does not wait for a server that says nothing more.
func TestASilentConnectionIsGivenUp(t *testing.T) {
	s := newServer(t)
	m := s.open()
	s.Mute.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	over := make(chan error, 1)
	go func() {
		_, err := m.Trusted(ctx, thumbprint)
		over <- err
	}()
	select {
	case err := <-over:
		wantProblem(t, err, problem.AnswerLost)
	case <-time.After(20 * time.Second):
		t.Fatal("it still waits")
	}
}
