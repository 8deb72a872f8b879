package trust

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Places of macOS: security(1).
const (
	macTool     = "/usr/bin/security"
	macKeychain = "/Library/Keychains/System.keychain"
	macFolder   = "/Library/Application Support/npsetup"
)

// macSystem is the System keychain. The tool takes the certificate from a file; that file stays, and tells later which
// certificates are npsetup's: a keychain has no room for such a mark.
type macSystem struct {
	m Machine
	f fileStore
}

func macStore(m Machine) (system, error) {
	return &macSystem{m: m, f: fileStore{m: m, folder: macFolder}}, nil
}

func (s *macSystem) name() string { return macKeychain }

// needs: that root alone does not suffice since macOS 11 is in Apple's release notes for Big Sur.
func (s *macSystem) needs() string {
	return "root, and an administrator's password that macOS asks for in a window"
}
func (s *macSystem) sudo()          {}
func (s *macSystem) takesAny() bool { return true }

func (s *macSystem) file(c *x509.Certificate) string { return s.m.path(s.f.file(c)) }

func (s *macSystem) addArgs(c *x509.Certificate) []string {
	return []string{"add-trusted-cert", "-d", "-r", "trustRoot", "-k", macKeychain, s.file(c)}
}

func (s *macSystem) takeArgs(c *x509.Certificate) [][]string {
	return [][]string{
		{"remove-trusted-cert", "-d", s.file(c)},
		{"delete-certificate", "-Z", strings.ToUpper(Describe(c).SHA1), macKeychain},
	}
}

func (s *macSystem) does(c *x509.Certificate, remove bool) []string {
	if !remove {
		return []string{"writes " + s.f.file(c) + " (the certificate, mode 0644)", "runs " + macTool + " " + spoken(s.addArgs(c))}
	}
	var list []string
	for _, args := range s.takeArgs(c) {
		list = append(list, "runs "+macTool+" "+spoken(args))
	}
	return append(list, "removes "+s.f.file(c))
}

// spoken is a command line for people; its only blanks are in the folder's name.
func spoken(args []string) string {
	var words []string
	for _, a := range args {
		if strings.Contains(a, " ") {
			a = `"` + a + `"`
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

func (s *macSystem) each(ctx context.Context, see func(der []byte)) error {
	out, err := s.m.Run(ctx, macTool, "find-certificate", "-a", "-p", macKeychain)
	eachPEM(out, see)
	return err
}

func (s *macSystem) own(see func(der []byte)) error { return s.f.own(see) }

func (s *macSystem) holder(*x509.Certificate) string { return "the keychain, by other means" }

func (s *macSystem) add(ctx context.Context, c *x509.Certificate) error {
	if err := os.MkdirAll(s.m.path(macFolder), 0o755); err != nil {
		return err
	}
	made, err := putFile(s.file(c), pemOf(c))
	if err != nil {
		return err
	}
	if _, err := s.m.Run(ctx, macTool, s.addArgs(c)...); err != nil {
		// The tool adds first and trusts then: without the person's password it has done half.
		_, _ = s.m.Run(ctx, macTool, s.takeArgs(c)[1]...)
		if made {
			err = errors.Join(err, os.Remove(s.file(c)))
		}
		return err
	}
	return nil
}

func (s *macSystem) take(ctx context.Context, c *x509.Certificate) error {
	if err := os.MkdirAll(s.m.path(macFolder), 0o755); err != nil {
		return err
	}
	if _, err := putFile(s.file(c), pemOf(c)); err != nil { // of one that is not ours, the tool needs a file too
		return err
	}
	for i, args := range s.takeArgs(c) {
		_, err := s.m.Run(ctx, macTool, args...)
		// A removal that was cut off has taken the settings away already; any other failure leaves them in force.
		if i == 0 && err != nil && strings.Contains(err.Error(), "could not be found") {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
	}
	if err := os.Remove(s.file(c)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
