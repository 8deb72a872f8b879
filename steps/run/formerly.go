package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// formerly gives members their former values back. One that has its former value already needs nothing; one that has neither
// that nor what this run gave it is somebody else's: it is left alone, or asked about.
func (v *undoing) formerly(op plan.Op, row json.RawMessage, a *plan.Action) (*plan.Op, error) {
	read, err := plan.Parse(row)
	if err != nil {
		return nil, err
	}
	now, _ := plan.Veiled(read).(plan.Object)
	l := op.Trace.Lookup
	fresh, err := v.out.claims.ahead(l, now)
	if err != nil {
		return nil, err
	}
	var back []plan.Changed
	want := plan.Object{} // what is written over
	for _, c := range op.Trace.Changed {
		is := fresh.Get(c.Member)
		if is == nil {
			is = plan.Null()
		}
		now, err := plan.Encode(is)
		if err != nil {
			return nil, err
		}
		if sameJSON(now, c.Was) {
			continue
		}
		if !sameJSON(now, c.Became) && v.contested(c, now, a) {
			continue
		}
		back, want = append(back, c), append(want, plan.Member{Name: c.Member, Value: is})
		a.Difference = append(a.Difference, v.difference(c.Member, c, now))
	}
	if len(back) == 0 {
		return nil, nil
	}
	v.out.claims.writes(v.deed.Key, l, back)
	if op.Trace.Fields == nil { // the call sets one thing, and says to what
		return &op, nil
	}
	body, err := op.Trace.Whole(fresh, back)
	if err != nil {
		return nil, err
	}
	c := *op.Call
	c.Body = body
	op.Call = &c
	op.Guard = &plan.Guard{Lookup: l, Want: want}
	raw, err := plan.Encode(want)
	v.out.Seen[v.deed.Key+"/"+op.ID] = raw
	return &op, err
}

// contested says whether a member stays as somebody else made it.
func (v *undoing) contested(c plan.Changed, now json.RawMessage, a *plan.Action) bool {
	d := v.difference(c.Member, c, now)
	text := d.Label + " was " + d.To + ", this run made it " + v.word(c.Member, c.Became) + ", and somebody else " + d.From
	if v.Over {
		a.Notes = append(a.Notes, "over somebody else's change: "+text)
		return false
	}
	if v.Keep {
		a.Notes = append(a.Notes, "stays as somebody else made it: "+text)
		return true
	}
	v.out.Contested = append(v.out.Contested, v.deed.Object+" \""+v.deed.Name+"\": "+text)
	return true
}

// difference is what a member is and becomes again, in the product's words where there are any.
func (v *undoing) difference(label string, c plan.Changed, now json.RawMessage) plan.Difference {
	if v.Spoken != nil {
		if l, _ := v.Spoken(c.Member, now); l != "" {
			label = l
		}
	}
	return plan.Difference{Label: label, Field: c.Member, From: v.word(c.Member, now), To: v.word(c.Member, c.Was)}
}

func (v *undoing) word(member string, value json.RawMessage) string {
	if v.Spoken != nil {
		if _, w := v.Spoken(member, value); w != "" {
			return w
		}
	}
	return plain(value)
}

// plain is a JSON value for people: texts bare.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return problem.Plain(s)
	}
	if string(raw) == "null" {
		return "empty"
	}
	return problem.Plain(short(raw))
}

// sumOutput names what the journal keeps of a file that was written: the SHA-256 of its bytes.
func sumOutput(path string) string { return "sha256 of " + path }

// sumOf is the SHA-256 of a file, as hex.
func sumOf(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}

// file deletes a file that is still as this run wrote it.
func (v *undoing) file(op plan.Op, a *plan.Action) (*plan.Op, error) {
	f := *op.File
	sum, err := sumOf(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if was := v.deed.Gave[sumOutput(f.Path)]; was != "" && was != sum {
		a.Notes = append(a.Notes, f.Path+" stays: it is not as this run wrote it")
		v.out.Beyond = append(v.out.Beyond, f.Path+": it was changed since this run wrote it, and is left as it is")
		return nil, nil
	}
	f.SHA256 = sum
	op.File = &f
	v.out.Seen[v.deed.Key+"/"+op.ID] = []byte(sum)
	return &op, nil
}

// remove deletes a file that holds exactly what was shown. One that is gone needs nothing.
func remove(f plan.File) error {
	sum, err := sumOf(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && f.SHA256 != "" && sum != f.SHA256 {
		return problem.New("the file " + problem.Plain(f.Path) + " is not deleted").Because("it changed since the plan was made").Try("look at it, then npsetup undo looks again").Of(problem.Stale)
	}
	if err == nil {
		err = os.Remove(f.Path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(f.Path))
	}
	if err != nil {
		return problem.New("the file " + problem.Plain(f.Path) + " cannot be deleted").Because(problem.Plain(err.Error())).Try("mend the permissions of its folder, then npsetup undo looks again").From(err)
	}
	return nil
}
