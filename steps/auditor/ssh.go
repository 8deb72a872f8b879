package auditor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Keys of the answers about the SSH server of the NPS server.
const (
	keySSH         = "nps.ssh.address"
	keySSHUser     = "nps.ssh.user"
	keySSHHostKey  = "nps.ssh.hostKey"
	keySSHKey      = "nps.ssh.key"
	keySSHPassword = "nps.ssh.password"
)

// SSH is the NPS server's own SSH server, where there is one.
type SSH struct {
	// HostKeys reads the keys that a server presents. Nobody signs in.
	HostKeys func(ctx context.Context, address string) ([]HostKey, error)
	// CheckHostKey says whether a text is spelled as a host key's fingerprint.
	CheckHostKey func(text string) error
	// Trusted signs in and says whether the certificate is in the store of r.
	Trusted func(ctx context.Context, a steps.Answers, r plan.Remote) (bool, error)
	// Does and Undoes list what putting a certificate in and taking it out come to there.
	Does, Undoes func(thumbprint string) []string
}

// HostKey is a key of an SSH server: SHA256 as ssh-keygen -l prints it.
type HostKey struct{ Kind, SHA256 string }

// trustedKey says whether the certificate lies in Trusted Root, as it was read over SSH.
var trustedKey = steps.Key[bool]{Name: "auditor.trusted"}

func overSSH(a steps.Answers) bool { return a.Has(keySSH) }

// compareHostKey is how a person sees a host key on the server itself.
const compareHostKey = `on the NPS server: ssh-keygen -lf C:\ProgramData\ssh\ssh_host_ed25519_key.pub`

func (w World) sshFields() []steps.Field {
	byPassword := func(a steps.Answers) bool { return overSSH(a) && !a.Has(keySSHKey) }
	return []steps.Field{
		{
			Key: keySSH, Kind: steps.Text, Prompt: "NPS server's SSH address", Optional: true, Check: checkSSHAddress, Complete: completeSSHAddress,
			Help: "Only when an OpenSSH server runs on the NPS server: then the certificate is brought there by npsetup. Empty: by hand, with the clicks below.", Example: "nps.contoso.com:22",
		},
		{
			Key: keySSHUser, Kind: steps.Text, Prompt: "Administrator of that server", When: overSSH, Example: `contoso\svradmin`,
			Help: "The user to sign in as, over SSH. Trusted Root of the machine takes an administrator.",
		},
		{
			Key: keySSHHostKey, Kind: steps.Text, Prompt: "Its host key", When: overSSH, Check: w.SSH.CheckHostKey, LiveChoices: w.hostKeyChoices,
			Help: "The fingerprint of the SSH server's key, compared " + compareHostKey + ". No server with another key is spoken to.", Example: "SHA256:…",
			Source: compareHostKey + " prints it; ssh-keyscan HOST | ssh-keygen -lf - shows from here what the server presents, to be compared with that",
		},
		{
			Key: keySSHKey, Kind: steps.FileField, Prompt: "SSH key", Optional: true, When: overSSH, Check: checkFileAnswer, Complete: completeFile,
			Help: "A private key without a passphrase, mode 0600. Empty: the password is used. Agents are not asked.", Example: "file:/home/admin/.ssh/nps",
		},
		{
			Key: keySSHPassword, Kind: steps.SecretField, Prompt: "Password of that user", When: byPassword, Help: "Where it comes from; it goes to that SSH server only.", Example: "env:NPS_SSH_PASSWORD",
		},
	}
}

func completeSSHAddress(text string) (string, string) {
	v := strings.TrimSpace(text)
	if v == "" {
		return v, ""
	}
	if _, _, err := net.SplitHostPort(v); err == nil || strings.ContainsAny(v, " /@") {
		return v, ""
	}
	full := net.JoinHostPort(strings.Trim(v, "[]"), "22")
	return full, "completed to " + full
}

func checkSSHAddress(v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil || host == "" || port == "" || strings.ContainsAny(host, " /@\\") {
		return errors.New("not of the form host:port")
	}
	return nil
}

// hostKeyChoices offers what the server presents.
func (w World) hostKeyChoices(ctx context.Context, s *steps.Scene, _ string) ([]steps.Option, error) {
	keys, err := w.SSH.HostKeys(ctx, s.Answers.Text(keySSH))
	if err != nil {
		return nil, err
	}
	var options []steps.Option
	for _, k := range keys {
		options = append(options, steps.Option{Value: k.SHA256, Title: k.Kind + ", once it was compared on the server"})
	}
	return options, nil
}

// lookSSH shows the host key, and reads whether the certificate is there already.
func (w World) lookSSH(ctx context.Context, s *steps.Scene) error {
	if !overSSH(s.Answers) {
		return nil
	}
	address, agreed := s.Answers.Text(keySSH), s.Answers.Text(keySSHHostKey)
	keys, err := w.SSH.HostKeys(ctx, address)
	if err != nil {
		return withoutSSH(ctx, s, err)
	}
	var rows []steps.Row
	var shown []string
	for _, k := range keys {
		rows = append(rows, steps.Row{Label: k.Kind, Value: k.SHA256})
		shown = append(shown, k.SHA256)
	}
	s.See(steps.Finding{Kind: steps.ObjectFinding, Title: "SSH server " + problem.Plain(address), State: steps.Fits, Rows: rows})
	if !slices.Contains(shown, agreed) {
		p := problem.New("the SSH server at "+problem.Plain(address)+" has another host key").At(keySSHHostKey).
			Because("agreed was "+problem.Plain(agreed)+", it presents "+strings.Join(shown, ", ")).
			Try("compare it "+compareHostKey, "only when it is the server's own, put it under "+keySSHHostKey)
		return p.Of(problem.Stale)
	}
	s.Send(w.sshSends(s.Answers))
	r, known := w.remote(s)
	if !known {
		return nil
	}
	there, err := w.SSH.Trusted(ctx, s.Answers, r)
	if err != nil {
		return withoutSSH(ctx, s, err)
	}
	steps.Put(s, trustedKey, there)
	s.Observe("trusted", fmt.Sprint(there))
	return nil
}

// unreadKey is why the store on the NPS server was not read over SSH.
var unreadKey = steps.Key[error]{Name: "auditor.unread"}

// withoutSSH lets a proof do without the look over SSH: a session shows as much. A plan cannot.
func withoutSSH(ctx context.Context, s *steps.Scene, err error) error {
	if !s.Memory.Reads || ctx.Err() != nil {
		return err
	}
	steps.Put(s, unreadKey, err)
	return nil
}

func (w World) sshSends(a steps.Answers) string {
	what := "the password of " + problem.Plain(a.Text(keySSHUser)) + " goes"
	if a.Has(keySSHKey) {
		what = "a signature of the SSH key of " + problem.Plain(a.Text(keySSHUser)) + " goes"
	}
	return what + " to the SSH server " + problem.Plain(a.Text(keySSH))
}

// remote is what has to become of the store on the NPS server; false: the certificate is not there yet.
func (w World) remote(s *steps.Scene) (plan.Remote, bool) {
	c, _, _ := toTrust(s)
	if len(c.DER) == 0 {
		return plan.Remote{}, false
	}
	a := s.Answers
	how := "a password"
	if a.Has(keySSHKey) {
		how = "the key " + a.File(keySSHKey)
	}
	return plan.Remote{
		Host: a.Text(keySSH), User: a.Text(keySSHUser), HostKey: a.Text(keySSHHostKey), SignIn: how,
		Store: plan.Store{
			Store: `LocalMachine\Root`, Thumbprint: c.Thumbprint, SHA256: c.SHA256, Subject: problem.Plain(c.Subject), Certificate: c.DER,
			Does: w.SSH.Does(c.Thumbprint), Needs: "an administrator of the NPS server",
		},
	}, true
}

// planSSH brings the certificate there; nothing is left to do when it is there already.
func (w World) planSSH(s *steps.Scene) ([]plan.Action, error) {
	r, known := w.remote(s)
	if !known {
		return nil, nil
	}
	if there, _ := steps.Get(s, trustedKey); there {
		return nil, nil
	}
	back := r
	back.Store.Remove, back.Store.Does = true, w.SSH.Undoes(r.Store.Thumbprint)
	a := plan.Action{
		Key: trustStep, Step: trustStep, Effect: plan.Create, Object: kindTrusted, Name: trustedName(s),
		Why:  "IIS on the NPS server lets in only client certificates that it trusts",
		Ops:  []plan.Op{{ID: "trust", Kind: plan.KindRemote, Class: plan.Change, Repeat: plan.ByName, Remote: &r}},
		Undo: []plan.Op{{ID: "undo", Kind: plan.KindRemote, Class: plan.Change, Repeat: plan.ByName, Remote: &back}},
	}
	return []plan.Action{a}, nil
}
