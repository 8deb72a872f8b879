package auditor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

const credentialStep = "policy-credential"

var credentialPolicyKey = steps.Key[seenPolicy]{Name: "auditor.credentialPolicy"}

func credentialWay(a steps.Answers) way {
	return way{
		Policy: nps.Policy{Type: npsapi.PolicyCredential, Step: credentialStep, Answer: keyCredentialPolicy, Name: a.Text(keyCredentialPolicy), Description: "Netwrix Auditor integration", ProfileName: a.Text(keyProfile)},
		key:    credentialPolicyKey, needs: []string{userStep, profileStep, managedStep}, holds: "user and credentials",
		members: addCredentials, lists: credentialLists, untold: func(*steps.Scene, seenPolicy) []plan.Difference { return nil },
	}
}

// policyCredential is A15.
func (w World) policyCredential() steps.Step {
	return w.policy(credentialWay, steps.Step{
		ID: credentialStep, Title: "Credential-based access policy", Article: "Credential-based Policy, 3-7", Applies: byCredential,
		Why: "it lends the accounts to the application user; its only activity, Credential Release, is built in",
		Fields: []steps.Field{{
			Key: keyCredentialPolicy, Kind: steps.Text, Prompt: "Name of the access policy", Default: "Netwrix Auditor (credential)", Example: "Netwrix Auditor (credential)",
			Help: "A name that no other policy of this server has.",
		}},
	})
}

func credentialLists(a steps.Answers) []plan.Difference {
	return []plan.Difference{{Label: "Users", To: a.Text(keyApplication)}, {Label: "Credentials", To: strings.Join(a.List(keyAccounts), ", ")}}
}

// addCredentials gives the policy the members that it lacks. A credential is taken as the policy's own list of candidates shows it: whether
// that is the credential or the user is not documented, and what it has no stored password of is no credential there.
func addCredentials(s *steps.Scene, y way, seen seenPolicy, policy plan.Value) ([]plan.Action, error) {
	id, ok := s.ID(kindUser, s.Answers.Text(keyApplication))
	if !ok {
		return nil, fmt.Errorf("the application user %q is not known", s.Answers.Text(keyApplication))
	}
	var actions []plan.Action
	if a, lacks := y.Add(seen, policy, nps.PolicyMembers{
		Kind: npsapi.Accounts, Key: "user", Label: "Users", Article: "Credential-based Policy, 6",
		Members: []nps.PolicyMember{{Name: s.Answers.Text(keyApplication), Member: npsapi.Member{ID: id, Kind: npsapi.EntityApplication}}},
	}); lacks {
		actions = append(actions, a)
	}
	waits := waitsOf(s)
	accounts, _ := steps.Get(s, accountsKey)
	for _, a := range accounts {
		if a.Row != nil && !memberOf(seen, a.Row) {
			actions = append(actions, addCredential(y, a, policy, waits))
		}
	}
	return actions, nil
}

// memberOf says whether a policy has an account's credential, by whichever of its ids.
func memberOf(seen seenPolicy, r *npsapi.Credential) bool {
	have := seen.Members[npsapi.Credentials]
	_, byCredential := have[strings.ToLower(r.CredentialID)]
	_, byUser := have[strings.ToLower(r.ID)]
	return byCredential && r.CredentialID != "" || byUser
}

// findsWithin is how long a stored credential may take to be listed as a candidate.
const findsWithin = 30 * time.Second

func addCredential(y way, a seenAccount, policy plan.Value, waits map[string]string) plan.Action {
	key := y.Step + "/credentials/" + strings.ToLower(a.Given)
	find := nps.CallOp("find", npsapi.SearchCredentialCandidates(policy, a.Row.UserName))
	find.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	find.Await = &plan.Await{
		Row:   plan.Lookup{Call: *find.Call, Member: "username", Value: a.Row.UserName},
		Until: []plan.Sign{{Member: "entityType", Values: []string{strconv.Itoa(npsapi.MemberCredential), "Credential"}}}, Within: findsWithin,
		What: "the policy " + y.Name + " can take the credential of " + accountName(a.Row),
		Next: []string{"see in NPS under Credentials whether its password is Verified", "add it in NPS on the tab Credentials of the policy; it is read back"},
	}
	if a.Row.Domain != "" {
		find.Await.Row.Also = []plan.Match{{Member: "domain", Value: a.Row.Domain}}
	}
	member := find.Await.Row
	member.Call = npsapi.SearchMembers(npsapi.Credentials, policy, a.Row.UserName)
	find.Await.Or = &member // a member is no candidate any longer
	credential := plan.Ref{Action: key, Output: "id", What: `credential "` + accountName(a.Row) + `"`}
	taken := npsapi.Member{ID: credential, Kind: npsapi.MemberCredential}
	act := plan.Action{
		Key: key, Effect: plan.Create, Object: "credential in access policy", Name: a.Given, Article: "Credential-based Policy, 7",
		Difference: []plan.Difference{{Label: "Credentials", To: a.Given}},
		Ops:        []plan.Op{find, nps.CallOp("add", npsapi.AddMembers(npsapi.Credentials, policy, taken))},
		Undo:       nps.Traced(nps.UndoOp(npsapi.RemoveMembers(npsapi.Credentials, policy, taken)), &plan.Trace{Lookup: plan.Lookup{Call: npsapi.SearchMembers(npsapi.Credentials, policy, "")}, Members: true}),
	}
	if before := waits[strings.ToLower(a.Given)]; before != "" {
		act.After = []string{before}
	}
	return act
}

// waitsOf are the actions after which the credential of an account is stored, by its name in lower-case letters.
func waitsOf(s *steps.Scene) map[string]string {
	waits := map[string]string{}
	for _, p := range s.Planned() {
		name, of := strings.CutPrefix(p.Key, managedStep+"/")
		if !of || !p.Changing() {
			continue
		}
		if bare, verified := strings.CutSuffix(name, "/verified"); verified {
			waits[bare] = p.Key
		} else if waits[name] == "" {
			waits[name] = p.Key
		}
	}
	return waits
}
