package passwordsecure

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"npsetup/assets"
	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

func fixed() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

type row = map[string]any

// server is an NPS that answers lists from rows, by operation, and does not offer the others. It filters nothing by text: a step must
// compare exactly.
type server struct{ rows map[string][]row }

func (f *server) List(_ context.Context, c plan.Call, each func(json.RawMessage) (bool, error)) error {
	rows, offered := f.rows[c.Operation]
	if !offered {
		return problem.New("GET " + c.Path + " is not offered").Of(problem.NotOffered)
	}
	for _, r := range rows {
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if more, err := each(raw); err != nil || !more {
			return err
		}
	}
	return nil
}

func (f *server) Read(_ context.Context, c plan.Call) (plan.Answer, error) {
	path, _, _ := strings.Cut(c.Redacted(nil).Path, "?")
	for _, rows := range f.rows {
		for _, r := range rows {
			if strings.HasSuffix(path, "/"+fmt.Sprint(r["id"])) {
				raw, err := json.Marshal(r)
				return plan.Answer{Status: 200, Body: raw}, err
			}
		}
	}
	return plan.Answer{}, problem.New("not found").Of(problem.NotFound)
}

var _ nps.Reader = (*server)(nil)

// at is a scene behind the sign-in, with the key and the address seen.
func (f *server) at(drafts map[string]string) *steps.Scene {
	all := map[string]string{keyDomain: "CONTOSO", keyUser: "app-admin", keyUsers: `CONTOSO\anna`, keyResources: "app01.contoso.com", keyVersion: "9.2", keyURL: "https://ps.contoso.com/"}
	for k, v := range drafts {
		all[k] = v
	}
	s := scene(all)
	s.Version = "25.12.1"
	steps.Put[nps.Reader](s, nps.ReaderKey, f)
	steps.Put(s, sightingKey, Sighting{URL: "https://ps.contoso.com/api/", Answers: true})
	steps.Put(s, keyKey, Key{Database: "Contoso", User: "svc", Fingerprint: "0123456789abcdef"})
	return s
}

func world() World {
	return World{World: nps.World{Texts: nps.Texts{FS: assets.Texts()}, Now: fixed}}
}
