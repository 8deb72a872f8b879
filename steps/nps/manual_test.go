package nps

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"npsetup/assets"
	"npsetup/steps/plan"
)

// everyValue has a value for every placeholder.
func everyValue() map[string]string {
	v := map[string]string{"settings": "Max Duration = 60\nRecord Proxy Session = True"}
	for name := range labels() {
		v[name] = "<" + name + ">"
	}
	return v
}

func pages(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(assets.Texts(), "*.txt")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d pages, %v", len(names), err)
	}
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], ".txt")
	}
	return names
}

// TestEveryPageForEveryVersion fills every page in, for versions that are known, between, below, above and unreadable.
func TestEveryPageForEveryVersion(t *testing.T) {
	texts := Texts{assets.Texts()}
	for _, step := range pages(t) {
		for _, c := range []struct{ version, names, note string }{
			{"4.2", "NPS 4.2", ""},
			{"4.2.1.0", "NPS 4.2", ""},
			{"25.12", "NPS 25.12", ""},
			{"25.12.00002", "NPS 25.12", ""},
			{"26.03", "NPS 26.03", ""},
			{"26.3.1", "NPS 26.03", ""},
			{"25.3", "NPS 4.2", "the nearest to 25.3 that is known"},
			{"3.0", "NPS 4.2", "the nearest to 3.0 that is known"},
			{"27.1", "NPS 26.03", "the nearest to 27.1 that is known"},
			{"", "NPS 4.2", "the version of the server is not known"},
			{"dev\x1b[2J", "NPS 26.03", "the nearest to dev[2J that is known"},
		} {
			m, err := texts.Manual(step, c.version, everyValue())
			if err != nil {
				t.Errorf("%s for %q: %v", step, c.version, err)
				continue
			}
			c.names, c.note = asThePageHas(t, texts, step, c.version, c.names, c.note)
			if m.Version != c.names || !strings.Contains(m.Note, c.note) || c.note == "" && m.Note != "" {
				t.Errorf("%s for %q: version %q, note %q", step, c.version, m.Version, m.Note)
			}
			if m.Where == "" || m.Check == "" || m.Proof == "" || len(m.Clicks) == 0 {
				t.Errorf("%s for %q lacks a part: %+v", step, c.version, m)
			}
			for _, click := range m.Clicks {
				if click.Text == "" || strings.ContainsAny(click.Text, "{}*") || strings.Count(click.Text, "“") != strings.Count(click.Text, "”") {
					t.Errorf("%s for %q: %q", step, c.version, click.Text)
				}
			}
		}
	}
}

// asThePageHas is what a page says of its version where it does not begin with 4.2: nothing, when its clicks do not depend on the
// version, or that 25.12 is the oldest that it knows.
func asThePageHas(t *testing.T, texts Texts, step, version, names, note string) (string, string) {
	t.Helper()
	p, err := texts.page(step)
	if err != nil {
		t.Fatal(err)
	}
	switch oldest := p.versions()[0]; {
	case oldest == "any":
		return "", ""
	case oldest == "25.12" && names == "NPS 4.2" && version != "":
		return "NPS 25.12", "the nearest to " + majorMinor(version) + " that is known"
	case oldest == "25.12" && names == "NPS 4.2":
		return "NPS 25.12", note
	}
	return names, note
}

// TestMenusDifferByVersion holds the one page whose clicks differ to the version's own.
func TestMenusDifferByVersion(t *testing.T) {
	texts := Texts{assets.Texts()}
	for version, menu := range map[string]string{"4.2": "“Dashboard > Users”", "25.12": "“Dashboard > Users”", "25.3": "“Dashboard > Users”", "26.03": "“Users & Groups”", "27.1": "“Users & Groups”"} {
		m, err := texts.Manual("application-user", version, everyValue())
		if err != nil || !strings.Contains(m.Clicks[0].Text, menu) {
			t.Errorf("%s: %q, %v", version, m.Clicks[0].Text, err)
		}
	}
}

// TestNoPlaceholderStaysEmpty takes every value away in turn: the pages that use it must not be shown.
func TestNoPlaceholderStaysEmpty(t *testing.T) {
	texts := Texts{assets.Texts()}
	for name := range everyValue() {
		values := everyValue()
		delete(values, name)
		refused := name == "intermediate" // its one click is left out without it: see TestAClickMayBeLeftOut
		for _, step := range pages(t) {
			for _, version := range []string{"4.2", "26.03"} {
				m, err := texts.Manual(step, version, values)
				refused = refused || err != nil
				if err == nil && strings.Contains(m.Check+clickText(m), "<"+name+">") {
					t.Errorf("%s shows a value that it does not have", step)
				}
				if err != nil && !strings.Contains(err.Error(), "{"+name+"}") {
					t.Errorf("%s without %s: %v", step, name, err)
				}
			}
		}
		if !refused {
			t.Errorf("{%s} may be missing everywhere: is it used at all?", name)
		}
	}
}

// TestAClickMayBeLeftOut: the clicks that say so are left out with a value they do not have, and only those.
func TestAClickMayBeLeftOut(t *testing.T) {
	texts, values := Texts{assets.Texts()}, everyValue()
	with, err := texts.Manual("certificate-trust.issued", "4.2", values)
	if err != nil {
		t.Fatal(err)
	}
	delete(values, "intermediate")
	without, err := texts.Manual("certificate-trust.issued", "4.2", values)
	if err != nil || len(without.Clicks) != len(with.Clicks)-1 || strings.Contains(clickText(with)+clickText(without), "? ") {
		t.Errorf("with it\n%s\nwithout it\n%s\n%v", clickText(with), clickText(without), err)
	}
	if with.Proof != "your word: --done certificate-trust" {
		t.Errorf("the proof is %s", with.Proof)
	}
}

func clickText(m plan.Manual) string {
	var b strings.Builder
	for _, c := range m.Clicks {
		b.WriteString(c.Text + "\n")
	}
	return b.String()
}

const head = "where: here\nproof: word\nundo: nothing\n\n"

func own(text string) Texts { return Texts{fstest.MapFS{"own.txt": {Data: []byte(text)}}} }

func TestPagesThatAreNone(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"unknown placeholder": {head + "[any]\n- Type {nothing}", "{nothing}"},
		"open placeholder":    {head + "[any]\n- Type {url", "no value"},
		"no heading":          {head + "- Click", "before the first heading"},
		"no clicks":           {head + "[4.2]\n[25.12]\n- Click", "no clicks for 4.2"},
		"no where":            {"proof: word\nundo: nothing\n[any]\n- Click", "where"},
		"no proof":            {"where: here\n[any]\n- Click", "proof"},
		"nothing":             {"", "missing"},
		"stray line":          {head + "[any]\n- Click\nand then", "own.txt:7"},
		"unknown head":        {"whence: x\n" + head + "[any]\n- Click", "own.txt:1"},
		"settings":            {head + "[any]\n- Set {settings}", "{settings}"},
		"check":               {"check: {nothing}\n" + head + "[any]\n- Click", "{nothing}"},
	} {
		if _, err := own(c.text).Manual("own", "4.2", map[string]string{"url": "x"}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if _, err := own(head+"[any]\n- Click").Manual("other", "4.2", nil); err == nil {
		t.Error("a page that is not there is shown")
	}
}

func TestTheNearestVersionIsFoundInAnyOrder(t *testing.T) {
	texts := own(head + "[26.03]\n- new\n[25.12] [24.9]\n- middle\n[4.2]\n- old")
	for version, want := range map[string]string{"26.03": "new", "26.3": "new", "26.4": "new", "25.12": "middle", "25.1": "middle", "24.9": "middle", "24.8": "old", "4.10": "old", "3.0": "old", "": "old"} {
		m, err := texts.Manual("own", version, nil)
		if err != nil || m.Clicks[0].Text != want {
			t.Errorf("%q: %+v, %v", version, m.Clicks, err)
		}
	}
}

// TestValuesAreExactForCopying holds values apart from the words around them, each listed once.
func TestValuesAreExactForCopying(t *testing.T) {
	texts := own("where: here\ncheck: see {profile}\nproof: word\nundo: nothing\n\n[any]\n- Type {profile}, **press** {profile} @ Activity 1; Activity 2\n- Set {settings} @ Activity 3\n- Take {resource} for {profile}")
	m, err := texts.Manual("own", "", map[string]string{"profile": "  A {url} **b** @ x  ", "settings": "Max Duration = 60\nA = B = C", "resource": "dc01.contoso.com\ndc02.contoso.com"})
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.Labeled{
		{Label: "connection profile", Value: "  A {url} **b** @ x  "},
		{Label: "Max Duration", Value: "60"},
		{Label: "A", Value: "B = C"},
		{Label: "resource", Value: "dc01.contoso.com"},
		{Label: "resource", Value: "dc02.contoso.com"},
	}
	if !slices.Equal(m.Values, want) {
		t.Errorf("the values are %+v", m.Values)
	}
	if got := m.Clicks[0].Text; got != "Type   A {url} **b** @ x  , “press”   A {url} **b** @ x  " {
		t.Errorf("the click is %q", got)
	}
	if !slices.Equal(m.Clicks[0].Lines, []string{"Activity 1", "Activity 2"}) || m.Clicks[1].Text != "Set" || len(m.Clicks[1].Values) != 2 || m.Clicks[2].Text != "Take dc01.contoso.com, dc02.contoso.com for   A {url} **b** @ x  " {
		t.Errorf("the clicks are %+v", m.Clicks)
	}
	if m.Check != "see   A {url} **b** @ x  " || m.Proof != "your word: --done own" {
		t.Errorf("check %q, proof %q", m.Check, m.Proof)
	}
}

// TestHostileValuesAreHarmless puts escape sequences and direction marks into every value.
func TestHostileValuesAreHarmless(t *testing.T) {
	const hostile = "a\x1b[2J\u202eb\u2066\u009b\r\x00c"
	values := everyValue()
	for name := range labels() {
		values[name] = hostile
	}
	for _, step := range pages(t) {
		m, err := Texts{assets.Texts()}.Manual(step, "26.03", values)
		if err != nil {
			t.Fatal(err)
		}
		text := m.Where + m.Check + m.Proof + m.Note + m.Version + clickText(m)
		if strings.ContainsAny(text, "\x1b\u202e\u2066\u009b\r\x00") {
			t.Errorf("%s: %q", step, text)
		}
		for _, v := range m.Values {
			if v.Value != hostile && v.Value != "60" && v.Value != "True" {
				t.Errorf("%s: the value of %s is %q, not exact", step, v.Label, v.Value)
			}
		}
		shown := plan.ManualText(plan.Action{Step: step, Ops: []plan.Op{{Kind: plan.KindManual, Manual: &m}}}, 0)
		if strings.ContainsAny(shown, "\x1b\u202e\u2066\u009b\r\x00") {
			t.Errorf("%s is printed as %q", step, shown)
		}
	}
}
