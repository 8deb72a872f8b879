package plan

import (
	"encoding/json"
	"fmt"

	"npsetup/steps/problem"
)

// refMember marks a reference in kept JSON. No server has a member of this name.
const refMember = "npsetup:ref"

type keptOp struct {
	ID      string     `json:"id"`
	Kind    string     `json:"kind"`
	Class   string     `json:"class,omitempty"`
	Repeat  string     `json:"repeat,omitempty"`
	Assumed string     `json:"assumed,omitempty"`
	Call    *keptCall  `json:"call,omitempty"`
	Trace   *keptTrace `json:"trace,omitempty"`
	File    *keptFile  `json:"file,omitempty"`
	Store   *storeDoc  `json:"store,omitempty"`
	Remote  *remoteDoc `json:"remote,omitempty"`
	Manual  *keptHands `json:"manual,omitempty"`
}

// keptHands is what a person does, as far as it is kept: where, and the clicks' texts.
type keptHands struct {
	Where  string   `json:"where"`
	Clicks []string `json:"clicks"`
}

type keptFile struct {
	Path   string `json:"path"`
	Mode   uint32 `json:"mode"`
	Source string `json:"source,omitempty"`
}

type keptCall struct {
	Operation string          `json:"operation"`
	Method    string          `json:"method"`
	Path      string          `json:"path"`
	Params    []keptParam     `json:"params,omitempty"`
	Body      json.RawMessage `json:"body,omitempty"`
}

type keptParam struct {
	Name  string          `json:"name"`
	Path  bool            `json:"inPath,omitempty"`
	Value json.RawMessage `json:"value"`
}

type keptTrace struct {
	Lookup  keptLookup      `json:"lookup"`
	Made    bool            `json:"made,omitempty"`
	ID      json.RawMessage `json:"id,omitempty"`
	Pointer string          `json:"pointer,omitempty"`
	Changed []keptChange    `json:"changed,omitempty"`
	Fields  []string        `json:"fields,omitempty"`
	Members bool            `json:"members,omitempty"`
}

type keptFind struct {
	Lookup  keptLookup `json:"lookup"`
	Outputs []Output   `json:"outputs"`
}

type keptChange struct {
	Member string          `json:"member"`
	Was    json.RawMessage `json:"was"`
	Became json.RawMessage `json:"became"`
}

type keptLookup struct {
	Call    keptCall `json:"call"`
	Member  string   `json:"member,omitempty"`
	Value   string   `json:"value,omitempty"`
	Also    []Match  `json:"also,omitempty"`
	Deleted bool     `json:"deleted,omitempty"`
	Patient bool     `json:"patient,omitempty"`
}

// KeepOps writes operations of an undo as JSON, so that another run can read them: calls, deletions of files, stores. Of an
// object that is written back whole only the names of its members are kept, and the values of those that were set. It fails on
// a secret.
func KeepOps(ops []Op) (json.RawMessage, error) {
	list := make([]keptOp, 0, len(ops))
	for _, op := range ops {
		k, err := keepOp(op)
		if err != nil {
			return nil, fmt.Errorf("operation %s: %w", op.ID, err)
		}
		list = append(list, k)
	}
	return json.Marshal(list)
}

func keepOp(op Op) (keptOp, error) {
	k := keptOp{ID: op.ID, Kind: op.Kind.String(), Class: op.Class.String(), Repeat: op.Repeat.String(), Assumed: op.Assumed}
	switch op.Kind {
	case KindCall:
		c := *op.Call
		if op.Trace != nil && op.Trace.Fields != nil {
			c.Body = nil
		}
		call, err := keepCall(c)
		if err != nil {
			return k, err
		}
		k.Call = &call
		if op.Trace == nil {
			return k, nil
		}
		k.Trace, err = op.Trace.keep()
		return k, err
	case KindFile:
		if !op.File.Remove {
			return k, fmt.Errorf("only the deletion of a file is kept")
		}
		k.File = &keptFile{Path: op.File.Path, Mode: op.File.Mode, Source: op.File.Source}
	case KindStore:
		k.Store = op.Store.document()
	case KindRemote:
		k.Remote = op.Remote.document()
	case KindManual:
		if op.Trace == nil {
			return k, fmt.Errorf("a manual operation is kept only with how it is seen")
		}
		k.Manual = &keptHands{Where: op.Manual.Where}
		for _, c := range op.Manual.Clicks {
			k.Manual.Clicks = append(k.Manual.Clicks, c.Text)
		}
		var err error
		k.Trace, err = op.Trace.keep()
		return k, err
	case KindSession:
		return k, fmt.Errorf("a %s operation is not kept", op.Kind)
	}
	return k, nil
}

func keepCall(c Call) (keptCall, error) {
	k := keptCall{Operation: c.Operation, Method: c.Method, Path: c.Path}
	for _, p := range c.Params {
		v, err := KeepValue(p.Value)
		if err != nil {
			return k, err
		}
		k.Params = append(k.Params, keptParam{p.Name, p.Path, v})
	}
	var err error
	k.Body, err = KeepValue(c.Body)
	return k, err
}

func (l Lookup) keep() (keptLookup, error) {
	call, err := keepCall(l.Call)
	return keptLookup{Call: call, Member: l.Member, Value: l.Value, Also: l.Also, Deleted: l.Deleted, Patient: l.Patient}, err
}

func (k keptLookup) lookup() (Lookup, error) {
	call, err := k.Call.call()
	return Lookup{Call: call, Member: k.Member, Value: k.Value, Also: k.Also, Deleted: k.Deleted, Patient: k.Patient}, err
}

// KeepLookup writes a lookup, and the outputs that are taken from its row, as JSON.
func KeepLookup(l Lookup, outputs []Output) (json.RawMessage, error) {
	k, err := l.keep()
	if err != nil {
		return nil, err
	}
	return json.Marshal(keptFind{k, outputs})
}

// KeptLookup reads what KeepLookup wrote.
func KeptLookup(raw json.RawMessage) (Lookup, []Output, error) {
	var k keptFind
	if err := json.Unmarshal(raw, &k); err != nil {
		return Lookup{}, nil, err
	}
	l, err := k.Lookup.lookup()
	return l, k.Outputs, err
}

func (t Trace) keep() (*keptTrace, error) {
	l, err := t.Lookup.keep()
	if err != nil {
		return nil, err
	}
	k := &keptTrace{
		Lookup: l,
		Made:   t.Made, Pointer: t.Pointer, Fields: t.Fields, Members: t.Members,
	}
	for _, c := range t.Changed {
		k.Changed = append(k.Changed, keptChange(c))
	}
	k.ID, err = KeepValue(t.ID)
	return k, err
}

// KeepValue writes a value with references marked.
func KeepValue(v Value) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	marked, err := marking(v)
	if err != nil {
		return nil, err
	}
	return Encode(marked)
}

func marking(v Value) (Value, error) {
	switch v := v.(type) {
	case Ref:
		return Object{{refMember, Array{String(v.Action), String(v.Output), String(v.What)}}}, nil
	case SecretLeaf:
		return nil, fmt.Errorf("%s is a secret", v.Name)
	case Object:
		o := make(Object, len(v))
		for i, m := range v {
			value, err := marking(m.Value)
			if err != nil {
				return nil, err
			}
			o[i] = Member{m.Name, value}
		}
		return o, nil
	case Array:
		a := make(Array, len(v))
		for i, e := range v {
			value, err := marking(e)
			if err != nil {
				return nil, err
			}
			a[i] = value
		}
		return a, nil
	}
	return v, nil
}

func unmarking(v Value) Value {
	switch v := v.(type) {
	case Object:
		if parts, is := v.Get(refMember).(Array); is && len(parts) == 3 {
			text := func(i int) string { s, _ := TextOf(parts[i], nil); return s }
			return Ref{Action: text(0), Output: text(1), What: text(2)}
		}
		o := make(Object, len(v))
		for i, m := range v {
			o[i] = Member{m.Name, unmarking(m.Value)}
		}
		return o
	case Array:
		a := make(Array, len(v))
		for i, e := range v {
			a[i] = unmarking(e)
		}
		return a
	}
	return v
}

// KeptOps reads what KeepOps wrote.
func KeptOps(raw json.RawMessage) ([]Op, error) {
	var list []keptOp
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	ops := make([]Op, 0, len(list))
	for _, k := range list {
		op, err := k.op()
		if err != nil {
			return nil, problem.New("a kept operation cannot be read").Because(err.Error())
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func (k keptOp) op() (Op, error) {
	op := Op{ID: k.ID, Class: Change, Repeat: ByName, Assumed: k.Assumed}
	var err error
	switch {
	case k.Call != nil:
		var c Call
		if c, err = k.Call.call(); err != nil {
			return op, err
		}
		op.Kind, op.Call = KindCall, &c
		if k.Trace != nil {
			op.Trace, err = k.Trace.trace()
		}
	case k.File != nil:
		op.Kind, op.File = KindFile, &File{Path: k.File.Path, Mode: k.File.Mode, Source: k.File.Source, Remove: true}
	case k.Store != nil:
		s := Store(*k.Store)
		op.Kind, op.Store = KindStore, &s
	case k.Remote != nil && k.Remote.Store != nil:
		r := k.Remote
		op.Kind, op.Remote = KindRemote, &Remote{Host: r.Host, User: r.User, HostKey: r.HostKey, SignIn: r.SignIn, Store: Store(*r.Store)}
	case k.Manual != nil && k.Trace != nil:
		m := &Manual{Where: k.Manual.Where}
		for _, text := range k.Manual.Clicks {
			m.Clicks = append(m.Clicks, Click{Text: text})
		}
		op.Kind, op.Repeat, op.Manual = KindManual, Never, m
		op.Trace, err = k.Trace.trace()
	default:
		err = fmt.Errorf("operation %s has nothing to do", k.ID)
	}
	return op, err
}

func (k keptCall) call() (Call, error) {
	c := Call{Operation: k.Operation, Method: k.Method, Path: k.Path}
	for _, p := range k.Params {
		v, err := keptValue(p.Value)
		if err != nil {
			return c, err
		}
		c.Params = append(c.Params, Param{Name: p.Name, Path: p.Path, Value: v})
	}
	var err error
	c.Body, err = keptValue(k.Body)
	return c, err
}

func (k keptTrace) trace() (*Trace, error) {
	l, err := k.Lookup.lookup()
	if err != nil {
		return nil, err
	}
	t := &Trace{
		Lookup: l,
		Made:   k.Made, Pointer: k.Pointer, Fields: k.Fields, Members: k.Members,
	}
	for _, c := range k.Changed {
		t.Changed = append(t.Changed, Changed(c))
	}
	t.ID, err = keptValue(k.ID)
	return t, err
}

func keptValue(raw json.RawMessage) (Value, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	v, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	return unmarking(v), nil
}

// Known is a value with its references filled in, and those that it leaves open.
func Known(v Value, known Resolver) (filled Value, open []Ref) {
	switch v := v.(type) {
	case Ref:
		if id, ok := known(v); ok {
			return String(id), nil
		}
		return v, []Ref{v}
	case Object:
		o := make(Object, len(v))
		for i, m := range v {
			value, more := Known(m.Value, known)
			o[i], open = Member{m.Name, value}, append(open, more...)
		}
		return o, open
	case Array:
		a := make(Array, len(v))
		for i, e := range v {
			value, more := Known(e, known)
			a[i], open = value, append(open, more...)
		}
		return a, open
	}
	return v, nil
}

// Known is a call with its references filled in, and those that it leaves open.
func (c Call) Known(known Resolver) (Call, []Ref) {
	var open []Ref
	params := make([]Param, len(c.Params))
	for i, p := range c.Params {
		value, more := Known(p.Value, known)
		p.Value, open = value, append(open, more...)
		params[i] = p
	}
	c.Params = params
	if c.Body != nil {
		body, more := Known(c.Body, known)
		c.Body, open = body, append(open, more...)
	}
	return c, open
}
