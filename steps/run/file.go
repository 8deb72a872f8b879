package run

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Maker makes what a plan describes and nobody can know before: keys, certificates, requests. It answers the outputs of what it
// made, by name.
type Maker interface {
	// Make writes the file of a File operation with a Made. It writes over no file: one that is there already, and is what was
	// to be made, is no error. It answers plan.SerialOutput and the like for certificates.
	Make(ctx context.Context, f plan.File) (map[string]string, error)
}

// file writes a file whole or not at all, and never over another one.
func (r *runner) file(ctx context.Context, a plan.Action, op plan.Op) (map[string]string, error) {
	entry := Entry{Action: a.Key, Op: op.ID, Kind: op.Kind.String(), Effect: a.Effect.String(), Request: op.Text(), State: Sending}
	change := op.Class == plan.Change
	if change {
		if err := r.journal(entry); err != nil {
			return nil, err
		}
	}
	e := eventOf(a)
	e.Op = &OpInfo{Kind: op.Kind.String(), Class: op.Class.String(), Path: problem.Plain(op.File.Path)}
	e.Name = OpSent
	r.emit(e)
	outputs, err := r.write(ctx, op)
	e.Name, e.Error = OpDone, errorInfo(err)
	r.emit(e)
	if change {
		entry.State, entry.Outputs = state(err, err), withSum(outputs, op, err)
		err = errors.Join(err, r.journal(entry))
	}
	return outputs, err
}

// withSum adds what the file holds now, by which an undo knows it again.
func withSum(outputs map[string]string, op plan.Op, failed error) map[string]string {
	sum, err := sumOf(op.File.Path)
	if failed != nil || err != nil || op.File.Remove {
		return outputs
	}
	all := maps.Clone(outputs)
	if all == nil {
		all = map[string]string{}
	}
	all[sumOutput(op.File.Path)] = sum
	return all
}

// write puts the file there. What is made must give what it was said to give: later operations wait for it.
func (r *runner) write(ctx context.Context, op plan.Op) (map[string]string, error) {
	f := *op.File
	if f.Remove {
		return nil, remove(f)
	}
	if f.Make == nil {
		content, err := plan.FileContent(f.Content)
		if err != nil {
			return nil, err
		}
		return nil, writeFile(f.Path, content, fs.FileMode(f.Mode))
	}
	made, err := r.Maker.Make(ctx, f)
	if err != nil {
		return nil, err
	}
	outputs := map[string]string{}
	for _, o := range op.Outputs {
		v := made[o.Name]
		if v == "" {
			return nil, problem.New("the " + o.Name + " of " + problem.Plain(f.Path) + " is not known").Because("what made it did not tell it").Try("npsetup resume --yes reads the file and goes on")
		}
		outputs[o.Name] = v
	}
	return outputs, nil
}

func writeFile(path string, content []byte, mode fs.FileMode) error {
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return nil
	}
	err := Create(path, content, mode)
	if errors.Is(err, fs.ErrExist) {
		return problem.New("the file " + problem.Plain(path) + " exists already").Because("it holds something else and is left as it is").Try("move it away, then npsetup resume --yes")
	}
	if err != nil {
		return problem.New("the file "+problem.Plain(path)+" cannot be written").Unwritten(err, "mend the permissions of its folder, then npsetup resume --yes")
	}
	return nil
}
