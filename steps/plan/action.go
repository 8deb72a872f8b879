package plan

import "slices"

// Effect is what an action does to its object.
type Effect int

// The effects, with their signs in previews.
const (
	Create  Effect = iota // +
	Adopt                 // = an object that is already there and is as wanted
	Update                // ~
	Restore               // ^ a softly deleted namesake comes back
	Delete                // -
	ByHand                // ! a person does it
)

// Effects lists every effect.
func Effects() []Effect { return []Effect{Create, Adopt, Update, Restore, Delete, ByHand} }

func (e Effect) String() string {
	switch e {
	case Create:
		return "create"
	case Adopt:
		return "adopt"
	case Update:
		return "update"
	case Restore:
		return "restore"
	case Delete:
		return "delete"
	case ByHand:
		return "manual"
	}
	return "unknown"
}

// Sign is the one-character form.
func (e Effect) Sign() string {
	switch e {
	case Create:
		return "+"
	case Adopt:
		return "="
	case Update:
		return "~"
	case Restore:
		return "^"
	case Delete:
		return "-"
	case ByHand:
		return "!"
	}
	return "?"
}

// Action is one planned change.
type Action struct {
	Key        string // unique in the plan: step id, or step id and object
	Step       string
	Effect     Effect
	Object     string // kind of object in the product's words, e.g. "connection profile"
	Name       string // its name
	Why        string // why it is needed, one sentence
	Article    string // the article's paragraph
	Difference []Difference
	Ops        []Op
	Undo       []Op
	UndoNote   string   // how it is undone when no operation can do it
	After      []string // keys of actions that must be done first, besides those that Refs name
	Assumption string   // set when it rests on something the vendor does not document
	Twin       *Manual  // the manual way round, taken when the server does not offer a call
	Notes      []string // warnings and marks
	Consents   []string // names of the risks that the person accepted for it
}

// Difference is one member that an action sets.
type Difference struct {
	Label string // the product's name of the setting
	Field string // the member in the API; empty when there is none
	From  string // as found; empty for a new object
	To    string
	Mark  string // how sure the match of label and field is; empty when sure
}

// Changing says whether carrying it out changes something or needs a person.
func (a Action) Changing() bool { return a.Effect != Adopt }

// OpensSession says whether an action opens a session: it proves something, and leaves nothing behind.
func (a Action) OpensSession() bool {
	return slices.ContainsFunc(a.Ops, func(op Op) bool { return op.Kind == KindSession })
}

// Waits says whether an action only waits for what NPS does by itself: it makes nothing that could be undone.
func (a Action) Waits() bool {
	return len(a.Ops) > 0 && !slices.ContainsFunc(a.Ops, func(op Op) bool { return op.Await == nil })
}

// Manual gives the manual operation of an action that is done by hand, or nil.
func (a Action) Manual() *Manual {
	for i := range a.Ops {
		if a.Ops[i].Kind == KindManual {
			return a.Ops[i].Manual
		}
	}
	return nil
}

// Needs lists the keys of the actions that must be done before a.
func (a Action) Needs() []string {
	seen := map[string]bool{a.Key: true}
	var keys []string
	add := func(k string) {
		if !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	for _, k := range a.After {
		add(k)
	}
	for _, op := range a.Ops {
		for _, part := range op.Parts() {
			for _, r := range part.Call.Refs() {
				add(r.Action)
			}
		}
		if op.Lookup != nil {
			for _, r := range op.Lookup.Call.Refs() {
				add(r.Action)
			}
		}
		if op.Await != nil && op.Await.Or != nil {
			for _, r := range op.Await.Or.Call.Refs() {
				add(r.Action)
			}
		}
		if op.Spare != nil {
			for _, r := range op.Spare.Row.Call.Refs() {
				add(r.Action)
			}
		}
		if op.Guard != nil {
			for _, r := range op.Guard.Lookup.Call.Refs() {
				add(r.Action)
			}
		}
	}
	return keys
}
