package auditor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	verifyStep = "verify"
	sessionKey = "verify/session"
)

// verify is A17: the whole chain as NPS judges it, a session as the application user, and Auditor's own first one.
func (w World) verify() steps.Step {
	return steps.Step{
		ID: verifyStep, Title: "Proof", Article: "not in the article",
		Why:  "a set-up that went through and does not work is the worst outcome",
		Look: lookSessions, Plan: w.planProof, Verify: verifyChain,
	}
}

// planProof plans a session of our own for each kind of policy, when there is a key to sign in with and nothing proves the set-up as it is,
// and waits for Auditor's own first sessions.
func (w World) planProof(s *steps.Scene) ([]plan.Action, error) {
	ev, _ := steps.Get(s, evidenceKey)
	var actions []plan.Action
	before := waitsFor(s, true)
	due := slices.DeleteFunc(proofs(s), func(p proof) bool { return !sessionDue(s, ev, p.kind) && !(nps.Changing(s.Planned()) && canSignIn(s)) })
	collects := seenCollections(s) == "" || len(due) == 0 && nps.Changing(s.Planned()) // what is changed now, a session of before does not prove
	if len(due) == 0 && !collects {
		return nil, nil
	}
	if missing := w.untold(s.Answers); missing != nil && !s.Memory.Reads {
		return nil, missing
	}
	m, err := w.page(s, verifyStep)
	if err != nil {
		return nil, err
	}
	for _, p := range due {
		actions = append(actions, p.action(s, ev.next+len(actions), m))
		before = append(before, p.key)
	}
	if collects {
		actions = append(actions, nps.ManualAction(verifyStep, "first collection", s.Answers.Text(keyPlan), m, before...))
	}
	return actions, nil
}

// canSignIn says whether a session of our own can be tried.
func canSignIn(s *steps.Scene) bool {
	_, key := signsWith(s)
	_, lacks := nps.NotOffered(s, "signInApplication", "signInApplicationShort")
	return key != "" && !lacks
}

// sessionDue says whether a session of our own has to prove what is there under a kind of policy: none has, or something was changed since, or the last
// one failed. Where Auditor's own was seen, and npsetup has changed nothing since one of ours, that proves as much. Plan and
// verify both go by it.
func sessionDue(s *steps.Scene, ev evidence, kind string) bool {
	return canSignIn(s) && (s.Memory.Prove || s.Memory.Unproven || ev.failed(s) || ev.of[kind].ours == nil && ev.of[kind].auditor == nil)
}

// due says whether a session of any kind is.
func due(s *steps.Scene, ev evidence) bool {
	return slices.ContainsFunc(proofs(s), func(p proof) bool { return sessionDue(s, ev, p.kind) })
}

// failed says whether the last proof of ours failed, and no session became active since.
func (ev evidence) failed(s *steps.Scene) bool {
	return s.Memory.Failed != nil && !ev.after(s.Memory.Failed.At)
}

// signsWith are the files with which a session of our own signs in: the certificate and its private key. The key is empty when
// only Auditor has it.
func signsWith(s *steps.Scene) (certificate, key string) {
	if _, gone := steps.Get(s, goneKey); gone {
		return "", ""
	}
	switch roadOf(s.Answers) {
	case roadNew, roadRequest:
		f := filesOf(s.Answers)
		if k, looked := steps.Get(s, kitKey); looked && k.answered && !k.cer {
			return k.files.answer, f.key // planned again it would be for nothing but this
		}
		return f.cer, f.key
	}
	if inStore(s.Answers) {
		return "", "" // its key stays in the store
	}
	return s.Answers.File(keyCertificate), s.Answers.File(keyPrivateKey)
}

// authoritiesOf are the files with the certificates that vouch for it.
func authoritiesOf(s *steps.Scene) []string {
	switch roadOf(s.Answers) {
	case roadRequest:
		k, _ := steps.Get(s, kitKey)
		return k.from
	case roadAuditor:
		if authorities := s.Answers.File(keyAuthorities); authorities != "" {
			return []string{authorities}
		}
	}
	return nil
}

// waitsFor are the actions that must be done before a session can become active; Auditor's own needs all of them.
func waitsFor(s *steps.Scene, auditors bool) []string {
	var keys []string
	for _, a := range s.Planned() {
		if !a.Changing() {
			continue
		}
		switch a.Step {
		case startStep, importStep, "auditor-key", monitoringStep:
			if !auditors {
				continue
			}
		}
		keys = append(keys, a.Key)
	}
	return keys
}

// unopened says why no session can be opened as the application user.
func unopened() error {
	return problem.New("no session can be opened as the application user").Because("the private key of its certificate is not at hand, or the server does not let applications sign in").
		Try("name the key under application.key, when it exists as a file", "npsetup verify --watch 10m waits for Auditor's own session").Of(problem.Usage)
}

func verifyChain(ctx context.Context, s *steps.Scene) steps.Proof {
	user, _ := steps.Get(s, userKey)
	r, ok := steps.Get(s, nps.ReaderKey)
	if !ok {
		return nps.SignedOut()
	}
	var texts []string
	for _, y := range ways(s.Answers) {
		seen, _ := steps.Get(s, y.key)
		if user == nil || seen.Policy == nil {
			return steps.Proof{State: steps.Differs, Text: "the application user or its policy is not there yet", New: true}
		}
		text, p := granted(ctx, r, s, user.Row.ID, y, seen)
		if p != nil {
			return *p
		}
		texts = append(texts, text)
	}
	proof := proofBySessions(s, strings.Join(texts, "; "))
	ev, _ := steps.Get(s, evidenceKey)
	if cut := ev.terminated(ctx, r, user.Row.Name); cut != "" {
		proof.Text += "; " + cut
	}
	return proof
}

// granted says what a policy grants to the application user, or what speaks against it.
func granted(ctx context.Context, r nps.Reader, s *steps.Scene, user string, y way, seen seenPolicy) (string, *steps.Proof) {
	name := problem.Plain(s.Answers.Text(keyApplication))
	if y.Type == npsapi.PolicyCredential {
		accounts, _ := steps.Get(s, accountsKey)
		for _, a := range accounts {
			if _, in := seen.Members[npsapi.Accounts][strings.ToLower(user)]; !in || seen.Off || a.Row == nil || !memberOf(seen, a.Row) {
				return "", &steps.Proof{State: steps.Differs, Text: fmt.Sprintf("the policy %q does not lend %s to %s", problem.Plain(y.Name), problem.Plain(a.Given), name)}
			}
		}
		return "NPS lends " + shortList(s.Answers.List(keyAccounts)) + " to " + name, nil
	}
	activity, hosts := s.Answers.Text(keyActivity), s.Answers.List(keyResources)
	lacking, err := withoutGrant(ctx, r, user, activity, hosts, seen.Policy.Row.ID)
	switch {
	case err != nil:
		return "", &steps.Proof{State: steps.NotProven, Text: problem.Plain(err.Error()), Err: err}
	case lacking != "":
		return "", &steps.Proof{State: steps.Differs, Text: fmt.Sprintf("NPS finds no policy that lets %s run %q on %s", name, problem.Plain(activity), problem.Plain(lacking))}
	}
	return "NPS grants " + problem.Plain(activity) + " on " + shortList(hosts) + " to " + name, nil
}

// asksAtOnce is how many questions are under way side by side.
const asksAtOnce = 4

// withoutGrant is the first host on which no policy of this id lets the user run the activity; empty when there is none.
func withoutGrant(ctx context.Context, r nps.Reader, user, activity string, hosts []string, policy string) (string, error) {
	lacks, errs := make([]bool, len(hosts)), make([]error, len(hosts))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(asksAtOnce, len(hosts)) {
		workers.Go(func() {
			for i := range next {
				granted, err := nps.Grants(ctx, r, user, activity, hosts[i], policy)
				lacks[i], errs[i] = !granted, err
			}
		})
	}
	for i := range hosts {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	for i := range hosts {
		switch {
		case errs[i] != nil:
			return "", errs[i]
		case lacks[i]:
			return hosts[i], nil
		}
	}
	return "", ctx.Err()
}

// proofBySessions adds what the sessions prove, and what they do not.
func proofBySessions(s *steps.Scene, text string) steps.Proof {
	ev, _ := steps.Get(s, evidenceKey)
	if ev.err != nil {
		return steps.Proof{State: steps.NotProven, Text: text + "; its sessions cannot be listed: " + problem.Plain(ev.err.Error()), Err: ev.err}
	}
	state, about := steps.Proven, problem.Code("")
	switch {
	case ev.failed(s):
		state = steps.Differs
		text, about = failure(s.Memory.Failed)+"; seen besides: "+text, s.Memory.Failed.Code
	case s.Memory.Unproven && ev.ours == nil && ev.auditor == nil:
		text += "; no session has proven it yet"
	case ev.unproven(s):
		text += "; something was changed since the last session that became active"
	case ev.ours != nil:
		shown, looked := ev.shown(s)
		text += fmt.Sprintf("; a session as %s became active and ended", problem.Plain(s.Answers.Text(keyApplication)))
		if !looked {
			text += " (whether its password can be read was not looked at from here: npsetup verify --session looks)"
		}
		if shown.Password != "" {
			text, state = text+", but its password is not proven: "+problem.Plain(shown.Password), steps.NotProven
			about = problem.PasswordNotReadable
		}
		if shown.Took >= slowFrom {
			text += fmt.Sprintf("; it took %d s, which is slow: NPS asks WinRM for HTTPS first (Global Settings > WinRM HTTP setting: set \"Use HTTP\", or give the resource a WinRM certificate)", int(shown.Took.Seconds()))
			about = cmp.Or(about, problem.WinRMFallback)
		}
	case withoutKey(s) != "":
	case keyElsewhere(s):
		text += "; no session of its own was opened, since the private key of the certificate is not at hand"
	}
	if gone := withoutKey(s); gone != "" {
		text += "; " + gone
	}
	told := complaints(s, ev)
	for i, p := range told {
		text += "; " + problem.Plain(p.What+": "+p.Why+"; "+strings.Join(p.Next, "; "))
		if i == 0 {
			about = p.Named()
		}
	}
	if seenCollections(s) != "" {
		text += "; " + ev.auditors()
		if state == steps.Proven && due(s, ev) {
			state, text = steps.Differs, text+"; a session of npsetup's own is due, since something was changed: npsetup resume --yes opens it"
		}
		if expiry := ev.expiry(s); expiry != "" {
			text, about = text+"; "+expiry, problem.CollectionTooLong
		}
		return steps.Proof{State: state, Text: text, Code: about}
	}
	if state == steps.Proven || state == steps.NotProven {
		state = steps.NeedPerson
	}
	if len(told) == 0 {
		text += "; no session of Auditor was seen yet" + ev.lacking(s) + ": let it collect once, then npsetup verify, or npsetup verify --watch 10m"
	}
	return steps.Proof{State: state, Text: text, Code: about}
}

// terminated is the cause of health event 5803, when the log of Auditor's last session shows it. That its log cannot be read proves
// nothing.
func (ev evidence) terminated(ctx context.Context, r nps.Reader, login string) string {
	if ev.auditor == nil || ev.auditor.ID == "" || ranOut(ev.auditor) {
		return ""
	}
	if _, ended := nps.Moment(ev.auditor.ActualEndDateTimeUTC); !ended {
		return ""
	}
	a, err := r.Read(ctx, npsapi.GetSessionLog(plan.String(ev.auditor.ID), 100))
	if err != nil {
		return ""
	}
	line := nps.EndedBySomebody(a.Body, login)
	if line == "" {
		return ""
	}
	return fmt.Sprintf("a session of Auditor was ended in use%s (its log says: %s): Auditor tells that as event 5803; do not end the sessions of %s in NPS, and let Auditor collect again",
		ev.when(ev.auditor), line, problem.Plain(login))
}

// failure is a failed proof in one sentence, with what to do next.
func failure(f *steps.FailedProof) string {
	text := "the last session of npsetup's own, at " + f.At.UTC().Format("2006-01-02 15:04") + " UTC, failed: " + f.What
	if f.Why != "" {
		text += ": " + f.Why
	}
	if len(f.Next) > 0 {
		text += "; next: " + f.Next[0]
	}
	return text
}

func keyElsewhere(s *steps.Scene) bool {
	_, key := signsWith(s)
	return key == ""
}

// slowFrom is from when on the preparation of a session counts as slow (vendor KB "long provisioning times").
const slowFrom = 30 * time.Second
