package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

func newApply(shared *options) *cobra.Command {
	o := *shared
	c := &cobra.Command{
		Use: "apply -f FILE --yes", Short: "Show the plan, carry it out, and prove the result", Args: cobra.NoArgs,
		Long: "apply looks, shows the plan, and carries out exactly that. Without a terminal it needs --yes, or --plan FILE --approve DIGEST. It ends with 3 when a person is needed: do what it names, then run it again with --done.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if (o.plan == "") != (o.approve == "") {
				return problem.New("--plan and --approve go together").Try("npsetup apply --plan FILE --approve sha256:…").Of(problem.Usage)
			}
			if o.plan == "" && o.file == "" {
				return problem.New("there are no answers").Because("no answers file was named").Try("name it with -f FILE", "npsetup resume continues the open run").Of(problem.Usage)
			}
			return runApply(c.Context(), c, &o)
		},
	}
	o.answerFlags(c)
	o.runFlags(c)
	o.formatFlag(c)
	c.Flags().StringVar(&o.plan, "plan", "", "a plan `FILE` that was written by plan --out")
	c.Flags().StringVar(&o.approve, "approve", "", "the `DIGEST` of that plan")
	return c
}

func newResume(shared *options) *cobra.Command {
	o := *shared
	c := &cobra.Command{
		Use: "resume --yes", Short: "Go on with a run that was stopped, or that waits for a person", Args: cobra.NoArgs,
		Long: "resume replays nothing: it looks again, plans again, and takes over what is there. Without -f it takes the answers of the one open run. A run that is being taken back it leaves alone: undo goes on with that.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state, o.resumes = shared.app, shared.state, true
			return runApply(c.Context(), c, &o)
		},
	}
	o.answerFlags(c)
	o.runFlags(c)
	o.formatFlag(c)
	return c
}

func runApply(ctx context.Context, c *cobra.Command, o *options) error {
	if err := o.checkFormat(); err != nil {
		return err
	}
	// Silence is not consent: without it nothing is sent, not even a look.
	if !o.app.terminal && !o.yes && o.approve == "" && !o.dryRun {
		return problem.New("nobody agreed to the changes").Because("there is no terminal to ask on, and neither --yes nor --plan with --approve was given").
			Try("look at the changes with npsetup plan, then add --yes", "or approve a saved plan: npsetup plan -f ANSWERS --out FILE, then npsetup apply --plan FILE --approve DIGEST").Of(problem.Usage)
	}
	o.carries, o.plans = !o.dryRun, true
	j, err := newJob(c, o)
	if err != nil {
		return err
	}
	defer j.close()
	if o.resumes && j.store.Undoing() {
		return problem.New("this run is being taken back").Because("npsetup undo was begun and is not through, and resume would set up again what it took back").
			Try(j.again("undo")+" --yes goes on taking it back", "npsetup apply -f "+j.answersFile()+" --yes sets it up again").Of(problem.Usage)
	}
	return j.apply(ctx)
}

func (j *job) apply(ctx context.Context) error {
	if err := j.endOpen(ctx, j.sinks()); err != nil {
		return err
	}
	j.tellLost()
	j.clearLeft(ctx)
	p, err := j.draft(ctx)
	if err != nil {
		return err
	}
	if j.dryRun {
		j.tellOpen()
		if err := j.show(p); err != nil {
			return err
		}
		return ending(planCode(p))
	}
	for _, id := range j.done {
		switch {
		case !slices.Contains(byHand(p), id):
			_, _ = fmt.Fprintf(j.talk(), "--done %s: nothing of it is left to do by hand, so it is not needed\n", problem.Plain(id))
		case !slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return a.Step == id && a.ByWord() }):
			_, _ = fmt.Fprintf(j.talk(), "--done %s: nobody's word stands for it, it is read back; npsetup resume --yes looks\n", problem.Plain(id))
		}
	}
	if err := j.consent(ctx, p); err != nil {
		return err
	}
	if err := j.begin(p, run.SetUp); err != nil {
		return err
	}
	defer j.tellStop(ctx)()
	result, err := j.carryOut(ctx, p, doneSet(j.done), j.sinks())
	if err != nil {
		return err
	}
	return j.finish(ctx, result)
}

// begin locks the run and notes down what it is for.
func (j *job) begin(p plan.Plan, aim run.Aim) error { return j.start(p, aim, false) }

// start begins the run; with word only to note down what a person said.
func (j *job) start(p plan.Plan, aim run.Aim, word bool) error {
	return j.store.Begin(run.Start{
		Guide: j.guide.ID, Server: p.Server, Version: p.Version, Application: j.identity(), Answers: j.answers.Lasting(), AnswersDir: absolute(j.answers.Dir()), Command: j.c.CommandPath(), Aim: aim, Word: word,
	})
}

// carryOut opens the gate for exactly this plan, and applies it.
func (j *job) carryOut(ctx context.Context, p plan.Plan, done map[string]bool, sink run.Sink) (run.Result, error) {
	maker, err := j.makerFor(ctx, p)
	if err != nil {
		return run.Result{}, err
	}
	j.link.client.Approve(p)
	return run.Apply(ctx, p, run.Options{
		Sender: j.link.client, Clock: clock(j.app.now), Store: j.store, Sink: sink, ManualDone: done, Words: j.words, Wait: j.app.pause, Sessions: j.sessions(), Maker: maker,
		Machines: machines{j.link}, Sent: j.app.sent(ctx), Lost: j.store.Lost(),
	})
}

// tellLost says which requests of an earlier run were never answered: the look that follows finds out what became of them.
func (j *job) tellLost() {
	for _, e := range j.store.Lost() {
		if e.Kind == plan.KindFile.String() {
			_, _ = fmt.Fprintf(j.talk(), "a run was stopped in this: %s; looking what became of it\n", problem.Plain(e.Request))
			continue
		}
		_, _ = fmt.Fprintf(j.talk(), "the answer to %s was never seen; looking what became of it\n", problem.Plain(e.Request))
	}
}

// consent shows the plan and makes sure that somebody agreed to exactly it.
func (j *job) consent(ctx context.Context, p plan.Plan) error {
	if err := j.approved(p, "plan", "the server or the answers are not as they were", "the difference with npsetup plan -f ANSWERS --out FILE"); err != nil {
		return err
	}
	return j.agree(ctx, p, j.draft)
}

// approved refuses another plan than the one whose digest was given; without one, none. What it is called, what may have changed,
// and at what to look are for people.
func (j *job) approved(p plan.Plan, what, changed, look string) error {
	digest, err := p.Digest()
	if err != nil || j.approve == "" || digest == j.approve {
		return err
	}
	return problem.New("the approved " + what + " is stale").Because(changed + " when it was made: it would now be " + digest + ", approved was " + problem.Plain(j.approve)).
		Try("look at " + look + ", and have that approved").Of(problem.Stale)
}

// agree shows a plan and asks for it, unless that was done in advance or there is nothing to agree to. An answer may take an
// hour: what was asked for is drafted again.
func (j *job) agree(ctx context.Context, p plan.Plan, again func(context.Context) (plan.Plan, error)) error {
	_, err := fmt.Fprint(j.talk(), p.Text(plan.TextOptions{Done: doneSet(j.done)}))
	if err != nil || j.yes || j.approve != "" || len(p.Pending()) == 0 {
		return err
	}
	ok, err := j.app.confirm(ctx, j.talk(), "Carry this out?")
	if err == nil && !ok {
		err = problem.New("stopped before any change").Of(problem.Cancelled)
	}
	if err != nil {
		return err
	}
	now, err := again(ctx)
	if err != nil {
		return err
	}
	return stillSo(p, now)
}

// stillSo refuses a plan when the server is no longer as it was when the person looked at it.
func stillSo(shown, now plan.Plan) error {
	if shown.Fingerprint == now.Fingerprint {
		return nil
	}
	return problem.New("the plan that was shown is stale").Because("the server changed while it was looked at").
		Try("look at it again: nothing was changed").Of(problem.Stale)
}

func doneSet(ids []string) map[string]bool {
	set := map[string]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}
