package tui

import (
	"context"
	"maps"
	"strings"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// arrive looks by itself where nothing secret is sent by it and the steps before have looked. Where a fingerprint is asked,
// the step that shows the certificate looks.
func (p *stepPage) arrive(m *model) tea.Cmd {
	before, all := m.lookedBefore(p.step.ID)
	for _, f := range p.step.Fields {
		switch f.Kind {
		case steps.SecretField, steps.Code:
			return nil
		case steps.Fingerprint:
			if all || len(m.earlier(p.step)) > 0 {
				return nil
			}
			return p.lookAt(m, before, false)
		case steps.Text, steps.Number, steps.Switch, steps.Choice, steps.Multi, steps.FileField, steps.Consent:
		}
	}
	if p.step.Look == nil || len(m.m.Faults(p.step)) > 0 || !all {
		return nil
	}
	return p.look(m, false)
}

func (p *stepPage) look(m *model, next bool) tea.Cmd {
	if strings.HasPrefix(m.said, "! ") {
		m.said = "" // it is looked at again
	}
	return p.lookAt(m, p.step.ID, next)
}

func (p *stepPage) lookAt(m *model, step string, next bool) tea.Cmd {
	machine := m.m
	p.looking = true
	return m.do("looking", func(ctx context.Context) tea.Msg {
		return seenMsg{step, machine.Drafts(), m.o.Work.Look(ctx, machine, step), next}
	})
}

func (p *stepPage) landed(m *model, msg seenMsg) tea.Cmd {
	next := msg.next || p.then
	p.looking, p.then = false, false
	if !maps.Equal(msg.drafts, m.m.Drafts()) {
		if next {
			m.say("an answer changed while it was looked at: enter looks again")
		}
		return nil
	}
	m.seen[msg.step] = msg.seen
	p.article(m)
	if msg.step != p.step.ID {
		return nil
	}
	p.seen = &msg.seen
	if msg.seen.Err != nil {
		p.anyway = true
		m.say("! " + problem.Plain(problem.All(msg.seen.Err)[0].What))
		return nil
	}
	if next {
		cmd := p.goOn(m)
		for _, w := range msg.seen.Warnings {
			m.say("warning: " + problem.Plain(w.String())) // the page that shows it is left
		}
		return cmd
	}
	return nil
}
