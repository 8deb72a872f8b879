package sandbox

// vaultFaults are those of Password Secure, of the way from NPS to it, and of what NPS has for it. They follow the published failures.
func vaultFaults() []FaultKind {
	return []FaultKind{
		{"before-25.12", "NPS is 4.2.00001 and has no connector template for Password Secure"},
		{"no-template", "NPS has no connector template for Password Secure"},
		{"connector-405", "NPS answers 405 to every change of a connector"},
		{"profile-no-password", "the Default connection profile gives users no password"},
		{"key-expired", "the first API key of Password Secure has expired"},
		{"key-deleted", "the first API key of Password Secure was deleted"},
		{"vault-down", "the Web Application answers, the service behind it does not (503)"},
		{"vault-self-signed", "Password Secure shows its own certificate, which NPS does not trust; only at the start"},
		{"vault-untrusted", "NPS does not trust the certificate of Password Secure"},
		{"vault-unreachable", "NPS does not reach Password Secure"},
		{"vault-refused", "Password Secure refuses the API key"},
		{"vault-null", "Password Secure finds no entry: null"},
		{"vault-several", "Password Secure finds several entries"},
		{"vault-seal", "the entry asks for a reason, which NPS does not give"},
		{"vault-dll", "the software kit in NPS is too old for Password Secure"},
	}
}

// always says whether a fault is on without counting chances.
func (fs faults) always(name string) bool { return fs.has(name) && fs[name].at == 0 }

// onlyAtStart names the faults that are in a certificate.
func onlyAtStart(name string) bool { return name == "expired-cert" || name == "vault-self-signed" }

// settle makes the Default profile what profile-no-password says, as another administrator would: when it is switched on, and back
// when it is switched off.
func (s *Server) settle(on, off faults) {
	p := s.world.profiles.named("name", "Default")
	switch {
	case p == nil:
	case on.has("profile-no-password"):
		p["allowPasswordAccess"] = false
	case off.has("profile-no-password"):
		p["allowPasswordAccess"] = true
	}
}
