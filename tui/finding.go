package tui

import (
	"npsetup/steps"
	"npsetup/steps/problem"
	"npsetup/tui/face"
)

// earlier gives the certificates that earlier steps saw, for a step that asks by what one is trusted.
func (m *model) earlier(s steps.Step) []steps.Finding {
	asks := false
	for _, f := range s.Fields {
		asks = asks || f.Kind == steps.Fingerprint
	}
	if !asks {
		return nil
	}
	var list []steps.Finding
	for _, before := range m.m.Guide().Applying(m.m.Answers()) {
		if before.ID == s.ID {
			break
		}
		for _, f := range m.seen[before.ID].Findings {
			if f.Kind == steps.CertificateFinding {
				list = append(list, f)
			}
		}
	}
	return list
}

// drawFinding says in words how what was found compares with what is wanted.
func drawFinding(m *model, b *block, width int, f steps.Finding) {
	b.add(width, "")
	style := m.st.faint
	switch f.State {
	case steps.Fits:
		style = m.st.good
	case steps.Differing, steps.Doubtful:
		style = m.st.doubt
	case steps.Missing, steps.Info:
	}
	b.styled(width, style, problem.Plain(f.Title)+": "+f.State.String())
	if f.Text != "" {
		b.add(width, "  "+problem.Plain(f.Words()))
	}
	for _, r := range f.Rows {
		line := "  " + problem.Plain(r.Label) + ": " + face.Grouped(problem.Plain(r.Value))
		if r.Wanted != "" && r.Wanted != r.Value {
			line += " (wanted: " + problem.Plain(r.Wanted) + ")"
		}
		b.add(width, line)
	}
	for _, i := range f.Items {
		b.add(width, "  - "+problem.Plain(i))
	}
}
