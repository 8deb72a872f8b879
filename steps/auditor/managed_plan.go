package auditor

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// rotatesWithin is how long a first rotation may take: NPS queues it behind others.
const rotatesWithin = 10 * time.Minute

// planAccounts plans for each account what it lacks: the management, the first rotation, and the wait for it. The waits come last, so that all
// rotations run while the first of them is waited for.
func (w World) planAccounts(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, accountsKey)
	values := w.values(s)
	var actions, waits []plan.Action
	for _, a := range seen {
		if a.Row == nil {
			return nil, fmt.Errorf("%s was not found", a.Given)
		}
		switch {
		case ready(a.Row):
			actions = append(actions, nps.Adopted(s, a.key(), kindAccount, a.Given)...)
			continue
		case rotating(a.Row):
			waits = append(waits, a.wait())
			continue
		}
		act := a.change(s)
		values["account"] = a.Given
		m, err := w.Texts.Manual(managedStep, s.Version, values)
		if err != nil {
			return nil, err
		}
		act.Twin = &m
		if op, missing := nps.NotOffered(s, nps.Operations(act)...); missing || manual(a.Row) {
			actions = append(actions, a.byHand(act, op))
			continue
		}
		actions, waits = append(actions, act), append(waits, a.wait(act.Key))
	}
	return append(actions, waits...), nil
}

func (a account) key() string { return managedStep + "/" + strings.ToLower(a.Given) }

func (a account) waitKey() string { return a.key() + "/verified" }

// row finds the account in NPS by its user id.
func (a seenAccount) row() plan.Lookup {
	return plan.Lookup{Call: npsapi.SearchCredentials(a.Row.UserName), Member: "id", Value: a.Row.ID}
}

// status is a sign by the password's status, as a number or as a name.
func status(states ...int) plan.Sign {
	sign := plan.Sign{Member: "passwordStatus"}
	for _, known := range passwordStates() {
		for _, n := range states {
			if n == known.number {
				sign.Values = append(sign.Values, strconv.Itoa(n), known.name)
			}
		}
	}
	return sign
}

func changedSince(before string) plan.Sign {
	return plan.Sign{Member: "lastPasswordChangeDateTimeUtc", Values: []string{before}, Not: true}
}

// change manages the account and gives it its first password. The rotation is never sent when one is under way, or came since the look:
// each one more would change the password again.
func (a seenAccount) change(s *steps.Scene) plan.Action {
	r := a.Row
	act := plan.Action{
		Key: a.key(), Effect: plan.Update, Object: kindAccount, Name: a.Given, Consents: []string{RiskRotatePassword},
		Notes: []string{
			"this changes the password of " + accountName(r) + ": whatever else signs in with it stops working until it has the new one, which only NPS knows",
			"accepted as " + RiskRotatePassword,
		},
		UndoNote: "the former password cannot be brought back: NPS does not know it; set a new password for " + accountName(r) + " in Active Directory",
	}
	if !automatic(r) {
		op := nps.CallOp("manage", npsapi.ManageUser(plan.String(r.ID), npsapi.ManagedAutomatic))
		row := a.row()
		op.Spare = &plan.Spare{Row: row, Signs: []plan.Sign{{Member: "rotationType", Values: []string{strconv.Itoa(npsapi.ManagedAutomatic), "Automatic"}}}}
		act.Ops, act.Assumption = append(act.Ops, op), op.Assumed
		act.Undo = []plan.Op{a.unmanaging()}
		act.Difference = append(act.Difference, plan.Difference{Label: "Rotation", Field: "rotationType", From: rotationWord(r), To: "Automatic", Mark: "number inferred: Automatic (2)"})
	}
	op := nps.CallOp("rotate", npsapi.RotateAccounts(plan.String(r.ID)))
	op.Repeat = plan.Never
	op.Spare = &plan.Spare{Row: a.row(), Signs: []plan.Sign{status(npsapi.PasswordPending), changedSince(changedAt(r))}}
	act.Ops = append(act.Ops, op)
	act.Difference = append(act.Difference, plan.Difference{Label: "Password", From: statusWord(r), To: "a new one, made by NPS"})
	return act
}

// unmanaging is how the management ends: no call is known that ends it, and the row shows that it has ended.
func (a seenAccount) unmanaging() plan.Op {
	trace := &plan.Trace{Lookup: a.row()}
	for _, became := range []string{strconv.Itoa(npsapi.ManagedAutomatic), `"Automatic"`} {
		trace.Changed = append(trace.Changed, plan.Changed{Member: "rotationType", Was: json.RawMessage(strconv.Quote(rotationWord(a.Row))), Became: json.RawMessage(became)})
	}
	return plan.Op{ID: "unmanage", Kind: plan.KindManual, Class: plan.Change, Repeat: plan.Never, Trace: trace, Manual: &plan.Manual{
		Where: "NPS, in a browser, as an administrator", Clicks: []plan.Click{{Text: "open Dashboard > Credentials, mark " + accountName(a.Row) + ", and choose Unmanage"}},
	}}
}

// wait looks until the new password is the account's.
func (a seenAccount) wait(after ...string) plan.Action {
	op := nps.CallOp("wait", a.row().Call)
	op.Repeat = plan.ByName
	op.Await = &plan.Await{
		Row:   a.row(),
		Until: []plan.Sign{status(npsapi.PasswordVerified), changedSince("")},
		Failed: []plan.Fail{
			{Sign: status(npsapi.PasswordFailed), Code: problem.CredentialMismatch},
			{Sign: status(npsapi.PasswordMismatch), Code: problem.CredentialMismatch},
		},
		Code:   problem.CredentialNotRotated,
		Within: rotatesWithin, What: "the password of " + accountName(a.Row) + " is rotated and verified",
		Why: "NPS could not write the new password, or it was changed elsewhere at the same time",
		Next: []string{
			"see in NPS under Credentials what is said of it, give the service account of its domain the right to reset this password, then Schedule Rotation there",
		},
	}
	is, wanted := statusWord(a.Row), "Verified"
	if is == wanted {
		wanted = "Verified after the rotation" // as it is it tells of the password before
	}
	return plan.Action{
		Key: a.waitKey(), Effect: plan.Update, Object: "password of account", Name: a.Given, Ops: []plan.Op{op}, After: after,
		Why:        "before its first rotation NPS has no password that it could lend",
		Difference: []plan.Difference{{Label: "Status", From: is, To: wanted}},
		UndoNote:   "nothing is left to undo: it only waits",
	}
}

// byHand is the change as a person makes it: where the server does not offer the call, and for an account that is managed manually, of
// which no call is known that changes it.
func (a seenAccount) byHand(act plan.Action, lacks string) plan.Action {
	m := nps.ManualAction(act.Key, act.Object, act.Name, act.Twin)
	m.Difference, m.Consents = act.Difference, act.Consents
	m.Notes = append(m.Notes, act.Notes[0])
	if lacks == "" {
		m.Notes = append(m.Notes, "it is managed manually, and no call is known that changes that: a person does it, and it is read back")
		return m
	}
	m.Notes = append(m.Notes, "this server was found not to offer "+lacks+", so it is done by hand and read back")
	return m
}

// riskRotate is what a person accepts with a credential-based policy.
func riskRotate() steps.Risk {
	return steps.Risk{
		Name: RiskRotatePassword, Key: keyAccounts, When: byCredential, Had: rotatedBefore,
		Text: "this changes the password of each account that is named; is it used elsewhere? Whatever else signs in with it stops working until it has the new one, which only NPS knows",
		Tell: func(a steps.Answers) string {
			return "this changes the password of " + shortList(a.List(keyAccounts)) + "; is it used elsewhere? Whatever else signs in with it stops working until it has the new password, which only NPS knows"
		},
	}
}

// rotatedBefore says whether a run has changed the password of each account, or found it changed by NPS.
func rotatedBefore(a steps.Answers, m steps.Memory) bool {
	accounts := a.List(keyAccounts)
	for _, name := range accounts {
		if !m.Made[steps.MadeKey(kindAccount, name)] {
			return false
		}
	}
	return len(accounts) > 0
}

// RiskRotatePassword is the name of the risk that goes with a managed account.
const RiskRotatePassword = "rotate-password"
