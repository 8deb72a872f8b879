package doctor

// Port is one way that must be open.
type Port struct {
	From string `json:"from"`
	To   string `json:"to"`
	Port string `json:"port"`
	For  string `json:"for"`
}

// Ports is the table of what must be open, after the vendor's pages of ports; the first line is not on them, and is taken from the guide's
// address. nps is the port in the answers, vault whether Password Secure is part of the set-up.
func Ports(nps string, vault bool) []Port {
	const server, target, controller = "NPS server", "resource", "domain controller"
	if nps == "" {
		nps = "6500"
	}
	list := []Port{
		{"Auditor server", server, "TCP " + nps, "Auditor's sign-in and sessions"},
		{"this machine", server, "TCP " + nps, "npsetup"},
		{server, controller, "TCP/UDP 53", "DNS"},
		{server, controller, "UDP 88", "Kerberos"},
		{server, controller, "TCP 135", "RPC"},
		{server, controller, "UDP 137-138", "names of Windows"},
		{server, controller, "TCP/UDP 389, 636", "LDAP, and over TLS"},
		{server, controller, "TCP 9389", "Active Directory Web Services"},
		{server, target, "TCP 5985 or 5986", "WinRM: actions and changes of passwords"},
		{server, target, "TCP 3389", "RDP, for sessions of people"},
	}
	if vault {
		list = append(list, Port{server, "Password Secure", "TCP 443 or 11016", "Web Application, or the server itself"})
	}
	return list
}
