package steps

import (
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// Answers are typed values parsed from drafts. A draft is what a person or a file gave as text; it is never thrown away,
// also when it is not valid. The zero value has no answers.
type Answers struct {
	drafts map[string]string
	fields map[string]Field
	dir    string
}

// NewAnswers binds drafts to the fields of a guide. Relative paths in answers belong to dir.
func NewAnswers(g Guide, drafts map[string]string, dir string) Answers {
	a := Answers{drafts: make(map[string]string, len(drafts)), fields: map[string]Field{}, dir: dir}
	for k, v := range drafts {
		a.drafts[k] = v
	}
	for _, s := range g.Steps {
		for _, f := range s.Fields {
			a.fields[f.Key] = f
		}
	}
	return a
}

// Drafts gives a copy of the drafts. Secrets in it are references.
func (a Answers) Drafts() map[string]string {
	c := make(map[string]string, len(a.drafts))
	for k, v := range a.drafts {
		c[k] = v
	}
	return c
}

// Lasting are the drafts that may be written down: the valid ones without codes. What stands where a reference to a secret
// belongs and is none may be the secret, also in a field that is not asked. Questions of the faces are written as what they
// become.
func (a Answers) Lasting() map[string]string {
	c := a.Drafts()
	for key, f := range a.fields {
		if f.Becomes == nil {
			continue
		}
		if into, draft := f.Becomes(a); a.Has(key) && into != "" {
			c[into] = draft
		}
		delete(c, key)
	}
	for key := range c {
		f := a.fields[key]
		if fault, bad := a.With(key, c[key]).CheckField(f); f.Kind == Code || bad && !fault.Missing {
			delete(c, key)
		}
	}
	return c
}

// Dir is the folder to which relative paths belong.
func (a Answers) Dir() string { return a.dir }

// Has says whether something was answered, defaults aside.
func (a Answers) Has(key string) bool { return strings.TrimSpace(a.drafts[key]) != "" }

// Text is the answer, completed, or the default.
func (a Answers) Text(key string) string {
	v := a.drafts[key]
	f := a.fields[key]
	if v == "" && f.Stands != nil {
		if v := f.Stands(a); v != "" {
			return v
		}
	}
	if v == "" {
		return f.Default
	}
	if f.Kind != SecretField && f.Kind != Code {
		v = strings.TrimSpace(v)
	}
	if f.Complete != nil && v != "" {
		v, _ = f.Complete(v)
	}
	return v
}

// Number is the answer of a Number field; zero when it is not valid.
func (a Answers) Number(key string) int {
	n, _ := strconv.Atoi(a.Text(key))
	return n
}

// Switch is the answer of a Switch field.
func (a Answers) Switch(key string) bool { return a.Text(key) == "true" }

// List is the answer of a Multi or Consent field: one value per line, empty lines left out.
func (a Answers) List(key string) []string {
	var list []string
	for _, line := range strings.Split(a.Text(key), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// File is the path of a `file:PATH` answer, or of a plain path; relative ones belong to Dir. Empty when there is none.
func (a Answers) File(key string) string { return a.Path(strings.TrimPrefix(a.Text(key), "file:")) }

// Path makes a path absolute against Dir.
func (a Answers) Path(p string) string {
	if p == "" || filepath.IsAbs(p) || a.dir == "" {
		return p
	}
	return filepath.Join(a.dir, p)
}

// Anchored are the same answers for a file in another folder: relative paths in them become absolute.
func (a Answers) Anchored(dir string) Answers {
	if a.dir == "" || filepath.Clean(dir) == filepath.Clean(a.dir) {
		return a
	}
	drafts := a.Drafts()
	for key, f := range a.fields { // a preset path belongs to the folder of before too
		if f.Kind == FileField && drafts[key] == "" && f.Default != "" && f.Asked(a) {
			drafts[key] = f.Default
		}
	}
	for key, draft := range drafts {
		switch a.fields[key].Kind {
		case FileField, Fingerprint, SecretField, Text:
			for _, form := range []string{"file:", "ca:", "totp:file:"} {
				if path, is := strings.CutPrefix(strings.TrimSpace(draft), form); is && path != "" {
					drafts[key] = form + a.Path(path)
				}
			}
		case Number, Switch, Code, Choice, Multi, Consent:
		}
	}
	a.drafts, a.dir = drafts, dir
	return a
}

// Reference is the answer of a SecretField. A file in it is absolute. It answers false when there is none, or none that
// is valid.
func (a Answers) Reference(key string) (secret.Reference, bool) { return a.reference(a.Text(key)) }

func (a Answers) reference(text string) (secret.Reference, bool) {
	r, err := secret.ParseReference(text)
	if err != nil {
		return r, false
	}
	if r.Source == secret.File {
		r.Name = a.Path(r.Name)
	}
	return r, true
}

// ReferenceIn reads a reference that stands behind a prefix in an answer, e.g. totp:env:NAME.
func (a Answers) ReferenceIn(text string) (secret.Reference, bool) { return a.reference(text) }

// RiskKey is the key under which accepted risks are answered.
const RiskKey = "acceptRisks"

// Accepts says whether the person accepted the named risk.
func (a Answers) Accepts(risk string) bool {
	for _, r := range a.List(RiskKey) {
		if r == risk {
			return true
		}
	}
	return false
}

// With returns answers in which key has the given draft.
func (a Answers) With(key, draft string) Answers {
	c := a
	c.drafts = a.Drafts()
	c.drafts[key] = draft
	return c
}

// Fault is what is wrong with one answer.
type Fault struct {
	Key     string
	Missing bool
	Code    problem.Code // of what the field's own check found; may be empty
	Why     string       // never holds the value: it may be a secret typed by mistake
	Try     string
	Entries []int // the entries of a list that it is about, from 0; nil: the whole answer
}

// Check finds every fault of the answers that apply, in the order of the steps.
func (a Answers) Check(g Guide) []Fault {
	var faults []Fault
	done := map[string]bool{}
	for _, s := range g.Applying(a) {
		for _, f := range s.Fields {
			if done[f.Key] || !f.Asked(a) {
				continue
			}
			done[f.Key] = true
			if fault, bad := a.CheckField(f); bad {
				faults = append(faults, fault)
			}
		}
	}
	return faults
}

// CheckField finds the fault of one field.
func (a Answers) CheckField(f Field) (Fault, bool) {
	v := a.Text(f.Key)
	if strings.TrimSpace(v) == "" {
		if f.Optional {
			return Fault{}, false
		}
		return Fault{Key: f.Key, Missing: true, Why: "missing: " + f.Prompt, Try: exampleHint(f)}, true
	}
	values := []string{v}
	if f.Kind == Multi || f.Kind == Consent {
		values = a.List(f.Key)
	}
	for i, one := range values {
		if err := f.Valid(one); err != nil {
			fault := Fault{Key: f.Key, Code: checkCode(err), Why: err.Error(), Try: exampleHint(f)}
			if f.Kind == Consent {
				fault.Entries, fault.Try = []int{i}, "take it out, or write the nearest: "+nearest(one, f.values())
			}
			return fault, true
		}
	}
	if f.Kind == Multi {
		return f.repeated(values)
	}
	return Fault{}, false
}

// repeated finds what a list names twice.
func (f Field) repeated(values []string) (Fault, bool) {
	repeats := f.Repeats
	if repeats == nil {
		repeats = Repeated
	}
	first, second, found := repeats(values)
	if !found {
		return Fault{}, false
	}
	return Fault{
		Key: f.Key, Code: problem.NamedTwice, Entries: []int{first, second},
		Why: fmt.Sprintf("entries %d and %d of the list name the same", first+1, second+1), Try: "name each once: take one of the two out",
	}, true
}

// checkCode is the code that a field's check gave.
func checkCode(err error) problem.Code {
	var p *problem.Problem
	if errors.As(err, &p) {
		return p.Code
	}
	return ""
}

func exampleHint(f Field) string {
	var hints []string
	if f.Source != "" {
		hints = append(hints, f.Source)
	}
	if f.Example != "" {
		hints = append(hints, "for example "+f.Example)
	}
	return strings.Join(hints, "; ")
}

// values are those of the choices.
func (f Field) values() []string {
	var all []string
	for _, o := range f.Choices {
		all = append(all, o.Value)
	}
	return all
}

// Valid checks one value: what its kind demands, then the field's own check. The error never repeats the value.
func (f Field) Valid(v string) error {
	switch f.Kind {
	case Number:
		n, err := strconv.Atoi(strings.TrimSpace(v))
		low, high := f.Min, f.Max
		if low == 0 && high == 0 {
			low, high = 1, 1<<31-1
		}
		if err != nil || n < low || n > high {
			return fmt.Errorf("it is no whole number from %d to %d", low, high)
		}
	case Switch:
		if v != "true" && v != "false" {
			return fmt.Errorf("it is neither true nor false")
		}
	case SecretField:
		if _, err := secret.ParseReference(v); err != nil {
			return err
		}
	case Choice, Consent:
		return f.validChoice(v)
	case Text, Code, Multi, FileField, Fingerprint:
	}
	if f.Check != nil {
		return f.Check(v)
	}
	return nil
}

func (f Field) validChoice(v string) error {
	if len(f.Choices) == 0 {
		return nil
	}
	names := make([]string, len(f.Choices))
	for i, o := range f.Choices {
		if o.Value == v {
			return nil
		}
		names[i] = o.Value
	}
	sort.Strings(names)
	return fmt.Errorf("it is not one of: %s", strings.Join(names, ", "))
}
