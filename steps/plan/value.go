package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"npsetup/steps/secret"
)

// Value is a node of a body: an Object, an Array, a scalar, a SecretLeaf or a Ref. One value is shown and sent: the two
// differ only in how a secret and a reference come out.
type Value interface {
	write(*bytes.Buffer, leaves) error
}

// leaves decides how the two special leaves are written.
type leaves struct {
	secret func(SecretLeaf) (string, error)
	ref    func(Ref) (string, error)
}

// Object keeps its members in order.
type Object []Member

// Member is one name and value of an Object.
type Member struct {
	Name  string
	Value Value
}

// Array is a JSON array.
type Array []Value

type scalar string // valid JSON

// String, Int, Bool and Null make scalars.
func String(s string) Value { return scalar(quote(s)) }

// Int makes a whole number.
func Int(n int) Value { return scalar(strconv.Itoa(n)) }

// Bool makes a truth value.
func Bool(b bool) Value { return scalar(strconv.FormatBool(b)) }

// Null makes a null.
func Null() Value { return scalar("null") }

// SecretLeaf is a secret in a body. Name says which one it is ("password of svc-nps") and stands in the preview.
type SecretLeaf struct {
	Name   string
	Secret secret.Secret
}

// Ref is a value that an earlier action of the plan will give, usually an id.
type Ref struct {
	Action string // key of the action that gives it
	Output string // name of the output of one of its operations
	What   string // for people: `connection profile "Netwrix Auditor"`
}

// String is how a Ref is shown.
func (r Ref) String() string {
	return fmt.Sprintf("(%s of %s, known after apply)", r.Output, r.What)
}

func (o Object) write(b *bytes.Buffer, l leaves) error {
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(m.Name))
		b.WriteByte(':')
		if err := m.Value.write(b, l); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func (a Array) write(b *bytes.Buffer, l leaves) error {
	b.WriteByte('[')
	for i, v := range a {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := v.write(b, l); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

func (s scalar) write(b *bytes.Buffer, _ leaves) error { b.WriteString(string(s)); return nil }

func (s SecretLeaf) write(b *bytes.Buffer, l leaves) error {
	text, err := l.secret(s)
	b.WriteString(quote(text))
	return err
}

func (r Ref) write(b *bytes.Buffer, l leaves) error {
	text, err := l.ref(r)
	b.WriteString(quote(text))
	return err
}

// TextOf is a value as text, strings bare, with references filled in. It answers false while one is not known, and for nil.
func TextOf(v Value, known Resolver) (string, bool) {
	if v == nil {
		return "", false
	}
	text, err := paramText(v, leaves{
		secret: func(s SecretLeaf) (string, error) { return "", fmt.Errorf("%s is a secret", s.Name) },
		ref: func(r Ref) (string, error) {
			if known != nil {
				if id, ok := known(r); ok {
					return id, nil
				}
			}
			return "", fmt.Errorf("%s is not known yet", r.What)
		},
	})
	return text, err == nil
}

// Get returns the member called name, or nil.
func (o Object) Get(name string) Value {
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// With returns a copy of o in which the member called name has the value v; new members go to the end.
func (o Object) With(name string, v Value) Object {
	c := make(Object, len(o), len(o)+1)
	copy(c, o)
	for i := range c {
		if c[i].Name == name {
			c[i].Value = v
			return c
		}
	}
	return append(c, Member{name, v})
}

// Without returns a copy of o that lacks the named members.
func (o Object) Without(names ...string) Object {
	c := make(Object, 0, len(o))
next:
	for _, m := range o {
		for _, n := range names {
			if m.Name == n {
				continue next
			}
		}
		c = append(c, m)
	}
	return c
}

// shown is a value as people see it: secrets and references by their names.
func shown(v Value) json.RawMessage {
	return Call{Body: v}.Redacted(nil).Body
}

// Encode gives the compact JSON of a value without secrets and references; it fails on those.
func Encode(v Value) (json.RawMessage, error) {
	var b bytes.Buffer
	err := v.write(&b, leaves{
		secret: func(s SecretLeaf) (string, error) { return "", fmt.Errorf("%s is a secret", s.Name) },
		ref:    func(r Ref) (string, error) { return "", fmt.Errorf("%s is not known yet", r.What) },
	})
	return b.Bytes(), err
}

// Parse reads JSON into a Value that keeps the order of members and the spelling of numbers, so that a full object can be
// read, changed in one member and written back.
func Parse(raw []byte) (Value, error) {
	// Besides the syntax this bounds the depth, which the tokens alone do not: a server could overflow the stack.
	if err := json.Unmarshal(raw, new(json.RawMessage)); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return parse(d)
}

func parse(d *json.Decoder) (Value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return parseObject(d)
		}
		return parseArray(d)
	case string:
		return String(t), nil
	case json.Number:
		return scalar(t.String()), nil
	case bool:
		return Bool(t), nil
	}
	return Null(), nil
}

func parseObject(d *json.Decoder) (Value, error) {
	o := Object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := parse(d)
		if err != nil {
			return nil, err
		}
		o = append(o, Member{name.(string), v})
	}
	_, err := d.Token()
	return o, err
}

func parseArray(d *json.Decoder) (Value, error) {
	a := Array{}
	for d.More() {
		v, err := parse(d)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.Token()
	return a, err
}

// quote is JSON quoting without the HTML escapes of encoding/json: a preview should show < and & as they are.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}

// FileContent is what a file operation writes: the text of a scalar, or a secret. Only the runner's file operation may call
// it.
func FileContent(v Value) ([]byte, error) {
	if s, is := v.(SecretLeaf); is {
		return []byte(s.Secret.Wire()), nil
	}
	raw, err := Encode(v)
	if err != nil {
		return nil, err
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, fmt.Errorf("a file takes a text: %w", err)
	}
	return []byte(text), nil
}
