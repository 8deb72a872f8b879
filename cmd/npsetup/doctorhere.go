package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"npsetup/client/machine"
	"npsetup/steps/auditor"
	"npsetup/steps/doctor"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// lookHere looks at this machine: no server is needed.
func (x *examination) lookHere(ctx context.Context) {
	a := x.options.app
	x.facts = a.here.Look()
	here := []doctor.Check{
		doctor.Good("system", x.facts.System+", host "+x.facts.Name),
		doctor.Good("clock", a.now().UTC().Format("2006-01-02 15:04:05")+" UTC; compared with the server's where one is named"),
		product("Netwrix Auditor", x.facts.Auditor), product("NPS", x.facts.NPS),
	}
	if x.person {
		here = append(here, doctor.Good("terminal", "there is one"))
	} else {
		here = append(here, doctor.Check{Name: "terminal", Code: problem.NoTerminal, Text: "there is none: what has to be asked for cannot be asked, and consent comes by --yes or a digest"})
	}
	x.sheet.Add("this machine", here...)
	x.sheet.Add("this machine", x.lookState()...)
	x.sheet.Add("Auditor on this machine", x.lookAuditor(ctx)...)
}

// product says whether a product is installed here.
func product(name string, p machine.Product) doctor.Check {
	switch {
	case !p.Known:
		return doctor.Skipped(name, "whether it is installed here is not known: Windows does not list its services to this user")
	case !p.Here:
		return doctor.Good(name, "not on this machine")
	}
	text := "on this machine"
	if p.Version != "" {
		text += ", version " + p.Version
	}
	var stopped []string
	for _, s := range p.Services {
		if !s.Running {
			stopped = append(stopped, s.Name)
		}
	}
	if len(stopped) > 0 {
		return doctor.Check{Name: name, Outcome: doctor.Fault, Code: problem.ServicesUnhealthy, Text: problem.Plain(text + "; stopped: " + strings.Join(stopped, ", ")), Remedy: []string{"Start-Service " + problem.Plain(strings.Join(stopped, ", "))}}
	}
	return doctor.Good(name, text)
}

// lookState looks at the state folder, and at what earlier runs have left open.
func (x *examination) lookState() []doctor.Check {
	dir, err := x.safeState() // as every command judges it
	if err != nil {
		return doctor.Failures("state folder", err)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []doctor.Check{doctor.Good("state folder", dir+" is not there yet; the first run makes it")}
	case err != nil:
		return doctor.Failures("state folder", problem.New("the state folder "+problem.Plain(dir)+" cannot be used").Coded(problem.StateFolderUnusable).Because(problem.Plain(err.Error())).Try("name another with --state DIR"))
	}
	check := doctor.Good("state folder", dir)
	switch open, readOnly := machine.Folder(dir, info); {
	case readOnly:
		return doctor.Failures("state folder", problem.New("the state folder "+problem.Plain(dir)+" cannot be written in").Coded(problem.StateFolderUnusable).Because("its rights do not allow it").Try("mend them, or name another with --state DIR"))
	case open:
		check = doctor.Doubt("state folder", problem.StateFolderOpen, fmt.Sprintf("others than its owner may look into %s (%04o)", dir, info.Mode().Perm()), "chmod 700 "+problem.Plain(dir))
	}
	return append([]doctor.Check{check}, x.lookRuns(dir)...)
}

func (x *examination) lookRuns(dir string) []doctor.Check {
	records, err := run.List(dir)
	if err != nil {
		return doctor.Failures("runs", err)
	}
	var checks []doctor.Check
	which := x.options.placed()
	if severalOpen(dir) {
		which += " -f FILE"
	}
	for _, r := range records {
		name := r.Guide + " for " + r.Application + " on " + r.Server
		switch since := ", begun " + r.Started.UTC().Format("2006-01-02 15:04") + " UTC"; {
		case r.Open && r.Undoing:
			checks = append(checks, doctor.Doubt("runs", problem.RunOpen, name+since+", is being taken back", "npsetup undo"+which+" goes on taking it back", "npsetup apply -f FILE sets it up again"))
		case r.Open && !r.Complete:
			checks = append(checks, doctor.Doubt("runs", problem.RunOpen, name+" is open"+since, "npsetup resume"+which+" goes on with it"))
		}
		store, err := run.Open(dir, run.ID{Server: r.Server, Guide: r.Guide, Application: r.Application}, x.options.app.now)
		if err != nil {
			checks = append(checks, doctor.Failures("runs", err)...)
			continue
		}
		for _, s := range store.OpenSessions() {
			checks = append(checks, doctor.Doubt("sessions", problem.SessionLeftOpen, "the session "+s.Marker+" of "+name+" may still be open", "npsetup verify"+which+" ends it"))
		}
		_ = store.Close()
	}
	if len(checks) == 0 {
		return []doctor.Check{doctor.Good("runs", "none is unfinished")}
	}
	return checks
}

// lookAuditor tells what only Auditor's own server can: how long it waits, and what its health log holds.
func (x *examination) lookAuditor(ctx context.Context) []doctor.Check {
	w := x.facts.Wait
	if w == nil {
		return nil
	}
	var checks []doctor.Check
	switch about := "Auditor waits %d s for a session (MaxWaitForActiveStatusS); an update or repair of Auditor sets it to 300 again"; {
	case w.Err != nil:
		checks = append(checks, doctor.Skipped("waiting time", "MaxWaitForActiveStatusS cannot be read in "+w.Path+": "+w.Err.Error()))
	case w.Seconds < 300:
		checks = append(checks, doctor.Doubt("waiting time", problem.WaitSettingReset, fmt.Sprintf(about, w.Seconds)+"; it is less than the default", "set it to 300 or more and restart NwCfgServerSvc"))
	default:
		checks = append(checks, doctor.Check{Name: "waiting time", Code: problem.WaitSettingReset, Text: fmt.Sprintf(about, w.Seconds)})
	}
	log, err := x.options.app.auditorEvents(ctx, "")
	if err != nil {
		return append(checks, doctor.Skipped("health log", "the event log \"Netwrix Auditor\" cannot be read: "+err.Error()))
	}
	return append(checks, healthLog(log.Events)...)
}

// newestEvents is how many events of Auditor are judged: what was mended long ago is no finding.
const newestEvents = 20

// healthLog tells the newest event of each cause.
func healthLog(events []auditor.Event) []doctor.Check {
	seen := map[problem.Code]int{}
	var order []doctor.Check
	for i := len(events) - 1; i >= max(0, len(events)-newestEvents); i-- {
		c := ofEvent(events[i])
		if seen[c.Code]++; seen[c.Code] == 1 {
			order = append(order, c)
		}
	}
	if len(order) == 0 {
		return []doctor.Check{doctor.Good("health log", "no event about sessions of NPS")}
	}
	for i, c := range order {
		if n := seen[c.Code]; n > 1 {
			order[i].Text += fmt.Sprintf(" (%d of the newest events say so)", n)
		}
	}
	return order
}

// ofEvent is an event of Auditor's log as a check.
func ofEvent(e auditor.Event) doctor.Check {
	text := strings.Join(strings.Fields(problem.Plain(e.Text)), " ")
	if long := []rune(text); len(long) > 600 {
		text = string(long[:600]) + "…"
	}
	when := e.At.UTC().Format("2006-01-02 15:04")
	return doctor.Check{Name: "health log", Outcome: doctor.Fault, Code: auditor.Cause(e).Named(), Text: fmt.Sprintf("event %d of %s UTC: %s", e.ID, when, text)}
}
