package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"npsetup/client/auditorlog"
	"npsetup/client/machine"
	"npsetup/client/trust"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// version is stamped by the linker.
var version = "dev"

// app is the world as the commands see it. Tests make their own.
type app struct {
	in       io.Reader
	out      io.Writer // the result
	err      io.Writer // the talk
	env      func(string) (string, bool)
	environ  []string // what the full screen is told of its terminal; nil: the environment of the process
	now      func() time.Time
	terminal bool // in and err are a person's
	screen   bool // out is one too: the full screen can be shown
	password func(ctx context.Context, prompt string) ([]byte, error)
	pdc      func(ctx context.Context, domain string) (string, error)
	wait     func(ctx context.Context, d time.Duration) error // nil: real time
	between  func(ctx context.Context, d time.Duration) error // waits between the tries of a request; nil: real time
	patience time.Duration                                    // of one request to NPS; 0: a minute
	noticed  time.Duration                                    // from when on a wait is told; 0: two seconds
	attended bool                                             // somebody sees what is said of a wait
	making   func(path string, made bool)                     // told of each key and certificate, before and after; nil: nobody is
	records  string                                           // the state folder where none is named; "": that of the user
	rounds   int                                              // of the key derivation of a PFX; 0: as many as pki takes
	home     func() (string, error)
	face     asker                                                                  // a face that asks; nil: line by line on the terminal
	here     machine.Machine                                                        // what doctor looks at; zero: this one
	network  machine.Network                                                        // what doctor tries ports by; zero: the real one
	machine  trust.Machine                                                          // whose store of trusted roots is looked at and changed; zero: this one
	windows  func(ctx context.Context, name string, args ...string) ([]byte, error) // starts a program of Windows; nil: this is none
	scrub    *secret.Scrubber
	abrupt   bool                       // what stops a run also ends a request that has left, as a kill does
	guided   func(advice string) string // how advice reads for the run at hand; nil: there is none
}

// fromProcess is the world of the real program.
func fromProcess() *app {
	a := &app{
		in: os.Stdin, out: onTerminal(os.Stdout, term.IsTerminal(int(os.Stdout.Fd())), os.LookupEnv),
		err: onTerminal(os.Stderr, term.IsTerminal(int(os.Stderr.Fd())), os.LookupEnv), env: os.LookupEnv, now: time.Now, home: os.UserHomeDir, pdc: lookupPDC, windows: auditorlog.Program(),
		terminal: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())), screen: screenOn(os.Stdin, os.Stdout),
	}
	a.password = func(ctx context.Context, prompt string) ([]byte, error) {
		if _, err := io.WriteString(a.err, prompt); err != nil {
			return nil, err
		}
		raw, err := readHidden(ctx, int(os.Stdin.Fd()))
		_, _ = io.WriteString(a.err, "\n")
		return raw, err
	}
	return a
}

// readHidden reads a line that is not shown. Whatever ends the wait, the terminal shows again what is typed.
func readHidden(ctx context.Context, terminal int) ([]byte, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return nil, err
	}
	type line struct {
		raw []byte
		err error
	}
	got := make(chan line, 1)
	go func() {
		raw, err := term.ReadPassword(terminal)
		got <- line{raw, err}
	}()
	select {
	case l := <-got:
		return l.raw, l.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(terminal, before))
	}
}

// lookupPDC asks DNS for the domain controller with the PDC emulator role. It waits two seconds at the most: it is a hint.
func lookupPDC(ctx context.Context, domain string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, records, err := net.DefaultResolver.LookupSRV(ctx, "ldap", "tcp", "pdc._msdcs."+domain)
	if err != nil {
		return "", err
	}
	if len(records) == 0 {
		return "", errors.New("no record")
	}
	target := records[0].Target
	return target[:len(target)-1], nil
}

// start runs one command line and gives the exit code.
func start(args []string, a *app) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal is the system's: it ends the program at once
	return startContext(ctx, args, a)
}

func startContext(ctx context.Context, args []string, a *app) int {
	ctx, end := context.WithCancel(ctx)
	defer end()
	a.scrub, a.attended = &secret.Scrubber{}, a.terminal
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(scrubbing{a.out, a.scrub, &sync.Mutex{}, a})
	root.SetErr(scrubbing{a.err, a.scrub, &sync.Mutex{}, a})
	root.InitDefaultCompletionCmd() // only now: it keeps where it writes to
	root.InitDefaultHelpCmd()
	strict(root)
	taught(root)
	err := root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil {
		err = stoppedAt(root, args, err)
	}
	var code exitError
	if errors.As(err, &code) {
		if ctx.Err() != nil && code == exitFailed {
			return exitCancelled // what failed was not begun
		}
		return int(code)
	}
	if err != nil {
		printProblems(root.ErrOrStderr(), err)
	}
	return exitCode(err)
}

// stoppedAt says what an interruption means for the command that it met.
func stoppedAt(root *cobra.Command, args []string, err error) error {
	why, next := "the run was interrupted; what was sent stands in the journal", "npsetup resume --yes continues it; where no run is open, nothing was sent: run the same command again"
	if c, _, findErr := root.Find(args); findErr == nil && c.HasParent() {
		dry, _ := c.Flags().GetBool("dry-run")
		session, _ := c.Flags().GetBool("session")
		switch name := c.Name(); {
		case c.Parent().Name() == "trust":
			next = "run the same command again: it looks what is there"
		case name == "verify" && session:
			next = "npsetup verify looks again, and ends a session that was left open"
		case (name == "apply" || name == "resume") && !dry:
		case name == "undo" && !dry:
			next = "npsetup undo --yes looks again and goes on taking back"
		case dry || name == "doctor" || name == "validate":
			why, next = "the command was interrupted; it only reads, and changed nothing", "run the same command again"
		default:
			why, next = "the command was interrupted", "run the same command again"
		}
	}
	return problem.New("stopped").Because(why).Try(next).Of(problem.Cancelled).From(err)
}

// scrubbing masks known secrets in everything that is printed: the last line of defence, not the first.
type scrubbing struct {
	w     io.Writer
	scrub *secret.Scrubber
	mu    *sync.Mutex // what is said of a signal comes from beside
	app   *app
}

func (s scrubbing) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.w, s.scrub.Scrub(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

func newRoot(a *app) *cobra.Command {
	o := &options{app: a}
	root := &cobra.Command{
		Use:   "npsetup",
		Short: "Set up Netwrix Privilege Secure for Netwrix Auditor, and Password Secure as its vault",
		Long: `npsetup reproduces the guides "Integrating Netwrix Privilege Secure for Access Management with Netwrix Auditor" and
"Bring your own vault (BYOV) for Password Secure".
It looks first, shows every change before it happens, changes exactly that, and waits for a person where one is needed.

Without a command it opens the wizard: on the full screen, or line by line with --plain, ACCESSIBLE=1 or TERM=dumb.`,
		Version: version, SilenceUsage: true, SilenceErrors: true, Args: cobra.NoArgs,
	}
	var w wizardOptions
	wizard := *o
	root.RunE = func(c *cobra.Command, _ []string) error {
		wizard.app, wizard.state = a, o.state
		return runWizard(c.Context(), c, &wizard, w)
	}
	wizard.answerFlags(root)
	root.Flags().BoolVar(&w.plain, "plain", false, "ask line by line: for screen readers and plain terminals")
	root.Flags().BoolVar(&wizard.dryRun, "dry-run", false, "read only, and end with the plan")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return problem.New(problem.Plain(err.Error())).Because("the usage is: " + c.UseLine()).Try(c.CommandPath() + " --help shows the flags").Of(problem.Usage)
	})
	root.PersistentFlags().StringVar(&o.state, "state", "", "folder for run records and journals (default: the user's state folder)")
	root.AddCommand(
		newPlan(o), newApply(o), newResume(o), newUndo(o), newVerify(o), newValidate(o), newKey(o), newSchema(o), newAssumptions(o), newExplain(o), newDoctor(o), newImport(o), newCert(o), newTrust(o), newSandbox(o), newDemo(o),
	)
	// A command that does not exist is a mistake in usage, like a flag that does not exist.
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return notACommand(args)
		}
		return nil
	}
	return root
}

// strict makes a shell or a command that is not there a mistake in usage, which cobra answers with help.
func strict(root *cobra.Command) {
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.RunE = func(c *cobra.Command, args []string) error {
				if len(args) > 0 {
					return problem.New("there is no completion for the shell " + problem.Plain(args[0])).Try("npsetup completion bash, fish, powershell or zsh").Of(problem.Usage)
				}
				return c.Help()
			}
			c.Args = cobra.ArbitraryArgs
		case "help":
			help := c.Run
			c.Run, c.RunE = nil, func(c *cobra.Command, args []string) error {
				if about, rest, err := root.Find(args); err != nil || about == nil || len(rest) > 0 {
					return notACommand(args)
				}
				help(c, args)
				return nil
			}
		}
	}
}

// taught makes arguments that a command does not take a mistake in usage, for every command below.
func taught(c *cobra.Command) {
	for _, sub := range c.Commands() {
		taught(sub)
	}
	check := c.Args
	if check == nil {
		return
	}
	c.Args = func(c *cobra.Command, args []string) error {
		err := check(c, args)
		var known *problem.Problem
		if err == nil || errors.As(err, &known) {
			return err
		}
		return problem.New(c.CommandPath() + " does not take these arguments: " + problem.Plain(strings.Join(args, " "))).
			Because("the usage is: " + c.UseLine()).Try(c.CommandPath() + " --help shows the flags").Of(problem.Usage)
	}
}

// stateDir is where records live.
func (o *options) stateDir() (string, error) {
	if o.state != "" {
		return filepath.Abs(o.state)
	}
	if o.app.records != "" {
		return o.app.records, nil
	}
	if dir, ok := o.app.env("XDG_STATE_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "npsetup"), nil
	}
	if dir, ok := o.app.env("LOCALAPPDATA"); ok && runtime.GOOS == "windows" {
		return filepath.Join(dir, "npsetup"), nil
	}
	home, err := o.app.home()
	if err != nil {
		return "", problem.New("there is no place for the run record").Because(err.Error()).Try("name a folder with --state DIR").Of(problem.Usage)
	}
	return filepath.Join(home, ".local", "state", "npsetup"), nil
}
