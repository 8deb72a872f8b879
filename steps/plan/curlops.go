package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"npsetup/steps/problem"
)

func plainf(format string, args ...any) string { return problem.Plain(fmt.Sprintf(format, args...)) }

// writeNowhere walks through a value for what its leaves are.
func writeNowhere(v Value, l leaves) error {
	if v == nil {
		return nil
	}
	return v.write(new(bytes.Buffer), l)
}

// action writes the operations of one action.
func (s *script) action(a Action) error {
	if a.Effect == Adopt {
		s.line("\tsay '  it is there and as wanted'")
		return nil
	}
	if a.Effect == ByHand {
		s.instruct(a.Manual(), "\t")
		s.line("\tpause")
		return nil
	}
	if a.Twin != nil {
		s.byHand++
		name := fmt.Sprintf("by_hand_%d", s.byHand)
		s.comment("\t", "the way round, should the server not offer a call that the vendor does not document")
		s.line("\t%s() {", name)
		s.instruct(a.Twin, "\t\t")
		s.line("\t}")
		defer s.line("\totherwise=''")
		s.line("\totherwise=%s", name)
	}
	for _, op := range a.Ops {
		if err := s.op(a, op); err != nil {
			return err
		}
	}
	return nil
}

// instruct prints what a person does.
func (s *script) instruct(m *Manual, indent string) {
	if m == nil {
		s.line("%ssay '  by hand'", indent)
		return
	}
	t := &text{}
	t.manual(*m)
	s.WriteString(indent + "tell")
	for _, line := range strings.Split(strings.TrimRight(t.String(), "\n"), "\n") {
		s.WriteString(" \\\n" + indent + "\t" + shellText(line))
	}
	s.WriteString("\n")
}

func (s *script) op(a Action, op Op) error {
	switch op.Kind {
	case KindCall:
		return s.call(a, op)
	case KindFile:
		return s.file(*op.File)
	case KindManual:
		s.instruct(op.Manual, "\t")
		s.line("\tpause")
	case KindSession:
		s.line("\tsay '  left out: a session is not opened by this script; npsetup verify -f FILE --session proves that one can be'")
	case KindStore, KindRemote:
		s.line("\tsay %s", shellText("  left out, to be done by other means: "+op.Text()))
		for _, part := range op.trusts().parts() {
			s.line("\tsay %s", shellText("    "+part))
		}
	}
	return nil
}

func (s *script) file(f File) error {
	if f.Content == nil {
		return errors.New("it writes no text: " + f.text())
	}
	content := ""
	switch v := f.Content.(type) {
	case SecretLeaf:
		content = `"$` + s.secrets.of(v.Name, "secret_", v.Name) + `"`
	default:
		raw, err := FileContent(v)
		if err != nil {
			return err
		}
		if bytes.IndexByte(raw, 0) >= 0 {
			return errors.New("a shell cannot write a file that holds a zero byte")
		}
		content = ShellWord(string(raw))
	}
	if strings.IndexByte(f.Path, 0) >= 0 {
		return errors.New("the path of a file holds a zero byte")
	}
	path := f.Path
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	s.line("\tfile %s %04o %s", ShellWord(path), f.Mode, content)
	s.line("\tsay '  written'")
	return nil
}

func (s *script) call(a Action, op Op) error {
	if op.Class == Auth {
		s.line("\tsay %s", shellText("  left out: the sign-in "+op.Text()))
		return nil
	}
	path, err := s.path(*op.Call)
	if err != nil {
		return err
	}
	if op.Guard != nil {
		if err := s.guard(*op.Guard); err != nil {
			return err
		}
	}
	pointers := ""
	for _, out := range op.Outputs {
		pointers += " " + ShellWord(out.Pointer)
	}
	method := op.Call.Method
	switch {
	case op.Await != nil:
		if err := s.await(*op.Await); err != nil {
			return err
		}
	case op.Class == Read:
		s.line("\treads %s", path)
	case op.Class == Probe:
		s.line("\tsend %s %s", method, path)
	default:
		if err := s.change(op, path, pointers); err != nil {
			return err
		}
	}
	for _, out := range op.Outputs {
		ref := Ref{Action: a.Key, Output: out.Name}
		name := s.outputs.of(ref, "got_", a.Key+"_"+out.Name)
		s.line("\tlocal %s=''\n\ttake %s %s", name, name, ShellWord(out.Pointer))
	}
	return nil
}

func (s *script) change(op Op, path, pointers string) error {
	method, file := op.Call.Method, ""
	if op.Lookup != nil {
		find, err := s.find(*op.Lookup)
		if err != nil {
			return err
		}
		s.line("\tlook() {\n\t\t%s\n\t}", find)
	}
	if op.Call.Body != nil {
		body, err := s.body(*op.Call)
		if err != nil {
			return err
		}
		s.line("\tbody %s", body)
		file = ` "$work/body"`
	}
	switch {
	case op.Spare != nil:
		if err := s.spare(*op.Spare, "send "+method+" "+path+file); err != nil {
			return err
		}
	case op.Lookup == nil:
		s.line("\tsend %s %s%s", method, path, file)
	case op.Call.Body == nil:
		return fmt.Errorf("%s makes something and has no body", op.ID)
	default:
		patience := "once"
		if op.Lookup.Patient {
			patience = "patient"
		}
		s.line("\tmake %s %s %s%s", patience, method, path, pointers)
	}
	if s.o.RowStatuses != nil && s.o.RowStatuses(op.Call.Operation) {
		s.line("\teach_done %s %s", method, path)
	}
	return nil
}

// find is the command that looks for a row.
func (s *script) find(l Lookup) (string, error) {
	path, err := s.path(l.Call)
	if err != nil {
		return "", err
	}
	if l.Member == "" {
		return "find_one " + path, nil
	}
	list := "whole"
	if s.o.Paged != nil && s.o.Paged(l.Call.Operation) {
		list = "paged"
	}
	return fmt.Sprintf("find_row %s %s %s %t", list, path, jsonWord(l.matches()), l.Deleted), nil
}

func (s *script) guard(g Guard) error {
	find, err := s.find(g.Lookup)
	if err != nil {
		return err
	}
	open, secrets := g.Want.open() // the script is no place for what the server keeps secret
	want, err := Encode(open)
	if err != nil {
		return err
	}
	volatile, err := json.Marshal(append(secrets, g.Volatile...))
	if err != nil {
		return err
	}
	s.line("\t%s\n\tunchanged %s \\\n\t\t%s", find, jsonWord([]byte(Pretty(want))), jsonWord(volatile))
	return nil
}

// await looks until a row shows what is awaited.
func (s *script) await(a Await) error {
	find, err := s.find(a.Row)
	if err != nil {
		return err
	}
	until, err := json.Marshal(append([]Sign{}, a.Until...))
	if err != nil {
		return err
	}
	if a.Or != nil {
		or, err := s.find(*a.Or)
		if err != nil {
			return err
		}
		find += "\n\t\t[ \"$found\" = yes ] || " + or
	}
	s.line("\tlook() {\n\t\t%s\n\t}\n\tawait %d %s %s", find, int(a.Within.Seconds()), jsonWord(until), shellText(a.What))
	return nil
}

// spare sends something unless a row shows that it need not be.
func (s *script) spare(p Spare, send string) error {
	find, err := s.find(p.Row)
	if err != nil {
		return err
	}
	signs, err := json.Marshal(p.Signs)
	if err != nil {
		return err
	}
	s.line("\tlook() {\n\t\t%s\n\t}\n\tif shown any %s; then\n\t\tsay '  it is so already, or on its way: nothing is sent'\n\telse\n\t\t%s\n\tfi", find, jsonWord(signs), send)
	return nil
}

// variable is the shell variable of a reference.
func (s *script) variable(r Ref) (string, error) {
	name, known := s.outputs.by[Ref{Action: r.Action, Output: r.Output}]
	if !known {
		return "", fmt.Errorf("the %s of %s is not known by then", r.Output, problem.Plain(r.What))
	}
	return name, nil
}

// path is the address of a call as a shell word.
func (s *script) path(c Call) (string, error) {
	p := newPieces(c)
	c.Body = nil
	r, err := c.render(leaves{
		secret: func(l SecretLeaf) (string, error) { return "", errors.New(l.Name + " would stand in an address") },
		ref: func(r Ref) (string, error) {
			name, err := s.variable(r)
			if err != nil {
				return "", err
			}
			return p.place(`uri "$` + name + `"`), nil
		},
	}, false)
	if err != nil {
		return "", err
	}
	return p.quoted(r.Path, "", ShellWord), nil
}

// body is the body of a call as a shell word: the JSON that is sent, indented, with references and secrets put in as it runs.
func (s *script) body(c Call) (string, error) {
	p := newPieces(c)
	var b bytes.Buffer
	err := c.Body.write(&b, leaves{
		secret: func(l SecretLeaf) (string, error) {
			return p.place(`json "$` + s.secrets.of(l.Name, "secret_", l.Name) + `"`), nil
		},
		ref: func(r Ref) (string, error) {
			name, err := s.variable(r)
			if err != nil {
				return "", err
			}
			return p.place(`json "$` + name + `"`), nil
		},
	})
	if err != nil {
		return "", err
	}
	return p.quoted(Pretty(b.Bytes()), `"`, func(part string) string { return jsonWord([]byte(part)) }), nil
}
