package passwordsecure

import (
	"npsetup/steps"
	"npsetup/steps/nps"
)

// ports are the ways of this guide. That from NPS to Password Secure is missing on NPS's page of ports; it follows from those of Password
// Secure.
func ports(a steps.Answers) []steps.Port {
	const vault = "Password Secure"
	port := "443 or 11016"
	if address := a.Text(keyURL); address != "" {
		port = nps.PortOf(address, port)
	}
	list := []steps.Port{
		{From: nps.NPSServer, To: vault, Port: "TCP " + port, For: "asks for credentials; from each node with an action service"},
		{From: nps.ThisMachine, To: vault, Port: "TCP " + port, For: "npsetup's own look"},
	}
	if port != "11016" {
		list = append(list, steps.Port{From: "its Web Application", To: vault + " server", Port: "TCP 11011, 11016", For: "when the two are not on one machine"})
	}
	list = append(list, nps.ServerPort(a, nps.ThisMachine, "npsetup"), nps.ServerPort(a, "browsers of users", "sessions of people"))
	list = append(list, nps.ControllerPorts("domain controllers")...)
	if nps.Same(a.Text(keyPlatform), "Linux") {
		return append(list,
			steps.Port{From: "users", To: nps.NPSServer, Port: "TCP 4422", For: "SSH proxy of sessions"},
			steps.Port{From: nps.NPSServer, To: "resource", Port: "TCP 22", For: "SSH"})
	}
	return append(list,
		steps.Port{From: "users", To: nps.NPSServer, Port: "TCP 4489", For: "RDP proxy of sessions"},
		steps.Port{From: nps.NPSServer, To: "resource", Port: "TCP 5985 or 5986", For: "WinRM: the actions of sessions"},
		steps.Port{From: nps.NPSServer, To: "resource", Port: "TCP 3389", For: "RDP, for sessions of people"})
}
