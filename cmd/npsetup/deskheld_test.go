package main

import (
	"io"
	"testing"
	"time"

	"npsetup/steps/run"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// TestATypedSecretStaysWithItsReceivers: what was typed for one server and user is not sent to others, whichever way leads to them.
func TestATypedSecretStaysWithItsReceivers(t *testing.T) {
	d := &desk{state: t.TempDir(), held: map[string]secret.Secret{}}
	d.o = &options{app: &app{now: time.Now, env: func(string) (string, bool) { return "", false }}}
	d.meet(t.Context(), nil, io.Discard)
	set := map[string]string{"nps.url": "https://a:6500/", "nps.signIn.user": `CONTOSO\admin`, "nps.signIn.password": "prompt", "application.name": "NetwrixAuditor"}
	with := func(key, value string) map[string]string {
		m := map[string]string{}
		for k, v := range set {
			m[k] = v
		}
		m[key] = value
		return m
	}
	begin := func(drafts map[string]string) {
		t.Helper()
		store, err := run.Open(d.state, run.ID{Server: drafts["nps.url"], Guide: "auditor", Application: "NetwrixAuditor"}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Begin(run.Start{Guide: "auditor", Server: drafts["nps.url"], Application: "NetwrixAuditor", Answers: drafts}); err != nil {
			t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		offer := face.Offer{Guide: "auditor", Continue: recordKey(run.Record{Server: drafts["nps.url"], Application: "NetwrixAuditor"}), Undo: true}
		if _, err := d.Begin(offer); err != nil {
			t.Fatal(err)
		}
	}
	const key = "nps.signIn.password"
	typed := func() {
		g, _ := d.link.guide("auditor")
		m, err := d.Begin(face.Offer{Guide: g.ID})
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range set {
			m = m.Set(k, v)
		}
		d.at(m)
		d.Keep(key, secret.New("S3CR3T"))
		if err := d.Save(m); err != nil {
			t.Fatal(err)
		}
		d.at(m)
	}
	typed()
	begin(set)
	if !d.Holds(key) {
		t.Error("it is forgotten although it goes to the same")
	}
	for name, other := range map[string]map[string]string{"server": with("nps.url", "https://b:6500/"), "user": with("nps.signIn.user", `CONTOSO\other`)} {
		typed()
		if begin(other); d.Holds(key) {
			t.Errorf("another %s would get it", name)
		}
	}
	typed()
	g, _ := d.link.guide("auditor")
	m, _ := d.opened(g, face.Offer{Guide: g.ID})
	if d.at(m.Set("nps.url", "https://c:6500/")); d.Holds(key) {
		t.Error("the address was changed, and what is there would get it")
	}
}
