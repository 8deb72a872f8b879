package nps

import (
	"fmt"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Setting is one member that a guide wants to have a value.
type Setting struct {
	Label, Field string
	Want         plan.Value
	Shown        string // how Want is shown
	Unit         string // behind what is shown; not part of the value
	Mark         string
}

// TextSetting wants a text.
func TextSetting(label, field, want string) Setting {
	return Setting{Label: label, Field: field, Want: plan.String(want), Shown: want}
}

// NumberSetting wants a number, which people know by a name.
func NumberSetting(label, field string, want int, shown string) Setting {
	return Setting{Label: label, Field: field, Want: plan.Int(want), Shown: shown}
}

// TruthSetting wants a truth value.
func TruthSetting(label, field string, want bool) Setting {
	return Setting{Label: label, Field: field, Want: plan.Bool(want), Shown: Spoken(fmt.Sprint(want))}
}

// Spoken writes truth values as the product does.
func Spoken(v string) string {
	switch v {
	case "true":
		return "True"
	case "false":
		return "False"
	}
	return v
}

// shown is the wanted value for people, with its unit.
func (st Setting) shown() string {
	if st.Unit == "" {
		return st.Shown
	}
	return st.Shown + " " + st.Unit
}

// Marked says why a match of label and member, or a value, is not certain.
func (st Setting) Marked(mark string) Setting { st.Mark = mark; return st }

// WantText is the wanted value in the spelling of Member.
func (st Setting) WantText() string { return Member(plan.Object{{Name: "x", Value: st.Want}}, "x") }

// Differing lists the settings that an object does not have as wanted.
func Differing(o plan.Object, wanted []Setting) []plan.Difference {
	var ds []plan.Difference
	for _, st := range wanted {
		if have := Member(o, st.Field); have != st.WantText() || !settled(st.Want) {
			ds = append(ds, plan.Difference{Label: st.Label, Field: st.Field, From: Spoken(OrNothing(have)), To: st.shown(), Mark: st.Mark})
		}
	}
	return ds
}

// settled says whether a value is none that an action has to give first.
func settled(v plan.Value) bool {
	_, err := plan.Encode(v)
	return err == nil
}

// OrNothing shows a value that may be empty.
func OrNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return problem.Plain(s)
}

// Fresh lists the settings of an object that is to be made.
func Fresh(wanted []Setting) []plan.Difference {
	ds := make([]plan.Difference, 0, len(wanted))
	for _, st := range wanted {
		ds = append(ds, plan.Difference{Label: st.Label, Field: st.Field, To: st.shown(), Mark: st.Mark})
	}
	return ds
}

// Apply sets the settings in an object.
func Apply(o plan.Object, wanted []Setting) plan.Object {
	for _, st := range wanted {
		o = o.With(st.Field, st.Want)
	}
	return o
}

// Rows shows an object beside what is wanted.
func Rows(o plan.Object, wanted []Setting) []steps.Row {
	var rs []steps.Row
	for _, st := range wanted {
		rs = append(rs, steps.Row{Label: st.Label, Value: problem.Plain(Member(o, st.Field)), Wanted: st.Shown})
	}
	return rs
}

// Known keeps the settings of which an object tells the value.
func Known(o plan.Object, wanted []Setting) []Setting {
	var told []Setting
	for _, st := range wanted {
		if v := o.Get(st.Field); v != nil && v != plan.Null() {
			told = append(told, st)
		}
	}
	return told
}
