package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// describe makes answers of what was read, with what was told on the command line over it. A risk that the set-up takes is in force
// already.
func (j *job) describe(in *steps.Imported) {
	a := j.answers
	for key, draft := range in.Drafts {
		if a.Has(key) {
			delete(in.Notes, key) // they are about what was read
			continue
		}
		a = a.With(key, draft)
	}
	in.Gaps = slices.DeleteFunc(in.Gaps, func(g steps.Gap) bool { return a.Has(g.Key) })
	for _, r := range j.guide.Risks {
		if why, rests := in.Resting[r.Name]; rests && r.When(a) {
			in.Leave("the risk " + r.Name + " is not accepted here: " + why)
			continue
		}
		if r.When(a) && !a.Accepts(r.Name) {
			a = a.With(steps.RiskKey, strings.TrimSpace(a.Text(steps.RiskKey)+"\n"+r.Name))
			in.Note(steps.RiskKey, r.Name+": "+r.Text, "it is in force on the server already, and stands here so that the file describes it; take it out if nobody agreed to it")
		}
	}
	j.answers = a
}

// compare adds what the plan of the described set-up would change, which is what differs from the guide.
func (j *job) compare(ctx context.Context, in *steps.Imported) {
	const notCompared = "the rest was not compared with the guide"
	if j.incomplete(in) {
		in.Leave(notCompared + ", since answers are missing: npsetup verify -f FILE does, once they are there")
		return
	}
	j.scene = steps.NewScene(j.answers, steps.Memory{Reads: true})
	stopped := false
	for _, seen := range steps.Inspect(ctx, j.guide, j.scene, "") {
		for _, p := range problem.All(seen.Err) {
			in.Leave(p.Error() + " (code: " + string(p.Named()) + ")")
		}
		stopped = stopped || seen.Err != nil
	}
	if stopped {
		in.Leave(notCompared + ": npsetup verify -f FILE does, once that is mended")
		return
	}
	p, err := steps.Draft(j.guide, j.scene, j.identity())
	if err != nil {
		in.Leave(err.Error())
		return
	}
	planned := differing(p)
	if len(planned) == 0 { // else it has to be done again after the change, whatever was seen
		for _, a := range p.Actions {
			in.Open = append(in.Open, unseen(a)...)
		}
	}
	for i, d := range in.Differs {
		if at := slices.IndexFunc(planned, d.Same); at >= 0 {
			in.Differs[i] = planned[at]
			planned = slices.Delete(planned, at, at+1)
		}
	}
	in.Differs = append(in.Differs, planned...)
}

// incomplete says whether answers are missing that a look needs, or cannot be used. What is told as a gap already is not told again.
func (j *job) incomplete(in *steps.Imported) bool {
	typed := map[string]bool{}
	for _, s := range j.guide.Steps {
		for _, f := range s.Fields {
			typed[f.Key] = f.Typed
		}
	}
	lacks := false
	for _, f := range j.answers.Check(j.guide) {
		lacks = lacks || !f.Missing || !typed[f.Key]
		if !slices.ContainsFunc(in.Gaps, func(g steps.Gap) bool { return g.Key == f.Key }) {
			in.Lack(f.Key, f.Key+": "+f.Why)
		}
	}
	return lacks
}

// differing lists what a plan would change. What it would only prove or wait for is there, and a page by hand says nothing of what is.
func differing(p plan.Plan) []steps.Deviation {
	var differs []steps.Deviation
	for _, a := range p.Actions {
		if !a.Changing() || a.OpensSession() || a.Waits() || a.Effect == plan.ByHand && len(a.Difference) == 0 {
			continue
		}
		for _, d := range a.Difference {
			if d.From != "" {
				differs = append(differs, steps.Deviate(a.Object, a.Name, d))
			}
		}
		if len(a.Difference) == 0 || a.Difference[0].From == "" {
			differs = append(differs, steps.Deviation{Object: a.Object, Name: a.Name})
		}
	}
	return differs
}

// unseen says what nothing shows of an action that changes nothing by itself.
func unseen(a plan.Action) []string {
	switch {
	case a.OpensSession():
		return []string{"no session has proven it yet: npsetup apply -f FILE opens one (" + problem.Plain(a.Name) + "), and changes nothing else"}
	case a.Waits():
		return []string{"NPS has not ended yet: " + problem.Plain(a.Object+" "+a.Name)}
	case a.Effect == plan.ByHand:
		return []string{"nothing shows that the step " + a.Step + " was done by hand; if it was, say so with --done " + a.Step}
	}
	return nil
}

// open are the lines of what is open: answers that are missing, then the rest.
func open(in steps.Imported) []string {
	var lines []string
	for _, g := range in.Gaps {
		lines = append(lines, g.Text)
	}
	return append(lines, in.Open...)
}

func differs(in steps.Imported) []string {
	lines := make([]string, len(in.Differs))
	for i, d := range in.Differs {
		lines[i] = d.String()
	}
	return lines
}

func (j *job) writeImported(path string, in steps.Imported) error {
	top := []string{"what npsetup import read at " + j.answers.Text("nps.url") + " on " + j.app.now().UTC().Format("2006-01-02") + "; npsetup verify -f FILE compares it with the guide"}
	for _, d := range differs(in) {
		top = append(top, "differs: "+d)
	}
	missing := map[string]bool{} // what somebody has to answer
	for _, f := range j.answers.Check(j.guide) {
		missing[f.Key] = missing[f.Key] || f.Missing
	}
	for _, g := range in.Gaps { // beside the answer that is missing, else at the top
		if missing[g.Key] {
			in.Note(g.Key, "open: "+g.Text)
		} else {
			top = append(top, "open: "+g.Text)
		}
	}
	for _, o := range in.Open {
		top = append(top, "open: "+o)
	}
	if err := run.Create(path, steps.WriteNotedAnswers(j.guide, j.answers, top, in.Notes), 0o600); err != nil {
		return problem.New("the answers were not written to "+problem.Plain(path)).Unwritten(err, elsewhere+": --out FILE")
	}
	return nil
}

func (j *job) tellImported(path string, in steps.Imported) error {
	if j.format == "json" {
		list := func(l []string) []string { return append([]string{}, l...) }
		return asJSON(j.out(), map[string]any{"file": path, "found": list(in.Found), "differs": list(differs(in)), "open": list(open(in))})
	}
	var b strings.Builder
	for _, part := range []struct {
		word  string
		lines []string
	}{{"found", in.Found}, {"differs", differs(in)}, {"open", open(in)}} {
		for _, l := range part.lines {
			fmt.Fprintf(&b, "%-8s %s\n", part.word, problem.Plain(l))
		}
	}
	if _, err := fmt.Fprintf(j.out(), "%swritten to %s\n", b.String(), problem.Plain(path)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(j.talk(), "look it through, then npsetup verify -f %s\n", plan.ShellWord(path))
	return err
}
