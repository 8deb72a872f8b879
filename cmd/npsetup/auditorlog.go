package main

import (
	"context"
	"errors"

	"npsetup/client/auditorlog"
	"npsetup/steps/auditor"
)

// auditorEvents reads Auditor's event log: an exported file, or without a path that of this machine.
func (a *app) auditorEvents(ctx context.Context, path string) (auditor.EventLog, error) {
	log := auditor.EventLog{From: path}
	var events []auditorlog.Event
	var err error
	if path != "" {
		events, err = auditorlog.ReadFile(path)
	} else {
		log.From = "the event log " + auditorlog.Channel + " of this machine"
		events, err = auditorlog.Here(ctx, a.windows)
	}
	if errors.Is(err, auditorlog.ErrNone) {
		return log, auditor.ErrNoEventLog
	}
	for _, e := range events {
		log.Events = append(log.Events, auditor.Event{ID: e.ID, At: e.At, Text: e.Text})
	}
	return log, err
}
