package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"npsetup/client/trust"
	"npsetup/steps/problem"
	"npsetup/tui/face"
)

func newTrustPin(shared *options) *cobra.Command {
	c := &cobra.Command{
		Use: "pin URL", Short: "Remember a server's certificate, after it was compared",
		Long: "pin shows the certificate and remembers it in the state folder, so that npsetup knows the server and tells when its certificate changes.\n" +
			"It prints the line for the answers that lets npsetup speak to exactly that certificate. A certificate other than the one remembered is taken only after a yes, or with its --sha256.",
	}
	c, o := trustCommand(shared, c, "URL", runTrustPin)
	o.sha256Flag("the server's certificate")
	c.Flags().BoolVar(&o.yes, "yes", false, "remember a server that was not seen before without asking")
	return c
}

func runTrustPin(ctx context.Context, o *trustOptions, address string) error {
	want, err := o.sha()
	if err != nil {
		return err
	}
	if !o.app.terminal && !o.yes && want == "" {
		return problem.New("nobody compared the certificate").Because("there is no terminal to ask on, and neither --sha256 nor --yes was given").
			Try("npsetup trust show URL shows it; compare its SHA-256 on the server itself, then add --sha256 HEX").Of(problem.Usage)
	}
	p, err := o.probe(ctx, address)
	if err != nil {
		return err
	}
	s, err := o.seen(p)
	if err != nil {
		return err
	}
	if err := writePresented(o.c.ErrOrStderr(), p, s); err != nil {
		return err
	}
	if err := o.mayPin(ctx, p, s, want); err != nil {
		return err
	}
	if err := s.list.Remember(p.Host, p.Port, p.Chain[0], o.app.now()); err != nil {
		return err
	}
	if err := s.list.Save(); err != nil {
		return err
	}
	done := map[trust.Sight]string{trust.New: "remembered", trust.Same: "remembered already", trust.Changed: "remembered in place of the former one"}[s.sight]
	if o.format == "json" {
		d := shownServer(p, s)
		d.Outcome = done
		o.talkf("\nthe certificate of %s:%s is %s\n", problem.Plain(p.Host), p.Port, done)
		return asJSON(o.c.OutOrStdout(), d)
	}
	o.talkf("\nthe certificate of %s:%s is %s; for the answers, below nps:\n", problem.Plain(p.Host), p.Port, done)
	_, err = fmt.Fprintln(o.c.OutOrStdout(), answerLine(p))
	return err
}

// mayPin makes sure that somebody meant exactly this certificate.
func (o *trustOptions) mayPin(ctx context.Context, p trust.Presented, s sighting, want string) error {
	leaf := p.Chain[0]
	if err := isSHA(want, leaf); err != nil {
		return err
	}
	if p.Has(trust.Expired) || p.Has(trust.NotYetValid) {
		return problem.New("the certificate of "+problem.Plain(p.Host)+" is outside its dates").Because(p.Reason+"; such a one is not accepted, pinned or not").
			Try("renew it on the server", "check this machine's clock and date")
	}
	question := "Remember this certificate?"
	switch {
	case s.sight == trust.Same, want != "", s.sight == trust.New && o.yes:
		return nil
	case s.sight == trust.Changed && (o.yes || !o.app.terminal):
		return problem.New("the certificate of "+problem.Plain(p.Host)+" is another one than before").
			Because("--yes does not tell which one is meant: before it was "+s.before.SHA256+", now it is "+leaf.SHA256).
			Try("compare the SHA-256 on the server itself, then name it: --sha256 HEX", "if nobody changed the certificate, have the network between here and the server looked at").Of(problem.Usage)
	case s.sight == trust.Changed:
		question = "Take the certificate of now in place of the one of then?"
	}
	ok, err := o.app.confirm(ctx, o.c.ErrOrStderr(), question, "", "Compare on the server itself, not over this connection:",
		"  SHA-256 "+face.Grouped(leaf.SHA256)+"  (certutil -hashfile FILE SHA256)", "  SHA-1   "+face.Grouped(leaf.SHA1)+"  (Thumbprint in Windows' certificate dialog)")
	if err == nil && !ok {
		err = problem.New("stopped: nothing was remembered").Of(problem.Cancelled)
	}
	return err
}
