package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// document is the JSON form of a plan. Member order is fixed by the struct, maps are sorted by encoding/json: one plan has
// one spelling.
type document struct {
	Format      int               `json:"format"`
	Digest      string            `json:"digest,omitempty"`
	Guide       string            `json:"guide"`
	Title       string            `json:"title"`
	Server      string            `json:"server"`
	Version     string            `json:"serverVersion"`
	Identity    string            `json:"identity"`
	Fingerprint string            `json:"fingerprint"`
	Answers     map[string]string `json:"answers"`
	AnswersDir  string            `json:"answersDir"`
	Warnings    []string          `json:"warnings,omitempty"`
	Passing     []string          `json:"passingWarnings,omitempty"` // the last of the warnings, which the digest leaves out
	Sends       []string          `json:"sends,omitempty"`
	Actions     []actionDoc       `json:"actions"`
}

type actionDoc struct {
	Key        string          `json:"key"`
	Step       string          `json:"step"`
	Effect     string          `json:"effect"`
	Object     string          `json:"object"`
	Name       string          `json:"name"`
	Why        string          `json:"why,omitempty"`
	Article    string          `json:"article,omitempty"`
	Difference []differenceDoc `json:"difference,omitempty"`
	Ops        []opDoc         `json:"ops,omitempty"`
	Undo       []opDoc         `json:"undo,omitempty"`
	UndoNote   string          `json:"undoNote,omitempty"`
	Needs      []string        `json:"needs,omitempty"`
	Assumption string          `json:"assumption,omitempty"`
	Otherwise  *manualDoc      `json:"otherwise,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	Consents   []string        `json:"consents,omitempty"`
}

type differenceDoc struct {
	Label string `json:"label"`
	Field string `json:"field,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to"`
	Mark  string `json:"mark,omitempty"`
}

type opDoc struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`
	Class   string          `json:"class"`
	Repeat  string          `json:"repeat"`
	Until   string          `json:"until,omitempty"`
	Spare   string          `json:"unless,omitempty"`
	Method  string          `json:"method,omitempty"`
	Path    string          `json:"path,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	Content json.RawMessage `json:"content,omitempty"`
	Makes   *madeDoc        `json:"makes,omitempty"`
	Only    string          `json:"onlyWithSHA256,omitempty"`
	Gives   []string        `json:"gives,omitempty"`
	Found   string          `json:"foundAgain,omitempty"`
	Marker  string          `json:"marker,omitempty"`
	Check   string          `json:"checkedBefore,omitempty"`
	Against string          `json:"checkedAgainst,omitempty"`
	Assumed string          `json:"assumed,omitempty"`
	Text    string          `json:"text,omitempty"`
	Store   *storeDoc       `json:"store,omitempty"`
	Remote  *remoteDoc      `json:"remote,omitempty"`
	Manual  *manualDoc      `json:"manual,omitempty"`
	Parts   []opDoc         `json:"calls,omitempty"`
}

type manualDoc struct {
	Where   string       `json:"where,omitempty"`
	Version string       `json:"menuNamesOf,omitempty"`
	Note    string       `json:"note,omitempty"`
	Clicks  []clickDoc   `json:"clicks"`
	Check   string       `json:"check,omitempty"`
	Proof   string       `json:"proof,omitempty"`
	Undo    string       `json:"undo,omitempty"`
	Values  []labeledDoc `json:"values,omitempty"`
	About   string       `json:"about,omitempty"`
	Awaits  string       `json:"awaits,omitempty"`
}

type clickDoc struct {
	Text   string       `json:"text"`
	Lines  []string     `json:"article,omitempty"`
	Values []labeledDoc `json:"values,omitempty"`
}

type labeledDoc struct {
	Label string `json:"label"`
	Value string `json:"value"`
	Fetch string `json:"fetchedWhenAsked,omitempty"`
}

func (p Plan) document() document {
	d := document{
		Format: FormatVersion, Guide: p.Guide, Title: p.Title, Server: p.Server, Version: p.Version, Identity: p.Identity,
		Fingerprint: p.Fingerprint, Answers: p.Answers, AnswersDir: p.AnswersDir, Warnings: p.AllWarnings(), Passing: p.Passing, Sends: p.Sends,
		Actions: make([]actionDoc, 0, len(p.Actions)),
	}
	if d.Answers == nil {
		d.Answers = map[string]string{}
	}
	for _, a := range p.Actions {
		d.Actions = append(d.Actions, a.document())
	}
	return d
}

func (a Action) document() actionDoc {
	d := actionDoc{
		Key: a.Key, Step: a.Step, Effect: a.Effect.String(), Object: a.Object, Name: a.Name, Why: a.Why, Article: a.Article,
		Ops: opDocs(a.Ops), Undo: opDocs(a.Undo), UndoNote: a.UndoNote, Needs: a.Needs(), Assumption: a.Assumption,
		Otherwise: a.Twin.document(), Notes: a.Notes, Consents: a.Consents,
	}
	for _, c := range a.Difference {
		d.Difference = append(d.Difference, differenceDoc(c))
	}
	return d
}

func opDocs(ops []Op) []opDoc {
	var docs []opDoc
	for _, op := range ops {
		d := opDoc{ID: op.ID, Kind: op.Kind.String(), Class: op.Class.String(), Repeat: op.Repeat.String(), Marker: op.Marker, Assumed: op.Assumed, Manual: op.Manual.document()}
		if op.Call != nil {
			r := op.Call.Redacted(nil)
			d.Method, d.Path, d.Body = r.Method, r.Path, r.Body
		} else if op.Kind != KindManual {
			d.Text = op.Text()
		}
		if op.Kind == KindFile {
			if op.File.Content != nil {
				d.Content = shown(op.File.Content)
			}
			d.Makes, d.Only = op.File.Make.document(), op.File.SHA256
		}
		if op.Kind == KindStore {
			d.Store = op.Store.document()
		}
		if op.Kind == KindRemote {
			d.Remote = op.Remote.document()
		}
		if op.Kind == KindSession {
			d.Parts = opDocs(op.Parts())
		}
		for _, o := range op.Outputs {
			gives := o.Name
			if o.Pointer != "" {
				gives += " = " + o.Pointer
			}
			d.Gives = append(d.Gives, gives)
		}
		if op.Lookup != nil {
			d.Found = op.Lookup.text()
		}
		if op.Await != nil {
			d.Until = op.Await.text()
		}
		if op.Spare != nil {
			d.Spare = op.Spare.text()
		}
		if op.Guard != nil {
			d.Check, d.Against = guardText(op.Guard), op.Guard.sum()
		}
		docs = append(docs, d)
	}
	return docs
}

// text is a lookup in one line: the call, and which row it takes.
func (l Lookup) text() string {
	r := l.Call.Redacted(nil)
	s := r.Method + " " + r.Path
	for _, m := range append([]Match{{l.Member, l.Value}}, l.Also...) {
		if m.Member != "" {
			s += ", " + m.Member + " = " + Quoted(m.Value)
		}
	}
	if l.Patient {
		s += ", looked for again while NPS is at work on it"
	}
	if l.Deleted {
		s += ", also a deleted one"
	}
	return s
}

// sum stands for the whole object that a guard compares with; the object itself would tell more than the change needs.
func (g *Guard) sum() string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s\n%q\n%s", g.Lookup.text(), g.Volatile, shown(g.Want.Without(g.Volatile...)))
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

func guardText(g *Guard) string {
	return "GET " + g.Lookup.Call.Redacted(nil).Path + " still answers what the plan saw"
}

func (m *Manual) document() *manualDoc {
	if m == nil {
		return nil
	}
	d := &manualDoc{Where: m.Where, Version: m.Version, Note: m.Note, Check: m.Check, Proof: m.Proof, Undo: m.Undo, Values: labeledDocs(m.Values), Clicks: []clickDoc{}, Awaits: m.Awaits}
	if m.About != nil {
		d.About, _ = paramText(m.About, leaves{
			secret: func(s SecretLeaf) (string, error) { return s.Name, nil },
			ref:    func(r Ref) (string, error) { return r.String(), nil },
		})
	}
	for _, c := range m.Clicks {
		d.Clicks = append(d.Clicks, clickDoc{Text: c.Text, Lines: c.Lines, Values: labeledDocs(c.Values)})
	}
	return d
}

func labeledDocs(ls []Labeled) []labeledDoc {
	var docs []labeledDoc
	for _, l := range ls {
		d := labeledDoc{Label: l.Label, Value: l.Value}
		if l.Fetch != nil {
			r := l.Fetch.Redacted(nil)
			d.Fetch = r.Method + " " + r.Path
		}
		docs = append(docs, d)
	}
	return docs
}
