package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"npsetup/steps"
)

// block is what a page draws: lines that may be too many for the window, and what of them must stay in view.
type block struct {
	lines  []string
	top    int // first line that must be visible; -1: none
	bottom int // last one
	cursor *tea.Cursor
}

func newBlock() *block { return &block{top: -1, bottom: -1} }

// add wraps text to the width and adds it, continued lines under the first.
func (b *block) add(width int, text string) {
	for _, line := range strings.Split(text, "\n") {
		b.lines = append(b.lines, wrap(line, width)...)
	}
}

// styled is add with one look for all of it.
func (b *block) styled(width int, style lipgloss.Style, text string) {
	for _, line := range strings.Split(text, "\n") {
		for _, part := range wrap(line, width) {
			b.lines = append(b.lines, style.Render(part))
		}
	}
}

// wrap breaks a line at blanks, and inside words that are too long. Continued lines keep the indent.
func wrap(line string, width int) []string {
	if ansi.StringWidth(line) <= width {
		return []string{line}
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	if indent > width/2 {
		indent = 0
	}
	pad := strings.Repeat(" ", indent)
	parts := strings.Split(ansi.Wrap(strings.TrimLeft(line, " "), max(width-indent, 1), ""), "\n")
	for i := range parts {
		parts[i] = pad + parts[i]
	}
	return parts
}

// focus marks the lines from a to the last one as the ones that must be visible.
func (b *block) focus(from int) { b.top, b.bottom = from, len(b.lines)-1 }

// hint is one key of the footer.
type hint struct{ key, does string }

// moreKeys stands for the keys that a line has no room for. f1 shows them all, on every page.
const moreKeys = "f1 more"

// footer shows as many keys as fit, in their order, the first one in any case, and says when there are more.
func footer(hints []hint, width int) string {
	const between = " · "
	all := make([]string, len(hints))
	for i, h := range hints {
		all[i] = h.key + " " + h.does
	}
	whole := strings.Join(all, between)
	if len(all) == 0 || ansi.StringWidth(whole) <= width {
		return whole
	}
	line := all[0]
	room := width - ansi.StringWidth(between+moreKeys)
	for i, part := range all[1:] {
		if hints[i+1].key == "f1" {
			continue
		}
		if ansi.StringWidth(line+between+part) > room {
			break
		}
		line += between + part
	}
	if ansi.StringWidth(line) > room {
		return line // a very narrow window: it is cut by the frame
	}
	return line + between + moreKeys
}

// railWidth is the width of the list of steps beside the page; railFrom the window's width from which it is drawn.
const (
	railWidth = 30
	railFrom  = 100
)

// View implements tea.Model.
func (m *model) View() (v tea.View) {
	defer func() {
		if m.crash != "" {
			v.SetContent("npsetup has a defect; a key leaves")
		}
	}()
	defer guard(&m.crash)
	v.AltScreen = !m.left
	if m.width < 1 || m.height < 1 || m.left {
		return v
	}
	v.WindowTitle = "npsetup"
	content, cursor := m.draw()
	v.SetContent(content)
	v.Cursor = cursor
	return v
}

// draw lays header, body, a line for what is said, and the footer out. It never gives more lines than the window has, and
// no line that is wider.
func (m *model) draw() (string, *tea.Cursor) {
	p := m.top()
	head := 1
	if m.height >= 16 {
		head = 2
	}
	foot := min(1+m.saidRows(head), m.height-1)
	rows := max(m.height-head-foot, 0)
	width, left := m.width, 0
	rail := m.width >= railFrom && m.guided && m.undo == nil && !m.modal()
	if rail {
		left = railWidth
		width -= left
	}
	b := p.body(m, max(width, 1))
	m.scroll = scrolled(m.scroll, rows, b, m.free)
	lines := make([]string, 0, m.height)
	lines = append(lines, m.header(p))
	if head == 2 {
		lines = append(lines, "")
	}
	var side []string
	if rail {
		side = m.rail(rows)
	}
	for i := range rows {
		line := ""
		if at := m.scroll + i; at < len(b.lines) {
			line = b.lines[at]
		}
		if rail {
			line = pad(at(side, i), left) + line
		}
		lines = append(lines, line)
	}
	if foot >= 2 {
		lines = append(lines, m.saidLines(position(m.scroll, rows, len(b.lines)), foot-1)...)
	}
	if foot >= 1 {
		lines = append(lines, m.st.faint.Render(footer(p.hints(m), m.width)))
	}
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], m.width, "…")
	}
	return strings.Join(lines[:min(len(lines), m.height)], "\n"), placed(b.cursor, left, head-m.scroll, head, head+rows, m.width)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func pad(s string, width int) string {
	s = ansi.Truncate(s, width-2, "…")
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// placed moves a cursor of the body to its place in the window; nil when it is out of sight.
func placed(c *tea.Cursor, dx, dy, from, to, width int) *tea.Cursor {
	if c == nil {
		return nil
	}
	moved := *c
	moved.X, moved.Y = min(c.X+dx, width-1), c.Y+dy
	if moved.Y < from || moved.Y >= to {
		return nil
	}
	return &moved
}

// scrolled moves the window so that what must be visible is, unless the person scrolls freely.
func scrolled(scroll, rows int, b *block, free bool) int {
	if b.top >= 0 && !free {
		if b.bottom >= scroll+rows {
			scroll = b.bottom - rows + 1
		}
		if b.top < scroll {
			scroll = b.top
		}
	}
	if c := b.cursor; c != nil && !free { // in a very low window the line with the cursor goes before everything
		scroll = min(max(scroll, c.Y-rows+1), c.Y)
	}
	return max(min(scroll, len(b.lines)-rows), 0)
}

func (m *model) header(p page) string {
	title := m.st.title.Render(p.title(m))
	if !m.guided {
		return title
	}
	if end, is := p.(*reportPage); m.dry() && !(is && end.dry) {
		title += m.st.doubt.Render(" (dry run)")
	}
	if _, is := m.below().(*stepPage); !is {
		return title
	}
	n, of := m.m.Position()
	return m.st.faint.Render(fmt.Sprintf("step %d of %d · ", n, of)) + title
}

// position says which part of a page that is too long for the window is shown, and whether more comes.
func position(scroll, rows, of int) string {
	switch {
	case of > scroll+rows:
		return fmt.Sprintf("↓ more, %d-%d of %d  ", scroll+1, scroll+rows, of)
	case scroll > 0:
		return fmt.Sprintf("the end, %d-%d of %d  ", scroll+1, of, of)
	}
	return ""
}

// briefly is the place on a page without its numbers.
func briefly(where string) string {
	if where, _, _ = strings.Cut(where, ","); where != "" {
		where += "  "
	}
	return where
}

// saidRows is how many lines what was said takes, behind the place on the page: to whom secrets go is not cut. At most half of what the
// header and the footer leave.
func (m *model) saidRows(head int) int {
	if a, is := m.top().(*ask); is && !a.q.secret {
		return 1 // what is asked about goes before what was said
	}
	if m.busy != nil && m.busy.shown && !m.modal() || ansi.StringWidth(m.said) <= m.width {
		return 1
	}
	return max(min(len(wrap("the end  "+m.said, m.width)), (m.height-head-1)/2), 1)
}

// saidLines is saidLine over several lines, of the place on the page the word alone.
func (m *model) saidLines(where string, rows int) []string {
	if rows == 1 {
		return []string{m.saidLine(where)}
	}
	said := wrap(briefly(where)+m.said, m.width)
	if len(said) > rows {
		said[rows-1] = ansi.Truncate(said[rows-1], m.width-1, "") + "…"
	}
	lines := make([]string, rows)
	for i, l := range said[:min(rows, len(said))] {
		lines[i] = m.st.faint.Render(l)
	}
	return lines
}

// saidLine tells where the page stands and what goes on: a wait, or what was said last.
func (m *model) saidLine(where string) string {
	text := m.said
	if m.busy != nil && m.busy.shown && !m.modal() {
		text = m.busy.text(m.o.Now())
		where = briefly(where) // the wait is what counts
	} else if text != "" && ansi.StringWidth(where+text) > m.width { // what is said is not cut for what can be seen
		where = briefly(where)
	}
	return m.st.faint.Render(where + text)
}

// rail lists the steps beside the page, the current one in view.
func (m *model) rail(rows int) []string {
	var lines []string
	here := 0
	for _, p := range m.m.Overview() {
		if p.Place == steps.Hidden {
			continue
		}
		line := placeSign(p.Place) + " " + p.Step.Title
		switch p.Place {
		case steps.Here:
			here = len(lines)
			line = m.st.focus.Render(line)
		case steps.Passed, steps.LeftOut, steps.Ahead:
			line = m.st.faint.Render(line)
		case steps.Hidden:
		}
		lines = append(lines, line)
	}
	from := max(min(here-rows/2, len(lines)-rows), 0)
	return lines[from:min(from+rows, len(lines))]
}

func placeSign(p steps.Place) string {
	switch p {
	case steps.Passed:
		return "✓"
	case steps.Here:
		return ">"
	case steps.LeftOut:
		return "-"
	case steps.Ahead, steps.Hidden:
	}
	return "·"
}
