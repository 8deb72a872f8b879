package trust

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"npsetup/steps/problem"
)

// bundleLimit is the largest list of trusted certificates that is read: Mozilla's has 230 KiB.
const bundleLimit = 16 << 20

// fileStore is a family whose administrators put certificates into a folder; a tool makes of that what programs read.
type fileStore struct {
	m        Machine
	folder   string
	bundle   string   // what programs read
	activate []string // the tool and its arguments
	// withdraw brings a removal into force; nil: activate does that too.
	withdraw *withdrawal
}

// withdrawal is a way of its own to bring a removal into force.
type withdrawal struct {
	says string
	run  func(ctx context.Context, file string) error
}

func (f *fileStore) name() string   { return f.folder }
func (f *fileStore) needs() string  { return "root" }
func (f *fileStore) sudo()          {}
func (f *fileStore) takesAny() bool { return false }

func (f *fileStore) file(c *x509.Certificate) string { return filepath.Join(f.folder, anchorFile(c)) }

func (f *fileStore) does(c *x509.Certificate, remove bool) []string {
	switch {
	case !remove:
		return []string{"writes " + f.file(c) + " (the certificate, mode 0644)", "runs " + strings.Join(f.activate, " ")}
	case f.withdraw != nil:
		return []string{"removes " + f.file(c), fmt.Sprintf(f.withdraw.says, anchorFile(c))}
	}
	return []string{"removes " + f.file(c), "runs " + strings.Join(f.activate, " ")}
}

func (f *fileStore) each(_ context.Context, see func(der []byte)) error {
	raw, err := readBounded(f.m.path(f.bundle), bundleLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever trusted
	}
	eachPEM(raw, see)
	return err
}

func (f *fileStore) own(see func(der []byte)) error {
	return f.files(func(path string, der []byte) {
		if ownFile(filepath.Base(path)) {
			see(der)
		}
	})
}

func (f *fileStore) holder(c *x509.Certificate) string {
	holder := "the list that comes with the operating system"
	_ = f.files(func(path string, der []byte) {
		if bytes.Equal(der, c.Raw) {
			holder = "the file " + problem.Plain(filepath.Join(f.folder, filepath.Base(path)))
		}
	})
	return holder
}

// files walks through the certificates in the folder. What is no file, cannot be read or is too large holds none.
func (f *fileStore) files(see func(path string, der []byte)) error {
	folder, err := os.Open(f.m.path(f.folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	names, err := folder.Readdirnames(10_000)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, name := range names {
		path := f.m.path(f.folder, name)
		if raw, err := readBounded(path, maxFile); err == nil {
			eachPEM(raw, func(der []byte) { see(path, der) })
			if isDER(raw) {
				see(path, raw)
			}
		}
	}
	return nil
}

func (f *fileStore) add(ctx context.Context, c *x509.Certificate) error {
	path := f.m.path(f.file(c))
	made, err := putFile(path, pemOf(c))
	if err != nil {
		return err
	}
	if _, err := f.m.Run(ctx, f.activate[0], f.activate[1:]...); err != nil {
		if made {
			err = errors.Join(err, os.Remove(path))
		}
		return err
	}
	return nil
}

func (f *fileStore) take(ctx context.Context, c *x509.Certificate) error {
	path := f.m.path(f.file(c))
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var err error
	if f.withdraw != nil {
		err = f.withdraw.run(ctx, anchorFile(c))
	} else {
		_, err = f.m.Run(ctx, f.activate[0], f.activate[1:]...)
	}
	if err != nil { // it is trusted still: put back, the file says that it is ours
		_, back := putFile(path, pemOf(c))
		err = errors.Join(err, back)
	}
	return err
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// putFile writes a file that everybody may read, whole or not at all, and never over another one. It says whether it made it.
func putFile(path string, content []byte) (made bool, err error) {
	taken := func() error {
		return problem.New("the file " + problem.Plain(path) + " exists already").Because("it has the name that npsetup gives and holds something else: it is left as it is").Try("look who made it, and move it away")
	}
	if have, err := readBounded(path, maxFile); err == nil && bytes.Equal(have, content) {
		return false, nil
	}
	if _, err := os.Lstat(path); err == nil {
		return false, taken()
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".npsetup-*")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return false, err
	}
	// Link, unlike Rename, fails when somebody has made the file meanwhile.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return false, taken()
	} else if err != nil {
		return false, err
	}
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		_ = d.Sync() // not every file system can
		_ = d.Close()
	}
	return true, nil
}

// readBounded reads a regular file, through no link when it is one of ours.
func readBounded(path string, limit int64) ([]byte, error) {
	stat := os.Stat
	if ownFile(filepath.Base(path)) {
		stat = os.Lstat
	}
	info, err := stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, limit>>20)
	}
	return raw, err
}

// eachPEM gives the DER of every certificate in PEM text, parsed or not.
func eachPEM(raw []byte, see func(der []byte)) {
	for {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			return
		}
		if block.Type == "CERTIFICATE" || block.Type == "X509 CERTIFICATE" || block.Type == "TRUSTED CERTIFICATE" {
			see(block.Bytes)
		}
	}
}

func isDER(raw []byte) bool { return len(raw) > 1 && raw[0] == 0x30 && raw[1] >= 0x80 }
