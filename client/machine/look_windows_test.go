package machine

import (
	"os"
	"strings"
	"testing"
)

// TestWindowsTells asks Windows itself for its services and programs. It runs where it is told to: TestLookOnWine does.
func TestWindowsTells(t *testing.T) {
	if os.Getenv("NPSETUP_LOOK") == "" {
		t.Skip("SKIPPED: NPSETUP_LOOK is not set, so Windows was not asked for its services")
	}
	services, err := windowsServices()
	if err != nil || len(services) == 0 {
		t.Fatalf("%d services, %v", len(services), err)
	}
	running := 0
	for _, s := range services {
		if s.Name == "" || strings.ContainsRune(s.Name, 0) {
			t.Errorf("a service is called %q", s.Name)
		}
		if s.Running {
			running++
		}
	}
	if running == 0 && os.Getenv("WINEPREFIX") == "" { // those of wine end when they are idle
		t.Error("no service runs")
	}
	programs, err := windowsPrograms()
	if err != nil {
		t.Logf("programs: %v", err)
	}
	f := Machine{}.Look()
	if !f.Auditor.Known || f.Auditor.Here || !f.NPS.Known || f.NPS.Here || f.Wait != nil {
		t.Errorf("%+v", f)
	}
	t.Logf("%d services, %d of them run, %d programs", len(services), running, len(programs))
}
