package nps

import (
	"context"
	"maps"
	"slices"
	"sort"
	"strings"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// TheOne is the only one of the names, or the only one of those that are preferred. Several are a problem that lists them and asks for the
// flag; none is a problem too.
func TheOne(flag, kind, named string, all, preferred []string) (string, error) {
	switch {
	case len(all) == 1:
		return all[0], nil
	case len(all) == 0 && named != "":
		return "", problem.New("NPS has no " + kind + " named " + problem.Plain(named)).Try("leave --" + flag + " out: the ones that are there are then listed").Of(problem.Usage)
	case len(all) == 0:
		return "", problem.New("NPS has no " + kind).Because("there is nothing that could be described").Try("npsetup plan -f FILE shows how to set the integration up")
	case len(preferred) == 1:
		return preferred[0], nil
	}
	if len(preferred) > 1 {
		all = preferred
	}
	sort.Strings(all)
	return "", problem.New("NPS has more than one " + kind + " that could be meant").Coded(problem.SeveralCandidates).
		Because("there are " + problem.Plain(strings.Join(all, ", "))).Try("name the one that is meant: --" + flag + " NAME").Of(problem.Usage)
}

// Pick is the only one of some objects by name, as TheOne finds it.
func Pick[T any](flag, kind, named string, byName map[string]T) (T, error) {
	name, err := TheOne(flag, kind, named, slices.Sorted(maps.Keys(byName)), nil)
	return byName[name], err
}

// LivePolicies are the access policies that are neither deleted nor disabled.
func LivePolicies(ctx context.Context, s *steps.Scene) ([]Object[npsapi.Policy], error) {
	return Find(ctx, s, npsapi.ListPolicies(false), func(p npsapi.Policy) bool {
		return !p.Deleted() && !p.Disabled()
	})
}

// Members are all rows of a list of a policy's members.
func Members(ctx context.Context, s *steps.Scene, kind npsapi.MemberKind, policy string) ([]npsapi.MemberRow, error) {
	found, err := Find(ctx, s, npsapi.SearchMembers(kind, plan.String(policy), ""), func(npsapi.MemberRow) bool { return true })
	if err != nil {
		return nil, err
	}
	rows := make([]npsapi.MemberRow, len(found))
	for i, m := range found {
		rows[i] = m.Row
	}
	return rows, nil
}
