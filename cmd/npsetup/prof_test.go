package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

func TestProf(t *testing.T) {
	st := newSite(t, sandbox.Options{Resources: 1000, Accounts: 100})
	raw, _ := os.ReadFile(st.credentialAnswers("both"))
	var hosts, accts []string
	for i := range 1000 {
		hosts = append(hosts, fmt.Sprintf("new%05d.contoso.com", i+1))
	}
	for i := range 100 {
		accts = append(accts, fmt.Sprintf(`'CONTOSO\acct%05d'`, i+1))
	}
	s := strings.Replace(string(raw), "[dc01.contoso.com]", "["+strings.Join(hosts, ", ")+"]", 1)
	s = strings.Replace(s, `['CONTOSO\svc-auditor']`, "["+strings.Join(accts, ", ")+"]", 1)
	s = strings.Replace(s, "monitoringPlan:", "monitoringPlan:\n  dataSource: windows-server", 1)
	f := st.dir + "/x.yaml"
	_ = os.WriteFile(f, []byte(s), 0o600)
	st.do("apply", "-f", f, "--accept-risk", "rotate-password", "--yes").want(t, exitPerson)
}
