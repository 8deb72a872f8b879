package trust

import (
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// TestLocalMachineRoot does one part of the life of a certificate in LocalMachine\Root, so that the parts can be done by processes
// of their own. It changes what the machine trusts, and runs only where it is told which part: TestStoreOnWine does.
func TestLocalMachineRoot(t *testing.T) {
	part, path := os.Getenv("NPSETUP_STORE_PART"), os.Getenv("NPSETUP_STORE_CERTIFICATE")
	if part == "" {
		t.Skip("SKIPPED: NPSETUP_STORE_PART names no part, so LocalMachine\\Root was not tested")
	}
	a, err := ReadAnchor(path)
	must(t, err)
	s, err := OpenStore(Machine{})
	must(t, err)
	must(t, s.Allowed(nil))
	root := identity{cert: a.X509}
	want := map[string]Standing{
		"add": {Trusted: true, Ours: true}, "find": {Trusted: true, Ours: true}, "remove": {}, "gone": {},
		"add by other means": {Trusted: true, Holder: "the store, by other means"}, "keep": {Trusted: true, Holder: "the store, by other means"}, "remove all the same": {},
	}[part]
	switch part {
	case "add":
		must(t, s.Install(t.Context(), root.cert))
		must(t, s.Install(t.Context(), root.cert))
	case "find":
		for _, digits := range []string{a.Cert.SHA1, a.Cert.SHA256} {
			found, err := s.ByThumbprint(t.Context(), digits)
			if err != nil || found == nil || !found.Equal(root.cert) {
				t.Errorf("%s: %v, %v", digits, found, err)
			}
		}
	case "remove":
		must(t, s.Remove(t.Context(), root.cert, false, false))
	case "add by other means":
		must(t, plainAdd(root.cert.Raw))
	case "keep":
		must(t, s.Install(t.Context(), root.cert))
		if err := s.Remove(t.Context(), root.cert, false, false); err == nil || !strings.Contains(err.Error(), "not put there by npsetup") {
			t.Errorf("removed: %v", err)
		}
	case "remove all the same":
		must(t, s.Remove(t.Context(), root.cert, true, false))
	case "gone":
	default:
		t.Fatalf("there is no part %q", part)
	}
	if is := standing(t, s, root); is != want {
		t.Errorf("%s: %+v, want %+v", part, is, want)
	}
	t.Logf("%s: %s done", part, hex.EncodeToString(root.cert.Raw[:4]))
}

// TestLocalMachineMy puts a certificate where Auditor puts its own, and finds it by its thumbprint.
func TestLocalMachineMy(t *testing.T) {
	path := os.Getenv("NPSETUP_STORE_CERTIFICATE")
	if path == "" {
		t.Skip("SKIPPED: no certificate is named, so LocalMachine\\My was not tested")
	}
	a, err := ReadAnchor(path)
	must(t, err)
	if _, err := PersonalByThumbprint(a.Cert.SHA1); err == nil {
		t.Fatal("it is there before")
	}
	my, err := windows.UTF16PtrFromString("MY")
	must(t, err)
	store, err := windows.CertOpenStore(registry, 0, 0, windows.CERT_SYSTEM_STORE_LOCAL_MACHINE, uintptr(unsafe.Pointer(my))) // it is made by its first use
	must(t, err)
	must(t, windows.CertCloseStore(store, 0))
	must(t, windowsSystem{store: "MY"}.add(t.Context(), a.X509))
	der, err := PersonalByThumbprint(a.Cert.SHA1)
	must(t, err)
	if string(der) != string(a.X509.Raw) {
		t.Error("another one is found")
	}
	must(t, windowsSystem{store: "MY"}.take(t.Context(), a.X509))
}

// plainAdd is what certutil -addstore does: without a friendly name.
func plainAdd(der []byte) error {
	return windowsSystem{}.within(registry, 0, func(store windows.Handle) error {
		made, err := windows.CertCreateCertificateContext(windows.X509_ASN_ENCODING, &der[0], uint32(len(der)))
		if err != nil {
			return err
		}
		return errors.Join(windows.CertAddCertificateContextToStore(store, made, windows.CERT_STORE_ADD_ALWAYS, nil), windows.CertFreeCertificateContext(made))
	})
}
