package nps

import (
	"net/url"
	"strings"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// Ends of the ways in tables of ports.
const (
	ThisMachine = "this machine"
	NPSServer   = "NPS server"
)

// PortOf is the port of an address as a person types it, or otherwise where there is none.
func PortOf(address, otherwise string) string {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return otherwise
	}
	if u.Port() == "" {
		return "443"
	}
	return problem.Plain(u.Port())
}

// ServerPort is the way from somebody to NPS: of the answers, or the one that NPS has when nobody chose another.
func ServerPort(a steps.Answers, from, what string) steps.Port {
	return steps.Port{From: from, To: NPSServer, Port: "TCP " + PortOf(a.Text("nps.url"), "6500"), For: what}
}

// ControllerPorts are those of the domain controllers that NPS works with, after the vendor's page of ports.
func ControllerPorts(controllers string) []steps.Port {
	return []steps.Port{
		{From: NPSServer, To: controllers, Port: "TCP/UDP 53", For: "DNS"},
		{From: NPSServer, To: controllers, Port: "UDP 88", For: "Kerberos"},
		{From: NPSServer, To: controllers, Port: "TCP 135", For: "RPC"},
		{From: NPSServer, To: controllers, Port: "UDP 137-138", For: "names of Windows"},
		{From: NPSServer, To: controllers, Port: "TCP/UDP 389, 636", For: "LDAP, and over TLS"},
		{From: NPSServer, To: controllers, Port: "TCP 9389", For: "Active Directory Web Services"},
	}
}
