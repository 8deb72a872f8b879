package nps

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
)

// TestAddressesAreCompletedAndChecked types addresses as people do.
func TestAddressesAreCompletedAndChecked(t *testing.T) {
	const host, scheme, user, path, query, port, name = "not an address", "https only", "a user or a password", "without a path", "nothing behind", "1 to 65535", "xn--"
	for _, c := range []struct{ typed, completed, fault string }{
		{"nps.contoso.com", "https://nps.contoso.com:6500/", ""},
		{"https://nps.contoso.com", "https://nps.contoso.com:6500/", ""},
		{"HTTPS://nps.contoso.com/", "https://nps.contoso.com:6500/", ""},
		{"https://nps.contoso.com:443/", "https://nps.contoso.com:443/", ""},
		{"nps.contoso.com:443", "https://nps.contoso.com:443/", ""},
		{"https://nps.contoso.com:", "https://nps.contoso.com:6500/", ""},
		{"https://nps.contoso.com:6500//", "https://nps.contoso.com:6500/", ""},
		{"  contoso-nps  ", "https://contoso-nps:6500/", ""},
		{"10.0.0.7", "https://10.0.0.7:6500/", ""},
		{"[fe80::1]", "https://[fe80::1]:6500/", ""},
		{"https://[::1]:443", "https://[::1]:443/", ""},
		{"https://[fe80::1%25eth0]/", "https://[fe80::1%25eth0]:6500/", ""},
		{"::1", "::1", host},
		{"", "", host},
		{"   ", "   ", host},
		{"https://:6500/", "https://:6500/", host},
		{"nps contoso.com", "nps contoso.com", host},
		{"https://nps\x1b[31m/", "https://nps\x1b[31m/", host},
		{"http://nps.contoso.com:6500/", "http://nps.contoso.com:6500/", scheme},
		{"http://nps.contoso.com", "http://nps.contoso.com/", scheme},
		{"ldap://nps.contoso.com", "ldap://nps.contoso.com/", scheme},
		{"https://admin:S3CR3T@nps.contoso.com", "https://admin:S3CR3T@nps.contoso.com", user},
		{"admin:S3CR3T@nps.contoso.com", "admin:S3CR3T@nps.contoso.com", ""},
		{"https://nps.contoso.com/WebApp", "https://nps.contoso.com:6500/WebApp", path},
		{"https://nps.contoso.com/?a=b", "https://nps.contoso.com:6500/?a=b", query},
		{"https://nps.contoso.com/?", "https://nps.contoso.com:6500/?", query},
		{"https://nps.contoso.com/#top", "https://nps.contoso.com:6500/#top", query},
		{"https://nps.contoso.com:65536/", "https://nps.contoso.com:65536/", port},
		{"https://nps.contoso.com:0/", "https://nps.contoso.com:0/", port},
		{"https://bücher.example/", "https://b%C3%BCcher.example:6500/", name},
		{"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example:6500/", ""},
		{"https://nps\u202e.example/", "https://nps%E2%80%AE.example:6500/", name},
	} {
		completed, said := CompleteURL(c.typed)
		if completed != c.completed {
			t.Errorf("%q is completed to %q, want %q", c.typed, completed, c.completed)
		}
		if strings.Contains(said, "S3CR3T") {
			t.Errorf("%q: the password is repeated: %s", c.typed, said)
		}
		if changed := completed != strings.TrimSpace(c.typed); changed != (said != "") && strings.TrimSpace(c.typed) != "" {
			t.Errorf("%q: changed %v, said %q", c.typed, changed, said)
		}
		err := checkURL(completed)
		switch {
		case strings.Contains(c.typed, "S3CR3T"): // however it is read, it is refused and not repeated
			if err == nil || strings.Contains(err.Error(), "S3CR3T") {
				t.Errorf("%q: %v", c.typed, err)
			}
		case c.fault == "" && err != nil:
			t.Errorf("%q: %v", completed, err)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%q: %v, want %q", completed, err, c.fault)
		}
		if again, said := CompleteURL(completed); err == nil && (again != completed || said != "") {
			t.Errorf("%q is completed again, to %q", completed, again)
		}
	}
}

// look runs one step of a guide of its own and gives the scene.
func look(t *testing.T, s steps.Step, drafts map[string]string, before func(*steps.Scene)) (*steps.Scene, error) {
	t.Helper()
	g := steps.Guide{ID: "test", Steps: []steps.Step{s}}
	scene := steps.NewScene(steps.NewAnswers(g, drafts, ""), steps.Memory{})
	if before != nil {
		before(scene)
	}
	return scene, steps.Survey(t.Context(), g, scene)
}

func warnings(t *testing.T, s *steps.Scene) string {
	t.Helper()
	p, err := steps.Draft(steps.Guide{ID: "test"}, s, "x")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(p.Warnings, "\n")
}

func TestServerStepWarnsOfNumbersAndShortNames(t *testing.T) {
	for host, warns := range map[string]string{"10.0.0.7": "an IP number", "fe80::1": "an IP number", "contoso-nps": "a short name", "nps.contoso.com": "", "localhost": ""} {
		w := World{Probe: func(context.Context, string) (Presented, error) { return Presented{Host: host, Verified: true}, nil }}
		s, err := look(t, Server(w), map[string]string{"nps.url": "nps.contoso.com"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Server != "https://nps.contoso.com:6500/" {
			t.Errorf("the server is %q", s.Server)
		}
		if got := warnings(t, s); warns == "" && got != "" || !strings.Contains(got, warns) {
			t.Errorf("%s: warned %q, want %q", host, got, warns)
		}
	}
}

// still is a connection that greets as told.
type still struct {
	greeting Greeting
	identity Identity
	err      error
}

func (c still) Greet(context.Context) (Greeting, error)                 { return c.greeting, c.err }
func (c still) SignIn(context.Context, steps.Answers) (Identity, error) { return c.identity, c.err }
func (c still) Reader() Reader                                          { return nil }

func TestTrustStep(t *testing.T) {
	leaf := Certificate{Subject: "CN=nps", Issuer: "CN=Contoso CA", SHA256: strings.Repeat("ab", 32)}
	connected := 0
	w := World{Connect: func(context.Context, steps.Answers) (Connection, error) {
		connected++
		return still{greeting: Greeting{Health: "Degraded\x1b[2J", Skew: -time.Minute}}, nil
	}}
	present := func(p Presented) func(*steps.Scene) {
		return func(s *steps.Scene) { steps.Put(s, PresentedKey, p) }
	}
	bad := Presented{Host: "nps", Reason: "signed by an unknown authority", Chain: []Certificate{leaf}}
	_, err := look(t, Trust(w), map[string]string{"nps.trust": "system"}, present(bad))
	if err == nil || connected != 0 {
		t.Fatalf("%d connections, %v", connected, err)
	}
	if text := allText(err); !strings.Contains(text, "pin:sha256:"+leaf.SHA256) || !strings.Contains(text, "CN=Contoso CA") || !strings.Contains(text, "unknown authority") {
		t.Errorf("it does not say how to go on: %s", text)
	}
	bad.Expired = true
	if _, err = look(t, Trust(w), nil, present(bad)); strings.Contains(allText(err), "pin:sha256") || !strings.Contains(allText(err), "renew") {
		t.Errorf("an expired certificate must not be pinned: %s", allText(err))
	}
	s, err := look(t, Trust(w), map[string]string{"nps.trust": "pin:sha256:" + leaf.SHA256}, present(bad))
	if err != nil || connected != 1 {
		t.Fatalf("%d connections, %v", connected, err)
	}
	if got := warnings(t, s); !strings.Contains(got, "Degraded") || strings.Contains(got, "\x1b") {
		t.Errorf("warned %q", got)
	}
	if f := s.Findings("trust"); len(f) != 1 || !strings.Contains(f[0].Text, "differ by -1m0s") {
		t.Errorf("the clocks are not told: %+v", f)
	}
	refuses := World{Connect: func(context.Context, steps.Answers) (Connection, error) { return nil, errors.New("no way") }}
	if _, err = look(t, Trust(refuses), map[string]string{"nps.trust": "system"}, present(Presented{Verified: true})); err == nil {
		t.Error("a connection that cannot be made goes unsaid")
	}
}
