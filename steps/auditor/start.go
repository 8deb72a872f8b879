package auditor

import (
	"strings"
	"unicode"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Keys of the answers of this guide.
const (
	keyApplication      = "application.name"
	keyCertificate      = "application.certificate"
	keyPrivateKey       = "application.key"
	keyOrigin           = "application.origin" // a question of the faces: keyCertificate holds its answer
	keyAuthorities      = "application.authorities"
	keyFolder           = "application.folder"
	keyKeyType          = "application.keyType"
	keyCAAnswer         = "application.answer"
	keyPassphrase       = "application.passphrase"
	keyEncryption       = "application.pfxEncryption"
	keyProfile          = "connectionProfile.name"
	keyKind             = "accessPolicy.kind"
	keyPolicy           = "accessPolicy.resource.name"
	keyActivity         = "accessPolicy.resource.activity"
	keyGroup            = "accessPolicy.resource.group"
	keyResources        = "accessPolicy.resource.resources"
	keyServiceAccount   = "accessPolicy.resource.serviceAccount"
	keyCredentialPolicy = "accessPolicy.credential.name"
	keyAccounts         = "accessPolicy.credential.accounts"
	keyPlan             = "monitoringPlan.name"
	keyItems            = "monitoringPlan.items"
	keyCredentialItems  = "monitoringPlan.credentialItems"
	keySource           = "monitoringPlan.dataSource"
	keyLongest          = "monitoringPlan.longestCollection"
	keyEvents           = "monitoringPlan.events"
)

const startStep = "auditor-start"

// auditorStart is A0: the dialog in Auditor that stays open until the key is pasted. With a certificate from elsewhere, the
// dialog is opened when that is there: see auditorCertificate.
func (w World) auditorStart() steps.Step {
	const id = startStep
	return steps.Step{
		ID: id, Title: "Start in Auditor", Article: "Initial Setup, 1-5",
		Why:     "Auditor makes the client certificate that it will sign in with, and waits for the API key",
		Applies: func(a steps.Answers) bool { return roadOf(a) == roadAuditor },
		Plan: func(s *steps.Scene) ([]plan.Action, error) {
			return w.byHand(s, id, "Auditor dialog", "Privilege Secure", nil, seenAuditor)
		},
		Verify: nps.ByWord(id, func(*steps.Scene) plan.Value { return nil }, seenAuditor),
	}
}

const importStep = "auditor-certificate"

// auditorCertificate is A0 where the certificate does not come from Auditor: it has to lie in its server's store first.
func (w World) auditorCertificate() steps.Step {
	return steps.Step{
		ID: importStep, Title: "Certificate in Auditor", Article: "Initial Setup, 1-5",
		Why:     "Auditor signs in with the certificate from its server's store, and waits for the API key",
		Applies: func(a steps.Answers) bool { return roadOf(a) != roadAuditor },
		Plan: func(s *steps.Scene) ([]plan.Action, error) {
			return w.byHand(s, importStep, "Auditor dialog", "Privilege Secure", leafAbout(s), seenAuditor, planned(s, pfxAction, submitAction)...)
		},
		Verify: nps.ByWord(importStep, leafAbout, seenAuditor),
	}
}

// application is A4: the name under which Auditor signs in.
func (w World) application() steps.Step {
	return steps.Step{
		ID: "application", Title: "Application name", Article: "Initial Setup, 4",
		Why: "Auditor and NPS know each other by this name",
		Fields: []steps.Field{{
			Key: keyApplication, Kind: steps.Text, Prompt: "Application name", Default: "NetwrixAuditor",
			Help: "The same name as in Auditor's dialog. No blanks: with Microsoft Entra ID they lead to failures.", Example: "NetwrixAuditor", Check: checkApplication,
		}},
	}
}

func checkApplication(name string) error {
	if strings.IndexFunc(name, unicode.IsSpace) >= 0 {
		return problem.New("an application name must not hold a blank: with Microsoft Entra ID it leads to failures; take NetwrixAuditor").Coded(problem.ApplicationNameBlank)
	}
	return nil
}

// policyKind is A10.
func (w World) policyKind() steps.Step {
	return steps.Step{
		ID: "policy-kind", Title: "Kind of policy", Article: "Setting Up the Resource-based Policy",
		Why: "a resource-based policy makes an account for each collection; a credential-based one lends an existing account",
		Fields: []steps.Field{
			{
				Key: keyKind, Kind: steps.Choice, Prompt: "Kind of access policy", Default: "resource",
				Choices: []steps.Option{
					{Value: kindResourceBased, Title: "resource-based", Help: "an account is made for each session and removed after it"},
					{Value: kindCredential, Title: "credential-based", Help: "an existing account is lent; NPS changes its password"},
					{Value: kindBoth, Title: "both", Help: "each item of the monitoring plan takes one of them"},
				},
				Help: "With several domain controllers, credential-based avoids a known failure of Auditor: a new account that has not reached the one it asks.", Example: "resource",
			},
			{Key: keySource, Kind: steps.Choice, Prompt: "Data source of that plan", Default: sourceAD, Choices: sources6(), Example: sourceAD, Help: "Auditor takes accounts of NPS for these."},
			{Key: keyLongest, Kind: steps.Number, Prompt: "Longest collection, in minutes", Optional: true, Example: "45", Help: "A session ends with Max Duration of the connection profile, also in the midst of a collection (events 5801 and 5802). Empty: not known."},
		},
	}
}

// risks are what a person has to accept by name.
func risks() []steps.Risk {
	return []steps.Risk{domainAdmins(), riskRotate()}
}

// The kinds of policy that a set-up takes.
const (
	kindResourceBased = "resource"
	kindCredential    = "credential"
	kindBoth          = "both"
)

func domainAdmins() steps.Risk {
	return steps.Risk{
		Name: RiskDomainAdmins, Key: keyGroup,
		Text: "each session's account becomes a member of Domain Admins while it runs; most data sources need far less (see Auditor's permissions page), and another group can be named",
		When: func(a steps.Answers) bool { return byResource(a) && nps.Same(a.Text(keyGroup), "Domain Admins") },
	}
}

// RiskDomainAdmins is the name of the risk that goes with the article's own group.
const RiskDomainAdmins = "domain-admins"
