package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Recipient takes one secret that a person asked for.
type Recipient interface{ receive(value string) error }

// HandOver gives s to a recipient that the person named. It refuses an empty secret: an empty file looks like success.
func HandOver(s Secret, to Recipient) error {
	if s.Empty() {
		return errors.New("there is no value to hand over")
	}
	return to.receive(s.text())
}

// ToWriter prints the value plainly on one line, for a person who asked to see it.
func ToWriter(w io.Writer) Recipient { return toWriter{w} }

type toWriter struct{ w io.Writer }

func (t toWriter) receive(v string) error {
	_, err := fmt.Fprintln(t.w, v)
	return err
}

// ToCopy gives the value to what puts it into a person's clipboard.
func ToCopy(copied func(value string)) Recipient { return toCopy(copied) }

type toCopy func(string)

func (t toCopy) receive(v string) error {
	t(v)
	return nil
}

// ToFile writes the value into a new file with mode 0600. An existing file is never overwritten.
func ToFile(path string) Recipient { return toFile(path) }

type toFile string

func (t toFile) receive(v string) error {
	dir := filepath.Dir(string(t))
	f, err := os.CreateTemp(dir, ".npsetup-*")
	if err != nil {
		return fmt.Errorf("cannot write in %s: %w", dir, err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(v + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	// Link, unlike Rename, fails when the target exists.
	if err := os.Link(f.Name(), string(t)); err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s exists already and is left as it is", string(t))
		}
		return createExclusive(string(t), v)
	}
	return nil
}

// createExclusive is for file systems without hard links.
func createExclusive(path, v string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s exists already and is left as it is", path)
		}
		return err
	}
	_, err = f.WriteString(v + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path) // half a value is worse than none
	}
	return err
}
