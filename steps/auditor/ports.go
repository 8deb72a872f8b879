package auditor

import (
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/problem"
)

// ports are the ways of this guide. Auditor's own to NPS is not on the vendor's pages of ports; it is that of the guide's address.
func ports(a steps.Answers) []steps.Port {
	list := []steps.Port{nps.ServerPort(a, "Auditor server", "Auditor's sign-in and sessions"), nps.ServerPort(a, nps.ThisMachine, "npsetup")}
	list = append(list, nps.ControllerPorts(controllersOf(a))...)
	if byResource(a) || a.Text(keyKind) == "" {
		list = append(list, steps.Port{From: nps.NPSServer, To: "resource", Port: "TCP 5985 or 5986", For: "WinRM: the actions of sessions"})
	}
	if !byCredential(a) {
		return list
	}
	if source := a.Text(keySource); source == sourceEntra || source == sourceEntraModern {
		return append(list, steps.Port{From: nps.NPSServer, To: "login.microsoftonline.com, graph.microsoft.com", Port: "TCP 443", For: "Microsoft Entra ID"})
	}
	return append(list, steps.Port{From: nps.NPSServer, To: "computer of a local account", Port: "TCP 5985 or 5986", For: "WinRM: changes its password; not for accounts of a domain"})
}

// controllersOf names the domains whose controllers NPS has to reach: where it makes accounts, and where it changes passwords.
func controllersOf(a steps.Answers) string {
	var domains []string
	add := func(d string) {
		if d = problem.Plain(d); d != "" && !contains(domains, d) {
			domains = append(domains, d)
		}
	}
	if byResource(a) {
		for _, host := range a.List(keyResources) {
			_, domain, _ := strings.Cut(strings.ToLower(host), ".")
			add(domain)
		}
	}
	if byCredential(a) {
		for _, account := range accountsOf(a) {
			add(account.Domain)
		}
	}
	if len(domains) == 0 {
		return "domain controllers"
	}
	return "domain controllers of " + shortList(domains)
}
