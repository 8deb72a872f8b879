package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestOtherSystemsHaveNeitherProduct(t *testing.T) {
	f := Machine{GOOS: "linux", Hostname: func() (string, error) { return "host\x1b[2J", nil }}.Look()
	if !f.Auditor.Known || f.Auditor.Here || !f.NPS.Known || f.NPS.Here || f.Wait != nil || f.Name != "host[2J" || !strings.HasPrefix(f.System, "linux/") {
		t.Errorf("%+v", f)
	}
}

func windowsMachine(services ...Service) Machine {
	return Machine{
		GOOS: "windows", Hostname: func() (string, error) { return "", errors.New("no name") },
		Services: func() ([]Service, error) { return services, nil },
		Programs: func() ([]Program, error) {
			return []Program{{"Netwrix Auditor", "10.8.1"}, {"Netwrix Privilege Secure for Discovery", "2.0"}, {"Netwrix Privilege Secure", "25.12.00002"}, {"Netwrix Auditor Server Knowledge", "1"}}, nil
		},
	}
}

func TestProductsAreToldByTheirServices(t *testing.T) {
	f := windowsMachine(Service{"nwcfgserversvc", true}, Service{"W3SVC", true}).Look()
	if !f.Auditor.Here || f.Auditor.Version != "10.8.1" || f.NPS.Here || !f.NPS.Known || f.NPS.Version != "" || f.Wait == nil || f.Wait.Err == nil {
		t.Errorf("%+v", f)
	}
	f = windowsMachine(Service{"sbpamActionService", false}, Service{"SbPAMProxy", true}).Look()
	if f.Auditor.Here || !f.NPS.Here || f.NPS.Version != "25.12.00002" || len(f.NPS.Services) != 2 || f.Wait != nil {
		t.Errorf("%+v", f)
	}
	m := windowsMachine()
	m.Services = func() ([]Service, error) { return nil, errors.New("refused") }
	if f := m.Look(); f.Auditor.Known || f.NPS.Known {
		t.Errorf("%+v", f)
	}
}

func TestTheRealMachineIsLookedAt(t *testing.T) {
	f := Machine{}.Look()
	if !strings.HasPrefix(f.System, runtime.GOOS) || runtime.GOOS != "windows" && (!f.NPS.Known || f.NPS.Here) {
		t.Errorf("%+v", f)
	}
}

func TestWaitingTime(t *testing.T) {
	for text, want := range map[string]int{
		`<a><MaxWaitForActiveStatusS>300</MaxWaitForActiveStatusS></a>`: 300,
		`<a MaxWaitForActiveStatusS="600"/>`:                            600,
		`<n name="MaxWaitForActiveStatusS" t="4" v="900"/>`:             900,
		`<MaxWaitForActiveStatusS t="4" value="450" />`:                 450,
		`{"MaxWaitForActiveStatusS": 42}`:                               42,
		"<\x00M\x00a\x00x\x00W\x00a\x00i\x00t\x00F\x00o\x00r\x00A\x00c\x00t\x00i\x00v\x00e\x00S\x00t\x00a\x00t\x00u\x00s\x00S\x00>\x003\x000\x001\x00<\x00": 301,
	} {
		drive := t.TempDir()
		path := filepath.Join(drive, filepath.FromSlash(waitFile))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if w := (Machine{Files: drive}).wait(); w.Err != nil || w.Seconds != want {
			t.Errorf("%q: %+v, want %d", text, w, want)
		}
	}
	for _, text := range []string{"", "<MaxWaitForActiveStatusS/>", `<n name="MaxWaitForActiveStatusS" t="4"/><n name="Other" v="7"/>`, "MaxWaitForActiveStatusS"} {
		if n, found := waitIn(text); found {
			t.Errorf("%q gives %d", text, n)
		}
	}
}

func TestPortsAndControllers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := (Network{}).Port(t.Context(), "127.0.0.1", port); err != nil {
		t.Error(err)
	}
	_ = l.Close()
	if (Network{}).Port(t.Context(), "127.0.0.1", port) == nil {
		t.Error("a port that nobody has takes a connection")
	}
	n := Network{LookupSRV: func(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
		if got := fmt.Sprintf("_%s._%s.%s", service, proto, name); got != "_ldap._tcp.dc._msdcs.contoso.com" {
			t.Errorf("DNS was asked for %s", got)
		}
		return "", []*net.SRV{{Target: "DC02.contoso.com."}, {Target: "dc01.contoso.com."}, {Target: "dc02.contoso.com."}}, nil
	}}
	hosts, err := n.Controllers(t.Context(), "contoso.com")
	if err != nil || strings.Join(hosts, " ") != "dc01.contoso.com dc02.contoso.com" {
		t.Errorf("%v, %v", hosts, err)
	}
	n.LookupSRV = func(context.Context, string, string, string) (string, []*net.SRV, error) { return "", nil, nil }
	if _, err := n.Controllers(t.Context(), "contoso.com"); err == nil {
		t.Error("no domain controller is no error")
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	see := func(mode os.FileMode) (open, readOnly bool) {
		t.Helper()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		return Folder(dir, info)
	}
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows has no such rights")
	}
	if open, readOnly := see(0o700); open || readOnly {
		t.Errorf("0700: %v %v", open, readOnly)
	}
	if open, _ := see(0o755); !open {
		t.Error("0755 is open to others")
	}
	if _, readOnly := see(0o500); !readOnly && os.Geteuid() != 0 {
		t.Error("0500 can be written in")
	}
}
