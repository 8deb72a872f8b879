package main

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"npsetup/client/trust"
	"npsetup/steps/doctor"
	"npsetup/steps/problem"
)

// controllersTried is how many domain controllers of a domain are tried.
const controllersTried = 10

// lookNetwork tries what NPS needs of domain controllers and resources. Only the NPS server itself can prove it: from anywhere else it is
// a hint.
func (x *examination) lookNetwork(ctx context.Context) {
	hosts := append(x.answers.List("accessPolicy.resource.resources"), x.answers.List("accessPolicy.resources")...)
	if len(hosts) > 0 {
		x.saying("trying ports of " + strings.Join(hosts, ", "))
	}
	domains := map[string]bool{}
	var tried []func() []doctor.Check
	for _, host := range hosts {
		tried = append(tried, func() []doctor.Check { return x.tryWinRM(ctx, host) })
		if _, domain, found := strings.Cut(strings.ToLower(host), "."); found && !domains[domain] {
			domains[domain] = true
			tried = append(tried, func() []doctor.Check { return x.tryDomain(ctx, domain) })
		}
	}
	for _, checks := range side(tried) {
		x.sheet.Add("network, seen from here", checks...)
	}
	if accounts := x.answers.List("accessPolicy.credential.accounts"); len(accounts) > 0 {
		x.sheet.Add("network of NPS", doctor.Skipped("rotation", "NPS itself changes the passwords of "+strings.Join(accounts, ", ")+": its server must reach the domain controllers at the ports below; from this machine that is not tried"))
	}
}

// side does things side by side and keeps their order.
func side(all []func() []doctor.Check) [][]doctor.Check {
	out := make([][]doctor.Check, len(all))
	var wait sync.WaitGroup
	for i, one := range all {
		wait.Go(func() { out[i] = one() })
	}
	wait.Wait()
	return out
}

// weighed makes hints faults where they were seen on the NPS server itself.
func (x *examination) weighed(c doctor.Check) doctor.Check {
	if c.Outcome == doctor.Warning && x.facts.NPS.Here {
		c.Outcome = doctor.Fault
	} else if c.Outcome == doctor.Warning {
		c.Text += "; seen from this machine, NPS's own server may see it otherwise"
	}
	return c
}

func (x *examination) tryWinRM(ctx context.Context, host string) []doctor.Check {
	net := x.options.app.network
	name, plain, secure := "WinRM of "+problem.Plain(host), net.Port(ctx, host, "5985"), net.Port(ctx, host, "5986")
	switch {
	case plain == nil && secure == nil:
		return []doctor.Check{doctor.Good(name, "5985 and 5986 take connections")}
	case secure == nil:
		return []doctor.Check{doctor.Good(name, "5986 takes connections")}
	case plain == nil:
		return []doctor.Check{{Name: name, Code: problem.WinRMFallback, Text: "5985 takes connections, 5986 does not: when the WinRM HTTP setting of NPS asks for HTTPS, every session begins slowly"}}
	}
	return []doctor.Check{x.weighed(doctor.Doubt(name, problem.WinRMNotReachable, "neither 5985 nor 5986 takes a connection: "+reason(plain), "on the NPS server: Test-WSMan "+problem.Plain(host)))}
}

// reason is why a connection did not come about, in words.
func reason(err error) string {
	p := problem.All(trust.Explain(err))[0]
	if p.Why != "" {
		return p.Why
	}
	return p.What
}

func (x *examination) tryDomain(ctx context.Context, domain string) []doctor.Check {
	name := "domain " + problem.Plain(domain)
	var checks []doctor.Check
	told := slices.ContainsFunc(x.sheet.Checks, func(c doctor.Check) bool { return c.Code == problem.ADExtensionBlocked })
	if strings.HasSuffix(domain, ".ad") && !told { // the look at the answers tells it too, once somebody is signed in
		checks = append(checks, doctor.Doubt(name, problem.ADExtensionBlocked, "the name ends in .ad, which the request filtering of IIS may block: saving the domain in NPS then never ends", "in IIS Manager on the NPS server, remove .ad under Request Filtering, File Name Extensions, and run iisreset"))
	}
	controllers, err := x.options.app.network.Controllers(ctx, domain)
	if err != nil {
		why := "DNS names no domain controllers here"
		var dns *net.DNSError
		if errors.As(err, &dns) && !dns.IsNotFound {
			why = "DNS does not answer here: " + dns.Err
		}
		return append(checks, doctor.Skipped(name, why))
	}
	if len(controllers) > 1 {
		checks = append(checks, doctor.Doubt(name, problem.SeveralControllers, "DNS names several domain controllers: "+strings.Join(controllers, ", "), "take the one with the PDC emulator role as the resource"))
	} else {
		checks = append(checks, doctor.Good(name, "DNS names one domain controller: "+controllers[0]))
	}
	var tried []func() []doctor.Check
	for _, host := range controllers[:min(len(controllers), controllersTried)] {
		tried = append(tried, func() []doctor.Check { return x.tryController(ctx, host) })
	}
	for _, more := range side(tried) {
		checks = append(checks, more...)
	}
	return checks
}

// tryController tries LDAP over TLS, LDAP and the web services of one domain controller.
func (x *examination) tryController(ctx context.Context, host string) []doctor.Check {
	name, network := "domain controller "+problem.Plain(host), x.options.app.network
	var checks []doctor.Check
	_, err := trust.Prober{Now: x.options.app.now, Dial: network.Dial, Resolver: network, ConnectLimit: 5 * time.Second, HandshakeLimit: 10 * time.Second}.Probe(ctx, "https://"+net.JoinHostPort(host, "636")+"/")
	if err != nil {
		p := problem.All(err)[0]
		checks = append(checks, x.weighed(doctor.Doubt(name, problem.LDAPSNotReachable, "LDAP over TLS (636) does not answer: "+p.What+": "+p.Why, "open 636 and give the domain controller a certificate, or switch Use TLS off for the domain in NPS")))
	}
	var closed []string
	for _, port := range []string{"389", "9389"} {
		if network.Port(ctx, host, port) != nil {
			closed = append(closed, port)
		}
	}
	if len(closed) > 0 {
		checks = append(checks, x.weighed(doctor.Doubt(name, problem.PortNotReachable, "no connection to TCP "+strings.Join(closed, ", "), "open them from the NPS server")))
	}
	if len(checks) == 0 {
		return []doctor.Check{doctor.Good(name, "389, 636 and 9389 take connections")}
	}
	return checks
}
