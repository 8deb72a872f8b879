package trust

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"npsetup/steps/problem"
)

// get is a visit as net/http makes it, with its wrapping.
func get(ctx context.Context, addr string, config *tls.Config) error {
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err == nil {
		_ = answer.Body.Close()
	}
	return err
}

func TestExplainThroughHTTP(t *testing.T) {
	ca := issue(t, caTemplate("contoso-CA"), nil)
	expired := template("nps", host)
	expired.NotAfter = today.Add(-time.Hour)
	early := template("nps", host)
	early.NotBefore = today.Add(time.Hour)
	trusted := "ca:" + file(t, "ca.pem", inPEM(ca))
	plain := httptest.NewServer(nil)
	defer plain.Close()
	other := issue(t, template("nps", "old.contoso.com"), &ca)
	elsewhere := issue(t, caTemplate("fabrikam-CA"), nil)
	for name, c := range map[string]struct {
		addr, trust string
		kind        problem.Kind
		says        []string
	}{
		"self-signed":   {serve(t, &tls.Config{}, issue(t, template("nps", host), nil)).addr, trusted, problem.Failed, []string{"does not verify", "self-signed", "IIS Manager > the site SbPAM Web Service", "Thumbprint is the SHA-1", "pin:sha256:"}},
		"unknown":       {serve(t, &tls.Config{}, issue(t, template("nps", host), &elsewhere)).addr, trusted, problem.Failed, []string{"fabrikam-CA", "certlm.msc > Trusted Root Certification Authorities", "ca:FILE", "npsetup trust install FILE", "IIS Manager"}},
		"wrong name":    {serve(t, &tls.Config{}, other).addr, trusted, problem.Failed, []string{"the certificate of " + host, "made out to old.contoso.com"}},
		"expired":       {serve(t, &tls.Config{}, issue(t, expired, &ca)).addr, trusted, problem.Failed, []string{"it expired on 2026-11-23 11:00 UTC, by this machine's clock", "renew"}},
		"not yet valid": {serve(t, &tls.Config{}, issue(t, early, &ca)).addr, trusted, problem.Failed, []string{"valid only from 2026-11-23 13:00 UTC", "clock"}},
		"changed pin":   {serve(t, &tls.Config{}, other).addr, "pin:sha256:" + hex64, problem.Failed, []string{"is not the pinned one", hex64, Describe(other.cert).SHA256}},
		"plain HTTP":    {plain.Listener.Addr().String(), trusted, problem.Unreachable, []string{"plain HTTP"}},
		"hangs up":      {listen(t, func(net.Conn) {}), trusted, problem.Unreachable, []string{"closed the connection"}},
		"old TLS":       {serve(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, other).addr, trusted, problem.Unreachable, []string{"TLS 1.2"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := get(context.Background(), c.addr, configOf(t, c.trust, clock))
			wantProblem(t, Explain(err), c.kind, c.says...)
		})
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Explain(get(cancelled, "127.0.0.1:1", nil)); !problem.Is(err, problem.Cancelled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestExplainLeavesTheRest(t *testing.T) {
	if err := Explain(nil); err != nil {
		t.Error(err)
	}
	known := fmt.Errorf("while reading: %w", problem.New("known").Of(problem.Refused))
	for _, err := range []error{errors.New("something else"), known, problem.List{problem.New("a")}} {
		if got := Explain(err); fmt.Sprint(got) != fmt.Sprint(err) || problem.KindOf(got) != problem.KindOf(err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	if !errors.Is(Explain(fmt.Errorf("x: %w", io.EOF)), io.EOF) {
		t.Error("the error below is lost")
	}
}

func TestPinMismatchPrintsNothingHarmful(t *testing.T) {
	m := &PinMismatch{Host: "a\x1bb", Want: hex64, Got: strings.Repeat("f", 64)}
	if problem.Plain(m.Error()) != m.Error() || !strings.Contains(m.Error(), "ab is not the pinned one") && !strings.Contains(m.Error(), "certificate of ab") {
		t.Errorf("%q", m.Error())
	}
	if all := problem.All(fmt.Errorf("sign-in: %w", m)); len(all) != 1 || len(all[0].Next) != 3 {
		t.Errorf("%v", all)
	}
}
