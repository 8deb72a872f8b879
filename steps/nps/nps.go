// Package nps holds the steps that every guide begins with: the NPS server, trust in its certificate, and the sign-in. It
// opens no connection: what it needs of the network it declares here, and the command line hands it in.
package nps

import (
	"context"
	"encoding/json"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
)

// Reader reads from NPS. List pages through a list of either shape and hands over row by row until each answers false.
type Reader interface {
	Read(ctx context.Context, c plan.Call) (plan.Answer, error)
	List(ctx context.Context, c plan.Call, each func(row json.RawMessage) (more bool, err error)) error
}

// Connection is a way to one NPS server with its trust decided and nobody signed in yet.
type Connection interface {
	// Greet finds out whether NPS answers there, without a token.
	Greet(ctx context.Context) (Greeting, error)
	// SignIn signs in with the answers' credentials. Signed in with the same ones already, it answers at once.
	SignIn(ctx context.Context, a steps.Answers) (Identity, error)
	Reader() Reader
}

// World is what the shared steps need of the world.
type World struct {
	// Probe shows what the server presents, whether or not it verifies.
	Probe func(ctx context.Context, url string) (Presented, error)
	// Connect makes a connection that trusts as told: system, ca:FILE or pin:sha256:HEX.
	Connect func(ctx context.Context, a steps.Answers) (Connection, error)
	// CheckTrust checks the spelling of a trust answer.
	CheckTrust func(text string) error
	Texts      Texts
	Now        func() time.Time
}

// Presented is what a server shows during the TLS handshake.
type Presented struct {
	Host, Port string
	Chain      []Certificate // leaf first
	Verified   bool          // by the operating system's roots
	Reason     string        // why it does not verify
	Expired    bool          // the leaf is past its end
	Misnamed   bool          // the host is not among its names
	Took       time.Duration
	Note       string
}

// Certificate is one certificate in words.
type Certificate struct {
	Subject, Issuer, SHA256, SHA1, Key string
	Names                              []string
	NotBefore, NotAfter                time.Time
	SelfSigned                         bool
}

// Greeting is how NPS answered without a token.
type Greeting struct {
	Health string        // body of Health, usually "Healthy"; empty when a token is asked for
	Skew   time.Duration // this machine's clock minus the server's
}

// Identity is who signed in, and on what.
type Identity struct {
	User           string
	Roles          []string
	Admin          bool
	Version        string // empty: the server does not tell it
	LicenceExpired bool
	LicenceText    string
}

// Facts that the shared steps leave for later ones.
var (
	// ReaderKey holds the signed-in Reader.
	ReaderKey = steps.Key[Reader]{Name: "nps.reader"}
	// ConnectionKey holds the connection between the trust and the sign-in step.
	ConnectionKey = steps.Key[Connection]{Name: "nps.connection"}
	// PresentedKey holds what the server presented.
	PresentedKey = steps.Key[Presented]{Name: "nps.presented"}
	// IdentityKey holds who signed in.
	IdentityKey = steps.Key[Identity]{Name: "nps.identity"}
)
