package steps

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// complete lays overrides over the drafts and checks everything.
func (r *reading) complete(g Guide, dir string, o Overrides) (Parsed, error) {
	r.override(o)
	a := NewAnswers(g, r.drafts, dir)
	for _, fault := range a.Check(g) {
		if !fault.Missing || !o.Begun && !(o.Looks && r.fields[fault.Key].Typed) {
			r.answerFault(fault, a)
		}
	}
	r.unaskedSecrets(a)
	r.contradictions(a)
	if f, has := r.fields[RiskKey]; has {
		if fault, bad := a.CheckField(f); bad {
			r.answerFault(fault, a)
		}
	}
	for _, risk := range g.Risks {
		if !o.Begun && risk.When(a) && !a.Accepts(risk.Name) && (o.Waive == nil || !o.Waive(g, a, risk)) {
			p := unaccepted(risk, a)
			r.fault(r.placeOf(RiskKey), RiskKey, p.What, p.Why, p.Next...)
		}
	}
	if len(r.faults) > 0 {
		slices.SortStableFunc(r.faults, func(a, b *problem.Problem) int { return cmp.Compare(lineOf(a.Where), lineOf(b.Where)) })
		return Parsed{}, r.faults
	}
	p := Parsed{Guide: g, Answers: a}
	for _, s := range g.Applying(a) {
		for _, f := range s.Fields {
			if f.Complete != nil && a.Has(f.Key) {
				if _, said := f.Complete(strings.TrimSpace(r.drafts[f.Key])); said != "" {
					p.Said = append(p.Said, f.Key+": "+said)
				}
			}
		}
	}
	return p, nil
}

// override takes values from flags and the environment. A list has commas between its values there.
func (r *reading) override(o Overrides) {
	keys := make([]string, 0, len(r.fields))
	for k := range r.fields {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if o.Env == nil {
			break
		}
		if v, ok := o.Env(EnvName(key)); ok && v != "" {
			r.drafts[key], r.places[key] = r.listed(key, v), "environment variable "+EnvName(key)
			delete(r.entries, key)
		}
	}
	set := make([]string, 0, len(o.Set))
	for k := range o.Set {
		set = append(set, k)
	}
	sort.Strings(set)
	for _, key := range set {
		if _, known := r.fields[key]; !known {
			why, next := "", "the nearest known key is "+r.nearest(key)
			if r.parents[key] {
				why, next = "answers stand below it: "+strings.Join(r.below(key), ", "), "name one of them: --set "+key+"."+r.below(key)[0]+"=VALUE, or write them into the answers file"
			}
			r.fault("--set", "", "there is no answer "+problem.Plain(key), why, next)
			continue
		}
		r.drafts[key], r.places[key] = r.listed(key, o.Set[key]), "--set"
		delete(r.entries, key)
	}
	r.accept(o.Accept, o.Others)
}

// accept adds the risks that flags accept. A name that is none is the flag's fault, and not that of a list in a file. others are those that
// the command took already.
func (r *reading) accept(names, others []string) {
	risks := r.fields[RiskKey]
	for _, name := range names {
		if risks.Valid(name) != nil {
			all := append(risks.values(), others...)
			near := nearest(name, all)
			r.fault("--accept-risk", "", "there is no risk "+problem.Plain(name), "those that can be accepted here are "+strings.Join(all, ", "), "the nearest is "+near+"; npsetup explain "+near+" tells what it means")
			continue
		}
		r.drafts[RiskKey] = strings.Trim(r.drafts[RiskKey]+"\n"+name, "\n")
		if r.places[RiskKey] == "" {
			r.places[RiskKey] = "--accept-risk"
		}
	}
}

func (r *reading) listed(key, v string) string {
	if k := r.fields[key].Kind; k == Multi || k == Consent {
		return strings.ReplaceAll(v, ",", "\n")
	}
	return v
}

// placeOf is where an answer stands, or where it belongs: its nearest parent that is there.
func (r *reading) placeOf(key string) string {
	for k := key; k != ""; {
		if p, ok := r.places[k]; ok {
			return p
		}
		i := strings.LastIndexByte(k, '.')
		if i < 0 {
			break
		}
		k = k[:i]
	}
	return r.name
}

func (r *reading) answerFault(f Fault, a Answers) {
	if r.bad[f.Key] {
		return // one fault an answer is enough
	}
	if f.Missing {
		p := a.Absent(f)
		r.fault(r.placeOf(f.Key), f.Key, p.What, "", p.Next...)
		return
	}
	f = r.entriesOf(f)
	what := "the answer cannot be used"
	if r.literalSecret(f.Key, a) {
		what = "a secret stands in the answers themselves"
	}
	place := r.placeOf(f.Key)
	if len(f.Entries) == 1 && f.Entries[0] < len(r.entries[f.Key]) {
		place = r.entries[f.Key][f.Entries[0]]
	}
	r.fault(place, f.Key, what, f.Why, f.Try)
	r.faults[len(r.faults)-1].Code = f.Code
}

// Absent is the problem of an answer that is missing.
func (a Answers) Absent(f Fault) *problem.Problem {
	value := "VALUE"
	if a.fields[f.Key].Kind == SecretField {
		value = "env:NAME|file:PATH|prompt" // never the secret itself: a command line is seen by others and kept
	}
	p := problem.New(f.Why).At(f.Key).Of(problem.Usage).
		Try(fmt.Sprintf("set %s in the answers file, or --set %s=%s, or the environment variable %s", f.Key, f.Key, value, EnvName(f.Key)))
	if f.Try != "" {
		p.Try(f.Try)
	}
	return p
}

// entriesOf adds to a fault where the entries stand that it is about.
func (r *reading) entriesOf(f Fault) Fault {
	var at []string
	for _, i := range f.Entries {
		if i < len(r.entries[f.Key]) {
			at = append(at, r.entries[f.Key][i])
		}
	}
	if len(at) > 1 {
		f.Why += ": they stand at " + strings.Join(at, " and ")
	}
	return f
}

// unaskedSecrets finds secrets that stand in answers which nobody asks for, such as a password beside a token.
func (r *reading) unaskedSecrets(a Answers) {
	keys := make([]string, 0, len(r.drafts))
	for key := range r.drafts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if fault, bad := a.CheckField(r.fields[key]); bad && !fault.Missing && r.literalSecret(key, a) {
			r.answerFault(fault, a)
		}
	}
}

// contradictions finds answers that others make meaningless. What a person typed in the wizard before another choice is no mistake.
func (r *reading) contradictions(a Answers) {
	keys := make([]string, 0, len(r.drafts))
	for key := range r.drafts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		f := r.fields[key]
		if f.Beside == nil || !a.Has(key) || r.bad[key] || r.places[key] == r.name {
			continue
		}
		if why := f.Beside(a); why != "" {
			r.fault(r.placeOf(key), key, "the answer would not be used", why, "take it out")
		}
	}
}

// literalSecret says whether an answer that must be a reference is something else.
func (r *reading) literalSecret(key string, a Answers) bool {
	v := a.Text(key)
	if r.fields[key].Kind == SecretField {
		_, err := secret.ParseReference(v)
		return err != nil
	}
	rest, is := strings.CutPrefix(v, "totp:")
	if !is {
		return false
	}
	_, err := secret.ParseReference(rest)
	return err != nil
}

// lineOf is the line in a place such as FILE:12:3 (KEY); places without one come last.
func lineOf(where string) int {
	m := regexp.MustCompile(`:(\d+):\d+( |$)`).FindStringSubmatch(where)
	if m == nil {
		return 1 << 30
	}
	n, _ := strconv.Atoi(m[1])
	return n
}
