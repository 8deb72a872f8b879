package tui

import (
	"fmt"
	"io"
	"strings"

	"charm.land/bubbles/v2/list"
	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// picker is a list of live choices with a filter. It draws only what is visible, so that ten thousand stay smooth.
type picker struct {
	w       *widget
	options []steps.Option
	list    list.Model
	filter  string
}

type item steps.Option

// FilterValue implements list.Item.
func (i item) FilterValue() string { return i.Value + " " + i.Title }

type oneLine struct{ m *model }

// Height, Spacing, Update and Render implement list.ItemDelegate.
func (oneLine) Height() int                         { return 1 }
func (oneLine) Spacing() int                        { return 0 }
func (oneLine) Update(tea.Msg, *list.Model) tea.Cmd { return nil }
func (d oneLine) Render(w io.Writer, l list.Model, index int, it list.Item) {
	o := it.(item)
	line := "  " + problem.Plain(o.Value)
	if o.Title != "" && o.Title != o.Value {
		line += " · " + problem.Plain(o.Title)
	}
	if index == l.Index() {
		line = d.m.st.focus.Render("> ") + line[2:]
	}
	_, _ = io.WriteString(w, line)
}

func newPicker(m *model, w *widget, options []steps.Option) *picker {
	p := &picker{w: w, options: options}
	p.list = list.New(nil, oneLine{m}, 20, 5)
	p.list.SetShowTitle(false)
	p.list.SetShowFilter(false)
	p.list.SetShowStatusBar(false)
	p.list.SetShowPagination(false)
	p.list.SetShowHelp(false)
	p.list.SetFilteringEnabled(false)
	p.list.DisableQuitKeybindings()
	p.narrow()
	return p
}

// narrow keeps what contains every word of the filter.
func (p *picker) narrow() {
	words := strings.Fields(strings.ToLower(p.filter))
	items := make([]list.Item, 0, len(p.options))
next:
	for _, o := range p.options {
		text := strings.ToLower(o.Value + " " + o.Title)
		for _, w := range words {
			if !strings.Contains(text, w) {
				continue next
			}
		}
		items = append(items, item(o))
	}
	p.list.SetItems(items)
	p.list.Select(0)
}

func (p *picker) title(*model) string { return p.w.f.Prompt }

func (p *picker) update(m *model, msg tea.Msg) tea.Cmd {
	k, is := msg.(tea.KeyPressMsg)
	if !is {
		return nil
	}
	switch k.String() {
	case "esc":
		m.pop()
	case "enter":
		if it, ok := p.list.SelectedItem().(item); ok {
			p.w.set(m, it.Value)
			m.pop()
			if below, is := m.top().(*stepPage); is {
				below.mended(m)
				below.build(m) // other fields and clicks may follow from it
			}
		}
	case "up":
		p.list.CursorUp()
	case "down":
		p.list.CursorDown()
	case "home":
		p.list.GoToStart()
	case "end":
		p.list.GoToEnd()
	case "left":
		p.list.PrevPage()
	case "right":
		p.list.NextPage()
	case "backspace":
		if r := []rune(p.filter); len(r) > 0 {
			p.filter = string(r[:len(r)-1])
			p.narrow()
		}
	default:
		if k.Text != "" {
			p.filter += k.Text
			p.narrow()
		}
	}
	return nil
}

func (p *picker) body(m *model, width int) *block {
	b := newBlock()
	b.add(width, m.st.strong.Render("filter: ")+problem.Plain(p.filter)+m.st.faint.Render("_"))
	if len(p.list.Items()) == 0 {
		b.styled(width, m.st.faint, fmt.Sprintf("0 of %d", len(p.options)))
		b.add(width, "nothing fits; shorten the filter, or esc and type the value")
		return b
	}
	rows := max(m.height-7, 1)
	p.list.SetSize(width, rows)
	from, to := p.list.Paginator.GetSliceBounds(len(p.list.Items()))
	shown := fmt.Sprintf("%d-%d of %d", from+1, to, len(p.list.Items()))
	if len(p.list.Items()) < len(p.options) {
		shown += fmt.Sprintf(" that fit, %d in all", len(p.options))
	}
	b.styled(width, m.st.faint, shown)
	for _, l := range strings.Split(strings.TrimRight(p.list.View(), " \n"), "\n") {
		b.lines = append(b.lines, strings.TrimRight(l, " "))
	}
	return b
}

func (p *picker) hints(*model) []hint {
	return []hint{{"enter", "take it"}, {"esc", "back"}, {"type", "filter"}, {"↑/↓", "move"}, {"←/→", "page"}}
}
