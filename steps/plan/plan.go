// Package plan holds a plan as a value: actions, operations, bodies, references. It renders plans and carries none out.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"npsetup/steps/problem"
)

// FormatVersion is the version of the plan document.
const FormatVersion = 1

// Plan is what a run would do, in the order in which it may be done.
type Plan struct {
	Guide       string
	Title       string
	Server      string            // URL of the system that changes
	Version     string            // version of that system
	Identity    string            // application name: with server and guide it names the run
	Answers     map[string]string // drafts of the answers; secrets are references
	AnswersDir  string            // folder to which relative paths in the answers belong
	Fingerprint string            // of what Look saw
	Actions     []Action
	Warnings    []string
	Passing     []string // warnings of what may be otherwise at the next look: shown like the others, and left out of the digest
	Sends       []string // which secret goes where, said before the first one leaves
}

// AllWarnings are those that stand above a plan.
func (p Plan) AllWarnings() []string {
	return append(p.Warnings[:len(p.Warnings):len(p.Warnings)], p.Passing...)
}

// Pending counts the changes by effect, adoptions left out.
func (p Plan) Pending() map[Effect]int {
	n := map[Effect]int{}
	for _, a := range p.Actions {
		if a.Changing() {
			n[a.Effect]++
		}
	}
	return n
}

// Action finds an action by key.
func (p Plan) Action(key string) (Action, bool) {
	for _, a := range p.Actions {
		if a.Key == key {
			return a, true
		}
	}
	return Action{}, false
}

// Changes lists every changing call of the plan, in order.
func (p Plan) Changes() []Call {
	var calls []Call
	for _, a := range p.Actions {
		for _, op := range a.Ops {
			for _, part := range op.Parts() {
				if part.Class == Change {
					calls = append(calls, *part.Call)
				}
			}
		}
	}
	return calls
}

// Check finds mistakes in a plan: keys used twice, needs that no earlier action meets, operations without their member or
// under an id that is used twice, calls that would reach another object than they name.
func (p Plan) Check() error {
	done := map[string]bool{}
	for _, a := range p.Actions {
		if a.Key == "" || done[a.Key] {
			return fmt.Errorf("action key %q is empty or used twice", a.Key)
		}
		for _, need := range a.Needs() {
			if !done[need] {
				return fmt.Errorf("action %s needs %s, which does not come before it", a.Key, need)
			}
		}
		if err := a.checkOps(); err != nil {
			return err
		}
		done[a.Key] = true
	}
	return nil
}

func (a Action) checkOps() error {
	ids := map[string]bool{}
	for _, op := range a.Ops {
		if ids[op.ID] {
			return fmt.Errorf("action %s has two operations %q", a.Key, op.ID)
		}
		ids[op.ID] = true
	}
	for _, op := range append(a.Ops[:len(a.Ops):len(a.Ops)], a.Undo...) {
		if !op.whole() {
			return fmt.Errorf("operation %s of action %s has nothing to do", op.ID, a.Key)
		}
		for _, part := range op.Parts() {
			if err := part.Call.check(func(Ref) {}); err != nil {
				return fmt.Errorf("operation %s of action %s cannot be sent: %w", op.ID, a.Key, err)
			}
		}
	}
	return nil
}

// Digest covers the whole plan but its passing warnings, with secrets as references: `sha256:` and 64 hex digits. Two plans with one digest do the
// same to the same state.
func (p Plan) Digest() (string, error) {
	return p.document().digest()
}

// digest is over the spelling that a file would have: what Document escapes, a reader gets escaped.
func (d document) digest() (string, error) {
	if n := len(d.Warnings) - len(d.Passing); n >= 0 && slices.Equal(d.Warnings[n:], d.Passing) {
		d.Warnings, d.Passing = slices.Clone(d.Warnings[:n]), nil
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(problem.PlainJSON(raw))
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// indented is the document as it stands in a file, without the last line feed.
func (d document) indented(digest string) ([]byte, error) {
	d.Digest = digest
	raw, err := json.MarshalIndent(d, "", "  ")
	return problem.PlainJSON(raw), err
}

// Document is the plan as JSON: one object with actions[] and the digest, indented, with a line feed at its end.
func (p Plan) Document() ([]byte, error) {
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	raw, err := p.document().indented(digest)
	return append(raw, '\n'), err
}

// Saved is what a reader needs of a plan file: where it came from and what to check it against.
type Saved struct {
	Guide, Server, Fingerprint string
	Answers                    map[string]string
	AnswersDir                 string
	Digest                     string // as recomputed from the file's content
	Claimed                    string // as written in the file
}

// NewerPlan is the format of a plan file that a later npsetup wrote.
type NewerPlan int

func (n NewerPlan) Error() string {
	return fmt.Sprintf("its format is %d, and this npsetup knows %d", int(n), FormatVersion)
}

// ReadSaved reads a plan document. It recomputes the digest over the content, so that an edited file shows itself by
// Digest and Claimed being different.
func ReadSaved(raw []byte) (Saved, error) {
	var of struct{ Format int }
	if json.Unmarshal(raw, &of) == nil && of.Format > FormatVersion { // its members may be others
		return Saved{}, NewerPlan(of.Format)
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return Saved{}, fmt.Errorf("not a plan file: %w", err)
	}
	if d.Format != FormatVersion {
		return Saved{}, fmt.Errorf("plan format %d, this program writes and reads %d", d.Format, FormatVersion)
	}
	claimed := d.Digest
	d.Digest = ""
	digest, err := d.digest()
	if err != nil {
		return Saved{}, err
	}
	// A member that this program does not know, or a changed spelling, is an edit too.
	canonical, err := d.indented(claimed)
	if err != nil {
		return Saved{}, err
	}
	f := Saved{
		Guide: d.Guide, Server: d.Server, Fingerprint: d.Fingerprint, Answers: d.Answers, AnswersDir: d.AnswersDir,
		Digest: digest, Claimed: claimed,
	}
	if strings.TrimSpace(string(canonical)) != strings.TrimSpace(string(raw)) {
		f.Digest = "edited"
	}
	return f, nil
}

// FingerprintOf digests what Look saw, key by key. The values must be canonical JSON without counts, times and log-ons.
func FingerprintOf(seen map[string][]byte) string {
	keys := make([]string, 0, len(seen))
	for k := range seen {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	h := sha256.New()
	for _, k := range keys {
		_, _ = fmt.Fprintf(h, "%d:%s=%d:", len(k), k, len(seen[k]))
		_, _ = h.Write(seen[k])
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
