package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"npsetup/client/sandbox"
	"npsetup/steps/problem"
)

// riskExposed is the risk of a sandbox that other machines can reach.
const riskExposed = "sandbox-exposed"

func newSandbox(shared *options) *cobra.Command {
	var o sandbox.Options
	var accept []string
	c := &cobra.Command{
		Use: "sandbox", Short: "Run stand-ins for NPS and Password Secure on this machine, to try npsetup on", Args: cobra.NoArgs,
		Long: "sandbox runs until it is interrupted. With --dir it writes answers, an environment file and certificates that fit it. It prints one JSON line with its addresses.\n\nFaults, for --fault:\n" + faultList(),
		RunE: func(c *cobra.Command, _ []string) error {
			for _, r := range accept {
				if r != riskExposed {
					return problem.New("there is no risk " + problem.Plain(r)).Try("the sandbox knows " + riskExposed).Of(problem.Usage)
				}
				o.Exposed = true
			}
			o.Now = shared.app.now
			s, err := sandbox.Start(c.Context(), o)
			if err != nil {
				return notStarted(err)
			}
			if err := json.NewEncoder(c.OutOrStdout()).Encode(s.Announcement()); err != nil {
				return err
			}
			<-c.Context().Done()
			return s.Close()
		},
	}
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:0", "`ADDRESS:PORT` of the NPS stand-in; Password Secure gets free ports beside it")
	c.Flags().StringVar(&o.Dir, "dir", "", "write answers, environment and certificates into `DIR`")
	c.Flags().IntVar(&o.Resources, "resources", 0, "`NUMBER` of additional resources and import candidates")
	c.Flags().IntVar(&o.Accounts, "accounts", 0, "`NUMBER` of additional accounts of the domain")
	c.Flags().StringVar(&o.API, "api", "full", "`PART` of the API that is offered: full, observed, documented")
	c.Flags().DurationVar(&o.Latency, "latency", 0, "wait before each answer")
	c.Flags().DurationVar(&o.TokenLife, "token-life", 15*time.Minute, "how long a token lives")
	c.Flags().StringArrayVar(&o.Faults, "fault", nil, "misbehave: `NAME`, or NAME@n for the n-th chance only; the names are above")
	c.Flags().StringSliceVar(&accept, "accept-risk", nil, "accept the risk `NAME`")
	return c
}

// faultList is one line for each fault.
func faultList() string {
	var b strings.Builder
	for _, f := range sandbox.Faults() {
		fmt.Fprintf(&b, "  %-20s%s\n", f.Name, f.What)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func notStarted(err error) error {
	p := problem.New("the sandbox does not start").Because(problem.Plain(err.Error())).Of(problem.Usage)
	if errors.Is(err, sandbox.ErrExposed) {
		return p.Try("listen on 127.0.0.1, or accept it with --accept-risk " + riskExposed)
	}
	return p.Try("npsetup sandbox --help lists the values")
}
