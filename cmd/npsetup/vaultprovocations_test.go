package main

import (
	"context"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/steps/problem"
)

// accountProvocations are those of an account whose password NPS manages.
func accountProvocations() []provoked {
	lent := func(fault, account string) func(*testing.T) (*site, result) {
		return func(t *testing.T) (*site, result) {
			o := sandbox.Options{}
			if fault != "" {
				o.Faults = []string{fault + "@1"}
			}
			st := newSite(t, o)
			st.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() } // the ten minutes pass at once
			return st, st.lend("credential", "apply", "--yes", "--set", "accessPolicy.credential.accounts="+account)
		}
	}
	return []provoked{
		{41, "the first rotation fails", lent("rotation-fails", `CONTOSO\svc-auditor`), "", exitFailed},
		{40, "the first rotation does not end", lent("rotation-stuck", `CONTOSO\svc-auditor`), "", exitFailed},
		{41, "after its rotation the password is not the account's", lent("rotation-mismatch", `CONTOSO\svc-auditor`), "", exitFailed},
		{42, "an account with dependents", lent("", `CONTOSO\svc-sql`), "", exitFailed},
	}
}

// vaultSessionProvocations are those that a session with a vault shows.
func vaultSessionProvocations() []provoked {
	opened := func(fault string) func(*testing.T) (*site, result) {
		return func(t *testing.T) (*site, result) {
			st := newVaultSite(t, sandbox.Options{})
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
			st.hands()
			st.faulted(fault)
			return st, st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual)
		}
	}
	return []provoked{
		{44, "no entry fits: null", opened("vault-null"), "", exitFailed},
		{46, "NPS does not reach Password Secure", opened("vault-unreachable"), "", exitFailed},
		{47, "NPS does not trust the certificate of Password Secure", opened("vault-untrusted"), "", exitFailed},
		{48, "the software kit in NPS is too old", opened("vault-dll"), "", exitFailed},
		{49, "Password Secure is newer than the kit", func(t *testing.T) (*site, result) {
			st := newVaultSite(t, sandbox.Options{})
			return st, st.do("doctor", "-f", st.answers(), "--set", "passwordSecure.version=10.1.0")
		}, "", exitOK},
		{51, "Password Secure refuses the key", opened("vault-refused"), "", exitFailed},
		{52, "several entries fit", opened("vault-several"), "", exitFailed},
		{54, "the entry asks for a reason", opened("vault-seal"), "", exitFailed},
		{45, "the Default profile shows no password", func(t *testing.T) (*site, result) {
			st := newVaultSite(t, sandbox.Options{Faults: []string{"profile-no-password"}})
			return st, st.do("plan", "-f", st.answers())
		}, "", exitFailed},
		{46, "NPS is too old for it", func(t *testing.T) (*site, result) {
			st := newVaultSite(t, sandbox.Options{Faults: []string{"no-template"}})
			return st, st.do("plan", "-f", st.answers())
		}, problem.VaultTemplateMissing, exitFailed},
	}
}
