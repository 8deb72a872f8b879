package trust

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// windowsSystem is LocalMachine\Root, which Windows shows as Trusted Root Certification Authorities.
type windowsSystem struct {
	store string // of LocalMachine; empty: ROOT
}

// eachPersonal gives every certificate of LocalMachine\My.
func eachPersonal(see func(der []byte)) error {
	err := windowsSystem{store: "MY"}.each(context.Background(), see)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return nil // nobody has put anything there yet
	}
	return err
}

func windowsStore() (system, error) { return windowsSystem{}, nil }

func elevated() bool { return windows.GetCurrentProcessToken().IsElevated() }

func (windowsSystem) name() string   { return `LocalMachine\Root` }
func (windowsSystem) needs() string  { return "Administrator" }
func (windowsSystem) takesAny() bool { return true }

func (windowsSystem) does(c *x509.Certificate, remove bool) []string {
	if remove {
		return []string{`takes it out of LocalMachine\Root by Windows' own functions; no program is started`}
	}
	return []string{`adds it to LocalMachine\Root by Windows' own functions, with the friendly name ` + friendly(c) + `; no program is started`}
}

func (windowsSystem) holder(*x509.Certificate) string { return "the store, by other means" }

// friendly is the mark by which npsetup knows its own; certlm.msc shows it in the column Friendly Name.
func friendly(c *x509.Certificate) string { return filePrefix + Describe(c).SHA1 }

// Of wincrypt.h.
const friendlyNameProperty = 11 // CERT_FRIENDLY_NAME_PROP_ID

// x/sys/windows does not have these two.
var (
	crypt32     = windows.NewLazySystemDLL("crypt32.dll")
	setProperty = crypt32.NewProc("CertSetCertificateContextProperty")
	getProperty = crypt32.NewProc("CertGetCertificateContextProperty")
)

// cryptBlob is CRYPT_DATA_BLOB.
type cryptBlob struct {
	size uint32
	data *byte
}

// The two ways to open the store. What is trusted is in the logical one, which Windows puts together of several: the registry,
// group policy, its own updates. What is put in or taken out is in the registry, where administrators' tools put it too; wine says yes
// to a deletion in the logical one and does nothing.
const (
	logical  = windows.CERT_STORE_PROV_SYSTEM_W
	registry = 13 // CERT_STORE_PROV_SYSTEM_REGISTRY_W
)

// within opens the store and closes it when f is over.
func (s windowsSystem) within(provider uintptr, flags uint32, f func(windows.Handle) error) error {
	name := s.store
	if name == "" {
		name = "ROOT"
	}
	root, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	store, err := windows.CertOpenStore(provider, 0, 0, windows.CERT_SYSTEM_STORE_LOCAL_MACHINE|windows.CERT_STORE_OPEN_EXISTING_FLAG|flags, uintptr(unsafe.Pointer(root)))
	runtime.KeepAlive(root)
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	return errors.Join(f(store), windows.CertCloseStore(store, 0))
}

// walk gives every certificate of the store. f must not keep the context; with stop it ends the walk. An enumeration that is
// ended early has to free the context by itself: a store that is closed with one left over loses its changes.
func (s windowsSystem) walk(provider uintptr, flags uint32, f func(*windows.CertContext) (stop bool, err error)) error {
	return s.within(provider, flags, func(store windows.Handle) error {
		var at *windows.CertContext
		for {
			next, err := windows.CertEnumCertificatesInStore(store, at)
			if next == nil {
				if err == nil || errors.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND)) || errors.Is(err, windows.ERROR_NO_MORE_FILES) {
					return nil
				}
				return err
			}
			at = next
			if stop, err := f(at); stop || err != nil {
				return errors.Join(err, windows.CertFreeCertificateContext(at))
			}
		}
	})
}

func encoded(c *windows.CertContext) []byte { return unsafe.Slice(c.EncodedCert, c.Length) }

func (s windowsSystem) each(_ context.Context, see func(der []byte)) error {
	return s.walk(logical, windows.CERT_STORE_READONLY_FLAG, func(c *windows.CertContext) (bool, error) {
		see(append([]byte{}, encoded(c)...))
		return false, nil
	})
}

func (s windowsSystem) own(see func(der []byte)) error {
	return s.walk(registry, windows.CERT_STORE_READONLY_FLAG, func(c *windows.CertContext) (bool, error) {
		if ownFile(friendlyNameOf(c) + ".crt") {
			see(append([]byte{}, encoded(c)...))
		}
		return false, nil
	})
}

// friendlyNameOf is empty when there is none, or one that is too long to be ours.
func friendlyNameOf(c *windows.CertContext) string {
	var text [128]uint16
	size := uint32(unsafe.Sizeof(text))
	ok, _, _ := getProperty.Call(uintptr(unsafe.Pointer(c)), friendlyNameProperty, uintptr(unsafe.Pointer(&text)), uintptr(unsafe.Pointer(&size)))
	if ok == 0 {
		return ""
	}
	return windows.UTF16ToString(text[:min(int(size)/2, len(text))])
}

func (s windowsSystem) add(_ context.Context, c *x509.Certificate) error {
	return s.within(registry, 0, func(store windows.Handle) (err error) {
		made, err := windows.CertCreateCertificateContext(windows.X509_ASN_ENCODING|windows.PKCS_7_ASN_ENCODING, &c.Raw[0], uint32(len(c.Raw)))
		if err != nil {
			return fmt.Errorf("reading the certificate: %w", err)
		}
		defer func() { err = errors.Join(err, windows.CertFreeCertificateContext(made)) }()
		name := utf16.Encode([]rune(friendly(c) + "\x00"))
		blob := cryptBlob{size: uint32(2 * len(name)), data: (*byte)(unsafe.Pointer(&name[0]))}
		ok, _, bad := setProperty.Call(uintptr(unsafe.Pointer(made)), friendlyNameProperty, 0, uintptr(unsafe.Pointer(&blob)))
		runtime.KeepAlive(name)
		if ok == 0 {
			return fmt.Errorf("giving it a friendly name: %w", bad)
		}
		// NEW: one that somebody has put there meanwhile stays as it is, without our mark.
		err = windows.CertAddCertificateContextToStore(store, made, windows.CERT_STORE_ADD_NEW, nil)
		if errors.Is(err, windows.Errno(windows.CRYPT_E_EXISTS)) {
			return nil
		}
		return err
	})
}

func (s windowsSystem) take(_ context.Context, c *x509.Certificate) error {
	taken := false
	err := s.walk(registry, 0, func(found *windows.CertContext) (bool, error) {
		if !bytes.Equal(encoded(found), c.Raw) {
			return false, nil
		}
		taken = true
		// Deleting frees the context it is given, and the walk frees its own.
		return true, windows.CertDeleteCertificateFromStore(windows.CertDuplicateCertificateContext(found))
	})
	if err == nil && !taken {
		return errors.New("it is not in the registry: group policy or Windows itself brings it, and would bring it again")
	}
	return err
}
