package tui

import (
	"context"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps/secret"
)

// printing shows one value plainly, outside the screen, on one line that a mouse can select.
type printing struct {
	label  string
	value  secret.Secret
	secret bool
	ctx    context.Context
	in     io.Reader
	out    io.Writer
}

// SetStdin, SetStdout, SetStderr and Run implement tea.ExecCommand.
func (p *printing) SetStdin(r io.Reader)  { p.in = r }
func (p *printing) SetStdout(w io.Writer) { p.out = w }
func (p *printing) SetStderr(io.Writer)   {}
func (p *printing) Run() error {
	if _, err := fmt.Fprintf(p.out, "\n%s:\n", p.label); err != nil {
		return err
	}
	if err := secret.HandOver(p.value, secret.ToWriter(p.out)); err != nil {
		return err
	}
	if p.secret {
		if _, err := fmt.Fprintln(p.out, "\nit stands in this terminal's scrollback from now on: clear that when you have it"); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprint(p.out, "\nenter goes back "); err != nil {
		return err
	}
	enter := make(chan struct{})
	go func() {
		defer close(enter)
		one := make([]byte, 1)
		for {
			n, err := p.in.Read(one)
			if err != nil || n == 1 && (one[0] == '\n' || one[0] == '\r') {
				return
			}
		}
	}()
	select {
	case <-enter:
	case <-p.ctx.Done(): // the program is told to end
	}
	return nil
}

var _ tea.ExecCommand = (*printing)(nil)
