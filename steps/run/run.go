// Package run carries a plan out: in order, side by side where it may, with a journal before and after each change. It
// neither makes plans nor speaks HTTP, and it never sends a change twice: a run that was stopped is continued by looking
// and planning again.
package run

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Sender carries calls to the system that changes. Errors carry a problem.Kind.
type Sender interface {
	// Send carries out one changing or probing operation, once.
	Send(ctx context.Context, op plan.Op, known plan.Resolver) (plan.Answer, error)
	Read(ctx context.Context, c plan.Call) (plan.Answer, error)
	List(ctx context.Context, c plan.Call, each func(row json.RawMessage) (more bool, err error)) error
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Store keeps what must survive a kill. Every method returns only when it is on disk.
type Store interface {
	Journal(e Entry) error
	// Manual remembers that a person said to have done a step.
	// about is what the doing was good for; empty: for good.
	Manual(step, about string) error
	// Unsaid forgets that a person said to have done steps: they were taken back, or what they rested on was.
	Unsaid(steps []string) error
	// NotOffered remembers that this version of the server lacks an operation.
	NotOffered(operation, version string) error
	// Made remembers an object that this run made, changed or took over.
	Made(m Made) error
}

// parallel is how many actions run side by side when Options does not say.
const parallel = 4

// Options are what Apply needs. Parallel may be zero.
type Options struct {
	Sender     Sender
	Clock      Clock
	Store      Store
	Sink       Sink
	Parallel   int
	Wait       func(ctx context.Context, d time.Duration) error // between patient lookups and looks at a session; nil: each is tried once
	Sent       context.Context                                  // ends a change that has left; nil: what ends the run does
	Sessions   *Sessions                                        // nil: a plan that opens a session is refused
	Machines   Machines                                         // nil: a plan that changes what another machine trusts is refused
	Anchors    Anchors                                          // nil: a plan that changes what a machine trusts is refused
	Maker      Maker                                            // nil: a plan that makes keys or certificates is refused
	ManualDone map[string]bool                                  // step ids that a person says to have done
	Lost       []Entry                                          // changes of earlier runs of which no answer was seen (Dir.Lost)
	Words      map[string][]string                              // action of an undo → steps that count as done no longer when it is (Undone.Words)
}

// Result is how a plan ended, in the order of the plan.
type Result struct {
	Actions []ActionResult
	ByStep  map[string]*steps.Outcome // the gravest outcome of a step's actions
}

// ActionResult is how one action ended.
type ActionResult struct {
	Key, Step string
	Outcome   steps.Outcome
	Err       error
	Outputs   map[string]string
	Session   bool // it opens a session, which proves something and changes nothing
}

// runner is one application of one plan.
type runner struct {
	Options
	plan plan.Plan

	mu      sync.Mutex
	known   map[plan.Ref]string // What is left empty: it is for people
	results map[string]*ActionResult
	stopped error
	started map[string]bool // steps whose start was told
	left    map[string]int  // actions of a step that are not over
	needs   map[string][]string
	met     map[string]int   // how many of an action's needs are known to be over
	backs   map[string]*Back // of actions of which nothing was sent yet

	emitting sync.Mutex
}

// Apply carries a plan out. Actions start when all that they need is done; independent ones go on when one fails, except
// after a refusal, a lost sign-in, a stale plan, a closed gate or a cancellation, which end everything not started. The
// error is only set for mistakes in the plan or a store that fails before anything is sent.
func Apply(ctx context.Context, p plan.Plan, o Options) (Result, error) {
	if err := p.Check(); err != nil {
		return Result{}, err
	}
	if err := o.executable(p); err != nil {
		return Result{}, err
	}
	if o.Parallel <= 0 {
		o.Parallel = parallel
	}
	r, err := newRunner(p, o)
	if err != nil {
		return Result{}, err
	}
	r.walk(ctx)
	result := r.result()
	r.emit(Event{Name: RunDone, Outcome: result.Outcome().String()})
	return result, nil
}

func newRunner(p plan.Plan, o Options) (*runner, error) {
	r := &runner{Options: o, plan: p, known: map[plan.Ref]string{}, results: map[string]*ActionResult{}, started: map[string]bool{}, left: map[string]int{}, needs: map[string][]string{}, met: map[string]int{}, backs: map[string]*Back{}}
	for _, a := range p.Actions {
		r.left[a.Step]++
		r.needs[a.Key] = a.Needs() // thousands of references may stand in one body
		b, err := backOf(a, r.needs[a.Key])
		if err != nil {
			return nil, err
		}
		r.backs[a.Key] = b
	}
	return r, nil
}

// executable refuses kinds of operations that have no executor, before anything is sent.
func (o Options) executable(p plan.Plan) error {
	for _, a := range p.Actions {
		for _, op := range a.Ops {
			switch op.Kind {
			case plan.KindCall, plan.KindManual:
				continue
			case plan.KindFile:
				if op.File.Make == nil || o.Maker != nil {
					continue
				}
			case plan.KindSession:
				if o.Sessions != nil {
					continue
				}
			case plan.KindStore, plan.KindRemote:
				if op.Kind == plan.KindStore && o.Anchors == nil || op.Kind == plan.KindRemote && o.Machines == nil {
					break
				}
				if err := genuine(op); err != nil {
					return err
				}
				continue
			}
			return problem.New(fmt.Sprintf("the plan holds a %s operation", op.Kind)).Because("this version cannot carry it out: " + op.Text()).At(a.Step)
		}
	}
	return nil
}

// walk starts what may start until nothing is left or nothing can.
func (r *runner) walk(ctx context.Context) {
	over := make(chan plan.Action)
	running := 0
	begun := map[string]bool{}
	for {
		for _, a := range r.plan.Actions {
			if running == r.Parallel {
				break
			}
			if begun[a.Key] {
				continue
			}
			ready, settled := r.ready(ctx, a)
			if settled {
				begun[a.Key] = true
				continue
			}
			if ready {
				begun[a.Key] = true
				running++
				r.starting(a)
				go func() {
					r.guarded(ctx, a)
					over <- a
				}()
			}
		}
		if running == 0 {
			if r.allSettled() {
				return
			}
			continue
		}
		<-over
		running--
	}
}

// guarded carries out and settles an action. A panic in it fails this action alone: what was sent stands in the journal, the
// terminal stays whole, and no trace is printed, which could hold a secret.
func (r *runner) guarded(ctx context.Context, a plan.Action) {
	defer func() {
		if bad := recover(); bad != nil { // while it was told: it is not told once more
			result := defect(bad)
			result.Key, result.Step = a.Key, a.Step
			r.mu.Lock()
			r.results[a.Key] = &result
			r.mu.Unlock()
		}
	}()
	r.settle(a, func() (result ActionResult) {
		defer func() {
			if bad := recover(); bad != nil {
				result = defect(bad)
			}
		}()
		return r.carryOut(ctx, a)
	}())
}

func defect(bad any) ActionResult {
	return failed(problem.New("npsetup has a defect").Because(problem.Plain(fmt.Sprint(bad))).Try("npsetup resume --yes looks what became of it, and goes on"))
}

func (r *runner) allSettled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.results) == len(r.plan.Actions)
}

// ready says whether an action may start, or settles one that cannot.
func (r *runner) ready(ctx context.Context, a plan.Action) (ready, settled bool) {
	r.mu.Lock()
	stopped := r.stopped
	var waitsFor []string
	var lacks string
	open := r.isOpen(a.Key)
	for _, need := range r.needs[a.Key] {
		if open {
			break
		}
		n := r.results[need]
		switch {
		case n.Outcome == steps.Waiting:
			waitsFor = append(waitsFor, need)
		case n.Outcome == steps.Failed, n.Outcome == steps.NotRun, n.Outcome == steps.Skipped:
			lacks = cmp.Or(lacks, need)
		}
	}
	r.mu.Unlock()
	var result ActionResult
	switch {
	case stopped == nil && ctx.Err() != nil, stopped != nil:
		result = ActionResult{Outcome: steps.NotRun, Err: problem.New("not started").Because("the run was stopped before it")}
	case open: // also when one of them has failed: what is said of the action must not depend on which ends first
		return false, false
	case lacks != "":
		result = ActionResult{Outcome: steps.NotRun, Err: problem.New("not started").Because("it needs " + lacks + ", which was not done")}
	case len(waitsFor) > 0:
		result = ActionResult{Outcome: steps.Waiting, Err: problem.New("it waits for " + strings.Join(waitsFor, ", ")).Because("a person does that first")}
	default:
		return true, false
	}
	r.starting(a)
	r.settle(a, result)
	return false, true
}

// isOpen says whether anything that an action needs is not over. What is over stays so: it is not looked at again.
func (r *runner) isOpen(key string) bool {
	needs := r.needs[key]
	for r.met[key] < len(needs) {
		if r.results[needs[r.met[key]]] == nil {
			return true
		}
		r.met[key]++
	}
	return false
}

func (r *runner) starting(a plan.Action) {
	r.mu.Lock()
	first := !r.started[a.Step]
	r.started[a.Step] = true
	r.mu.Unlock()
	if first {
		r.emit(Event{Name: StepStarted, Step: a.Step})
	}
}

// settle notes how an action ended and tells it.
func (r *runner) settle(a plan.Action, result ActionResult) {
	result.Key, result.Step, result.Session = a.Key, a.Step, a.OpensSession()
	r.mu.Lock()
	r.results[a.Key] = &result
	if result.Outcome == steps.Failed && stops(result.Err) && r.stopped == nil {
		r.stopped = result.Err
	}
	r.mu.Unlock()
	e := eventOf(a)
	e.Outcome, e.Error = result.Outcome.String(), errorInfo(result.Err)
	if result.Outcome == steps.Waiting {
		e.Name = WaitingFor
		r.emit(e)
	}
	e.Name = ActionDone
	r.emit(e)
	r.mu.Lock() // only now: all actions of a step are told before its end
	r.left[a.Step]--
	last := r.left[a.Step] == 0
	r.mu.Unlock()
	if last {
		r.emit(Event{Name: StepDone, Step: a.Step, Outcome: r.stepOutcome(a.Step).String()})
	}
}

// stops says whether an error makes it pointless or wrong to start anything more: also where what is done cannot be noted down any longer.
func stops(err error) bool {
	if slices.ContainsFunc(problem.All(err), func(p *problem.Problem) bool { return p.Code == problem.StateFolderUnusable }) {
		return true
	}
	switch problem.KindOf(err) {
	case problem.Refused, problem.SignInAgain, problem.Cancelled, problem.GateClosed, problem.Stale:
		return true
	case problem.Failed, problem.Usage, problem.NotOffered, problem.NotFound, problem.AnswerLost, problem.ServerFailed, problem.Unreachable:
	}
	return false
}

// gravity orders outcomes: what a step with several actions is said to have come to.
func gravity(o steps.Outcome) int {
	switch o {
	case steps.Failed:
		return 6
	case steps.NotRun:
		return 5
	case steps.Waiting:
		return 4
	case steps.Skipped:
		return 3
	case steps.Done:
		return 2
	case steps.Adopted:
		return 1
	case steps.Unchanged:
	}
	return 0
}

func (r *runner) stepOutcome(step string) steps.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	worst := steps.Unchanged
	for _, res := range r.results {
		if res.Step == step && gravity(res.Outcome) > gravity(worst) {
			worst = res.Outcome
		}
	}
	return worst
}

func (r *runner) result() Result {
	out := Result{ByStep: map[string]*steps.Outcome{}}
	for _, a := range r.plan.Actions {
		res := *r.results[a.Key]
		out.Actions = append(out.Actions, res)
		if worst := out.ByStep[a.Step]; worst == nil || gravity(res.Outcome) > gravity(*worst) {
			o := res.Outcome
			out.ByStep[a.Step] = &o
		}
	}
	return out
}

// Outcome is the gravest outcome of all.
func (r Result) Outcome() steps.Outcome {
	worst := steps.Unchanged
	for _, a := range r.Actions {
		if gravity(a.Outcome) > gravity(worst) {
			worst = a.Outcome
		}
	}
	return worst
}
