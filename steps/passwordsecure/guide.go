// Package passwordsecure is the guide that makes Netwrix Password Secure a vault of NPS ("bring your own vault"): one file per step,
// one slice that reads beside the article. It neither draws nor sends, and of Password Secure it knows only what World tells it.
package passwordsecure

import (
	"context"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

// MinVersion is the oldest NPS version that has a connector template for Password Secure.
const MinVersion = "25.12"

// World is what this guide needs beyond the shared steps.
type World struct {
	nps.World
	// CheckURL checks the spelling of Password Secure's address.
	CheckURL func(text string) error
	// Probe looks at the forms that the address can mean, trusting as passwordSecure.trust says. Nothing secret is sent. The error is
	// one that must stop the run, such as a certificate that is not the pinned one.
	Probe func(ctx context.Context, a steps.Answers) (Sighting, error)
	// ReadKey fetches the API key of the answers and reads it offline. The error repeats nothing of it.
	ReadKey func(ctx context.Context, a steps.Answers) (Key, error)
	// Ask asks Password Secure at a form's URL whether it takes the key: the first request of a sign-in, once. It sends nothing in a dry
	// run, nor to a server that is not trusted, and says so.
	Ask func(ctx context.Context, a steps.Answers, url string) (Asked, error)
}

// Sighting is what the look at Password Secure came to. It holds for this machine: NPS may see another DNS, proxy, firewall or store of
// trusted roots.
type Sighting struct {
	URL         string   // of the API as the connector takes it, with a slash at its end: the form that answers, or the likeliest
	Direct      bool     // it is the server's own port, and not below the Web Application
	Notes       []string // what was completed
	Answers     bool     // the API seems to be there
	Trouble     error    // why it does not answer, a problem; nil when it does
	Certificate *Certificate
}

// Certificate is what Password Secure presents.
type Certificate struct {
	Subject, Issuer, SHA256 string
	Names                   []string
	NotBefore, NotAfter     time.Time
	Trusted                 bool   // by a machine with usual authorities: NPS needs no Skip Certificate Check
	Reason                  string // why not
	Import                  string // what has to lie in which store of NPS, and how it gets there
	Notes                   []string
}

// Key is an API key of Password Secure as it tells of itself.
type Key struct {
	Database, User string    // empty: it does not tell
	Expires        time.Time // UTC; zero: it does not tell
	Fingerprint    string    // tells one key from another and gives nothing of it away
	Notes          []string
	Secret         secret.Secret
}

// Asked is what Password Secure said of the key.
type Asked struct {
	Answer Answer
	Text   string // in words, for every answer
}

// Answer is what Password Secure makes of a key.
type Answer int

// The answers. Unknown says nothing against the key.
const (
	Unknown Answer = iota
	Taken
	Refused
)

// Guide is the guide "Bring your own vault (BYOV) for Password Secure".
func Guide(w World) steps.Guide {
	g := steps.Guide{
		ID: "password-secure", Title: "Privilege Secure takes credentials from Password Secure",
		Steps: []steps.Step{
			w.vaultServer(),
			w.vaultKey(),
			w.vaultEntry(),
			w.server(),
			w.trust(),
			w.signIn(),
			w.serviceAccount(),
			w.connector(),
			w.activity(),
			w.policy(),
			w.verify(),
		},
		Risks: risks(), Identity: keyConnector, Proof: verifyStep, Listed: keyActivity, Cause: SessionCause, Doubt: SessionDoubt, Unopened: unopened, Awaited: "a session of the activity",
		Import: importer(), Ports: ports,
	}
	for i, s := range g.Steps {
		if w.Texts.FS != nil && w.Texts.Has(s.ID) {
			g.Steps[i].Paragraph = func(a steps.Answers, known steps.Facts) []string {
				return w.Texts.Paragraph(s.ID, "", values(known.Scene(a)))
			}
		}
	}
	return g
}

// Keys of the answers of this guide.
const (
	keyURL         = "passwordSecure.url"
	keyTrust       = "passwordSecure.trust"
	keyVersion     = "passwordSecure.version"
	keyAPIKey      = "passwordSecure.apiKey"
	keyAsk         = "passwordSecure.checkKey"
	keyDomain      = "passwordSecure.entry.domain"
	keyUser        = "passwordSecure.entry.user"
	keyExisting    = "passwordSecure.entry.existing"
	keyAccount     = "serviceAccount.name"
	keyUsername    = "serviceAccount.username"
	keyConnector   = "connector.name"
	keyDescription = "connector.description"
	keySkip        = "connector.skipCertificateCheck"
	keyActivity    = "activity.name"
	keyActivityIs  = "activity.description"
	keyPlatform    = "activity.platform"
	keyTemplate    = "activity.loginAccountTemplate"
	keyPolicy      = "accessPolicy.name"
	keyProfile     = "accessPolicy.connectionProfile"
	keyUsers       = "accessPolicy.users"
	keyResources   = "accessPolicy.resources"
)

// RiskTLS is the name of the risk that goes with the article's own tick at Skip Certificate Check.
const RiskTLS = "vault-tls"

// risks are what a person has to accept by name.
func risks() []steps.Risk {
	return []steps.Risk{{
		Name: RiskTLS, Key: keySkip,
		Text: "NPS does not check whom it gives the API key to: anyone in between can read the key, and with it every password that the key may read; a certificate that NPS trusts makes it needless",
		When: func(a steps.Answers) bool { return a.Switch(keySkip) },
	}}
}

// The shared steps say what this guide needs them for.

func (w World) server() steps.Step {
	s := nps.Server(w.World)
	s.Article, s.Why = "implied", "everything from here on is set up on this NPS server"
	s.Fields[0].Help = "The address of its web interface. Take the name that stands in the server's certificate."
	return s
}

func (w World) trust() steps.Step {
	s := nps.Trust(w.World)
	s.Article = "implied"
	return s
}

func (w World) signIn() steps.Step {
	s := nps.SignIn(w.World, MinVersion)
	s.Article = "Add a Service Account, 1"
	return s
}

// page is the manual page of a step, filled in.
func (w World) page(s *steps.Scene, step string) (*plan.Manual, error) {
	m, err := w.Texts.Manual(step, s.Version, values(s))
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// login is the account that NPS asks Password Secure for: DOMAIN\user.
func login(a steps.Answers) string { return a.Text(keyDomain) + `\` + a.Text(keyUser) }

// values are the values that manual pages carry over, by placeholder.
func values(s *steps.Scene) map[string]string {
	a := s.Answers
	sight, _ := steps.Get(s, sightingKey)
	skip := "off"
	if a.Switch(keySkip) {
		skip = "ticked"
	}
	return map[string]string{
		"vault": a.Text(keyURL), "api": sight.URL, "keyName": "NPS Integration", "entryDomain": a.Text(keyDomain), "entryUser": a.Text(keyUser),
		"serviceAccount": a.Text(keyAccount), "accountUser": a.Text(keyUsername), "connector": a.Text(keyConnector), "skip": skip,
		"activity": a.Text(keyActivity), "platform": a.Text(keyPlatform), "template": a.Text(keyTemplate), "url": a.Text("nps.url"),
		"policy": a.Text(keyPolicy), "profile": a.Text(keyProfile), "user": joined(a.List(keyUsers)), "resource": joined(a.List(keyResources)),
		"dll": dllFolder,
	}
}
