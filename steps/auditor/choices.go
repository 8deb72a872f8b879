package auditor

import (
	"context"
	"sort"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
)

// hostChoices offers the hosts that NPS knows from Active Directory, domain controllers first.
func hostChoices(ctx context.Context, s *steps.Scene, filter string) ([]steps.Option, error) {
	found, err := nps.Find(ctx, s, npsapi.SearchCandidates(filter), func(c npsapi.Candidate) bool { return c.DNSHostName != "" })
	if err != nil {
		return nil, err
	}
	sort.SliceStable(found, func(i, j int) bool {
		a, b := found[i].Row, found[j].Row
		if a.IsDomainController != b.IsDomainController {
			return a.IsDomainController
		}
		return a.DNSHostName < b.DNSHostName
	})
	options := make([]steps.Option, len(found))
	for i, c := range found {
		options[i] = steps.Option{Value: problem.Plain(c.Row.DNSHostName), Title: hostTitle(c.Row)}
	}
	return options, nil
}

func hostTitle(c npsapi.Candidate) string {
	title := "server"
	if c.IsDomainController {
		title = "domain controller"
	}
	if c.ManagedResourceID != "" {
		return title + ", a resource already"
	}
	return title
}

// serviceAccountChoices offers the service accounts by the names that NPS shows.
func serviceAccountChoices(ctx context.Context, s *steps.Scene, _ string) ([]steps.Option, error) {
	found, err := nps.Find(ctx, s, npsapi.SearchServiceAccounts(""), func(npsapi.Credential) bool { return true })
	if err != nil {
		return nil, err
	}
	options := make([]steps.Option, 0, len(found))
	for _, c := range found {
		name := c.Row.DisplayName
		if name == "" {
			name = c.Row.UserName
		}
		title := c.Row.UserName
		if c.Row.Domain != "" {
			title = c.Row.Domain + `\` + title
		}
		options = append(options, steps.Option{Value: problem.Plain(name), Title: problem.Plain(title)})
	}
	sort.SliceStable(options, func(i, j int) bool { return options[i].Value < options[j].Value })
	return options, nil
}
