// Package plan holds a plan as a value: actions, operations, bodies, references. It renders plans and carries none out.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
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
	Sends       []string // which secret goes where, said before the first one leaves
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
			if op.Kind == KindCall && op.Class == Change {
				calls = append(calls, *op.Call)
			}
		}
	}
	return calls
}

// Check finds mistakes in a plan: keys used twice, needs that no earlier action meets, operations without their member.
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
		for _, op := range a.Ops {
			if op.Kind == KindCall && op.Call == nil || op.Kind == KindManual && op.Manual == nil || op.Kind == KindFile && op.File == nil {
				return fmt.Errorf("operation %s of action %s has nothing to do", op.ID, a.Key)
			}
		}
		done[a.Key] = true
	}
	return nil
}

// Digest covers the whole plan with secrets as references: `sha256:` and 64 hex digits. Two plans with one digest do the
// same to the same state.
func (p Plan) Digest() (string, error) {
	raw, err := json.Marshal(p.document())
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// Document is the plan as JSON: one object with actions[] and the digest, indented, with a line feed at its end.
func (p Plan) Document() ([]byte, error) {
	digest, err := p.Digest()
	if err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(withDigest(p.document(), digest), "", "  ")
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

// ReadSaved reads a plan document. It recomputes the digest over the content, so that an edited file shows itself by
// Digest and Claimed being different.
func ReadSaved(raw []byte) (Saved, error) {
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return Saved{}, fmt.Errorf("not a plan file: %w", err)
	}
	if d.Format != FormatVersion {
		return Saved{}, fmt.Errorf("plan format %d, this program writes and reads %d", d.Format, FormatVersion)
	}
	claimed := d.Digest
	d.Digest = ""
	again, err := json.Marshal(d)
	if err != nil {
		return Saved{}, err
	}
	// A member that this program does not know, or a changed spelling, is an edit too.
	canonical, err := json.MarshalIndent(withDigest(d, claimed), "", "  ")
	if err != nil {
		return Saved{}, err
	}
	sum := sha256.Sum256(again)
	f := Saved{
		Guide: d.Guide, Server: d.Server, Fingerprint: d.Fingerprint, Answers: d.Answers, AnswersDir: d.AnswersDir,
		Digest: "sha256:" + hex.EncodeToString(sum[:]), Claimed: claimed,
	}
	if strings.TrimSpace(string(canonical)) != strings.TrimSpace(string(raw)) {
		f.Digest = "edited"
	}
	return f, nil
}

func withDigest(d document, digest string) document { d.Digest = digest; return d }

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
