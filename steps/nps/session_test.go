package nps

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
)

func logOf(t *testing.T, lines ...string) json.RawMessage {
	t.Helper()
	var rows []map[string]any
	for _, l := range lines {
		rows = append(rows, map[string]any{"statusString": "Info", "logMessage": l})
	}
	raw, err := json.Marshal(map[string]any{"lines": rows, "totalCount": len(rows)})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestACauseIsNamedByPublishedWordsOnly: lines that every session writes accuse nobody.
func TestACauseIsNamedByPublishedWordsOnly(t *testing.T) {
	healthy := logOf(t, "WinRM session to dc01.contoso.com opened", "WinRM: connecting to https://dc01.contoso.com:5986/wsman (Use HTTPS if available)", "processing the request of the activity")
	err := SessionCause(steps.SessionPending, "Pending", 300*time.Second, healthy)
	for _, accused := range []string{"WinRM) is refused", "WinRM HTTP setting", "access is denied"} {
		if strings.Contains(err.Error(), accused) {
			t.Errorf("healthy lines say %q", err)
		}
	}
	for line, says := range map[string]string{
		"The WS-Management service cannot process the request. The service is configured to not accept any remote shell requests.": "remote PowerShell (WinRM) is refused",
		"Test-WSMan failed: 2150858770":                                                         "remote PowerShell (WinRM) is refused",
		"WinRM: no answer over HTTPS, falling back to HTTP (port 5985)":                         "WinRM HTTP setting",
		"Failed LDAP validation of DC dc02 with error: The user name or password is incorrect.": "several domain controllers",
		"Unable to create New-PSSession for dc01 with credential. Access is denied.":            "access is denied to the service account",
	} {
		if err := SessionCause(steps.SessionFailed, "Failed", time.Second, logOf(t, "WinRM session opened", line)); !strings.Contains(err.Error(), says) {
			t.Errorf("%q says %q", line, err)
		}
	}
}

func TestWhoEndedASession(t *testing.T) {
	for line, told := range map[string]bool{
		`Session ended by CONTOSO\npsadmin`: true, "session TERMINATED BY admin": true, "Session ended by NetwrixAuditor": false, `Cancelled by "netwrixauditor" (API)`: false,
		"Session ended by NetwrixAuditor2": true, "Session expired: the maximum duration is reached": false, "Session complete": false, "ended by ": false,
	} {
		if got := EndedBySomebody(logOf(t, "Account removed", line, "Session active"), "NetwrixAuditor"); (got != "") != told || told && got != strings.TrimSpace(line) {
			t.Errorf("%q: %q", line, got)
		}
	}
	if got := EndedBySomebody(json.RawMessage("<html>"), "x"); got != "" {
		t.Error(got)
	}
}
