package nps

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func named(name string) plan.Object {
	return plan.Object{{Name: "name", Value: plan.String(name)}}
}

func TestGateRefusesWhatIsNotApproved(t *testing.T) {
	s := newServer(t)
	s.on("POST /api/v1/AccessControlPolicy", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"id":"1"}`) })
	c := s.signedIn(nil)
	planned, planted := change(npsapi.CreatePolicy(named("a"))), change(npsapi.CreatePolicy(named("b")))
	_, err := c.Send(context.Background(), planned, nil)
	wantProblem(t, err, problem.GateClosed, "approved plan")
	c.Approve(approved(planned))
	_, err = c.Send(context.Background(), planted, nil)
	wantProblem(t, err, problem.GateClosed, "POST /api/v1/AccessControlPolicy", "approved plan")
	if n := s.came("POST /api/v1/AccessControlPolicy"); n != 0 {
		t.Fatalf("%d requests were sent", n)
	}
	if _, err = c.Send(context.Background(), planned, nil); err != nil {
		t.Fatal(err)
	}
	_, err = c.Send(context.Background(), planned, nil)
	wantProblem(t, err, problem.GateClosed, "fewer times")
	if n := s.came("POST /api/v1/AccessControlPolicy"); n != 1 {
		t.Fatalf("%d requests were sent", n)
	}
	c.Approve(plan.Plan{})
	_, err = c.Send(context.Background(), planned, nil)
	wantProblem(t, err, problem.GateClosed)
}

func TestGateLetsACallThroughAsOftenAsItIsPlanned(t *testing.T) {
	s := newServer(t)
	s.on("POST /api/v1/AccessControlPolicy", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"id":"1"}`) })
	c := s.signedIn(nil)
	op := change(npsapi.CreatePolicy(named("a")))
	c.Approve(approved(op, op))
	var wg sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for range 8 {
		wg.Go(func() {
			if _, err := c.Send(context.Background(), op, nil); err == nil {
				mu.Lock()
				passed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if passed != 2 || s.came("POST /api/v1/AccessControlPolicy") != 2 {
		t.Errorf("%d passed", passed)
	}
}

func TestGateResolvesReferencesBeforeItCompares(t *testing.T) {
	s := newServer(t)
	s.on("PUT /api/v1/AccessControlPolicy/"+objectID+"/Activity", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"item1":1}`) })
	c := s.signedIn(nil)
	ref := plan.Ref{Action: "policy", Output: "id", What: `access policy "x"`}
	op := change(npsapi.AddMembers(npsapi.Activities, ref, npsapi.Member{ID: plan.String("m")}))
	c.Approve(approved(op))
	_, err := c.Send(context.Background(), op, nil)
	if err == nil {
		t.Fatal("a call with an unknown reference was sent")
	}
	known := func(r plan.Ref) (string, bool) { return objectID, r == ref }
	other := change(npsapi.AddMembers(npsapi.Activities, ref, npsapi.Member{ID: plan.String("n")}))
	_, err = c.Send(context.Background(), other, known)
	wantProblem(t, err, problem.GateClosed)
	if _, err := c.Send(context.Background(), op, known); err != nil {
		t.Error(err)
	}
}

func TestGateRefusesCallsOutsideTheContract(t *testing.T) {
	s := newServer(t)
	c := s.signedIn(nil)
	for name, call := range map[string]plan.Call{
		"unknown operation":    {Operation: "truncate", Method: "DELETE", Path: "/api/v1/HostScanJob/TruncateAllTables"},
		"other path":           {Operation: "listActivities", Method: "GET", Path: "/api/v1/Credential/SetVault"},
		"other method":         {Operation: "listActivities", Method: "DELETE", Path: "/api/v1/Activity"},
		"no operation":         {Method: "GET", Path: "/api/v1/Activity"},
		"leads elsewhere":      npsapi.DeleteActivity(plan.String("..")),
		"another operation":    npsapi.GetPolicy(plan.String("PolicySearch")),
		"nothing in its place": npsapi.GetPolicy(plan.String("")),
	} {
		op := change(call)
		c.Approve(approved(op))
		if _, err := c.Send(context.Background(), op, nil); err == nil {
			t.Errorf("%s: sent", name)
		}
		if _, err := c.Read(context.Background(), call); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if len(s.log) != 2 {
		t.Errorf("requests beside the sign-in: %v", s.log)
	}
}

func TestGateKeepsValuesInTheirSegment(t *testing.T) {
	s := newServer(t)
	c := s.signedIn(nil)
	_, _ = c.Read(context.Background(), npsapi.GetAccount(plan.String("a/b?c=d#e")))
	if got, want := s.log[len(s.log)-1], "GET /api/v1/ManagedAccount/ManagedAccountView/a%2Fb%3Fc=d%23e"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGateRefusesEmptyBodies(t *testing.T) {
	s := newServer(t)
	c := s.signedIn(nil)
	for _, body := range []plan.Value{plan.Object{}, nil, plan.Array{}, plan.Null(), plan.String("")} {
		call := npsapi.CreateActivity(nil)
		call.Body = body
		op := change(call)
		c.Approve(approved(op))
		_, err := c.Send(context.Background(), op, nil)
		wantProblem(t, err, problem.GateClosed, "empty")
	}
}

func TestReadRefusesOtherClasses(t *testing.T) {
	s := newServer(t)
	c := s.signedIn(nil)
	reveal := npsapi.RevealAPIKey(plan.String(objectID))
	c.Approve(approved(plan.Op{Kind: plan.KindCall, Class: plan.Probe, Call: &reveal}))
	_, err := c.Read(context.Background(), reveal)
	wantProblem(t, err, problem.GateClosed, "probe")
	err = c.List(context.Background(), npsapi.DeleteActivity(plan.String(objectID)), nil)
	wantProblem(t, err, problem.GateClosed, "change")
	_, err = c.Send(context.Background(), plan.Op{Kind: plan.KindManual}, nil)
	wantProblem(t, err, problem.GateClosed)
	_, err = c.Send(context.Background(), change(plan.Call{Operation: "userToken", Method: "GET", Path: "/api/v1/UserToken"}), nil)
	wantProblem(t, err, problem.GateClosed)
}

// The class that counts is the contract's, whatever an operation says of itself.
func TestGateJudgesByTheContractsClass(t *testing.T) {
	s := newServer(t)
	c := s.signedIn(nil)
	call := npsapi.CreatePolicy(named("a"))
	_, err := c.Send(context.Background(), plan.Op{Kind: plan.KindCall, Class: plan.Read, Call: &call}, nil)
	wantProblem(t, err, problem.GateClosed)
}

func TestProbesNeedThePlanAndDryRunsSendNone(t *testing.T) {
	s := newServer(t)
	key := "S3CR3T-key-0123456789abcdef"
	s.on("GET /api/v1/ManagedAccount/RevealApiKey/"+objectID, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, quoted(key)) })
	scrub := &secret.Scrubber{}
	c := s.signedIn(func(o *Options) { o.Scrub = scrub })
	call := npsapi.RevealAPIKey(plan.String(objectID))
	op := plan.Op{Kind: plan.KindCall, Class: plan.Probe, Call: &call}
	_, err := c.Send(context.Background(), op, nil)
	wantProblem(t, err, problem.GateClosed)
	c.Approve(approved(op))
	for range 2 { // a probe changes nothing and may be asked again
		a, err := c.Send(context.Background(), op, nil)
		if err != nil || string(a.Body) != quoted(key) {
			t.Fatalf("%s %v", a.Body, err)
		}
	}
	if got := scrub.Scrub("it is " + key); got != "it is "+secret.Mask {
		t.Error("the revealed key is not known to the scrubber")
	}
	dry := s.signedIn(func(o *Options) { o.DryRun = true })
	create := change(npsapi.CreatePolicy(named("a")))
	dry.Approve(approved(op, create))
	for _, o := range []plan.Op{op, create} {
		_, err = dry.Send(context.Background(), o, nil)
		wantProblem(t, err, problem.GateClosed, "dry run")
	}
	if n := s.came("GET /api/v1/ManagedAccount/RevealApiKey/" + objectID); n != 2 {
		t.Errorf("%d probes were sent", n)
	}
}
