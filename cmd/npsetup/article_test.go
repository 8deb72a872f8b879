package main

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"npsetup/assets"
	"npsetup/client/sandbox"
	shared "npsetup/steps/nps"
)

// article is one run on a server that offers everything, one on a server where profile and activity are made by hand, and
// what both showed and left behind. Every numbered line of the article is looked up in it.
type article struct {
	full, hand         *site
	planned, byHand    document
	shown, pages       string // what apply printed, on each
	export             string // what a run without certificate, or without key, printed
	report, handReport string // of the runs that end, on each
	arrived            []sandbox.Request
	key                []byte
	keyCode            int
	state, handState   map[string]any
	fingerprint        string
	serverThumbprint   string
	serial, thumbprint string
	subject            string
	credential         *article // the same for the credential-based policy
}

// document is a plan as npsetup plan --output json prints it.
type document struct {
	Actions []struct {
		Key, Effect string
		Ops         []struct {
			ID, Method, Path string
			Body             json.RawMessage
			Manual           *page
		}
		Otherwise *page
	}
}

type page struct {
	Clicks []struct {
		Text    string
		Article []string
		Values  []labelled
	}
	Values []labelled
}

type labelled struct{ Label, Value string }

func newArticle(t *testing.T) *article {
	a := &article{full: newSite(t, sandbox.Options{}), hand: newSite(t, sandbox.Options{API: "observed"}), credential: newCredentialArticle(t)}
	st := a.full
	a.planned = decoded[document](t, []byte(st.do("plan", "-f", st.answers(), "--output", "json").want(t, exitPending).out))
	a.export = st.do("plan", "-f", st.edited("file:auditor-client.cer", "file:missing.cer")).want(t, exitFailed).err
	a.shown = st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson).err
	for _, r := range st.s.Requests() {
		if r.Status < 300 {
			a.arrived = append(a.arrived, r)
		}
	}
	file := filepath.Join(t.TempDir(), "key")
	a.keyCode = st.do("key", "-f", st.answers(), "--to", file).code
	a.key, _ = os.ReadFile(file)
	st.person()
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	a.state = decoded[map[string]any](t, []byte(st.canonical()))

	a.pages = a.hand.do("apply", "-f", a.hand.answers(), "--yes").want(t, exitPerson).err
	a.byHand = decoded[document](t, []byte(a.hand.do("plan", "-f", a.hand.answers(), "--output", "json").out))
	a.hand.person()
	done := "auditor-start,certificate-trust,auditor-key,connection-profile,activity"
	a.hand.do("apply", "-f", a.hand.answers(), "--yes", "--done", done).want(t, exitPerson)
	a.handState = decoded[map[string]any](t, []byte(a.hand.canonical()))
	a.certificates(t)
	return a
}

func decoded[T any](t *testing.T, raw []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return v
}

// certificates reads the two certificates that the article deals with from their sources, not from what npsetup said.
func (a *article) certificates(t *testing.T) {
	u, err := url.Parse(a.full.s.URL())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.full.s.CAPEM())
	c, err := tls.Dial("tcp", u.Host, &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	presented := c.ConnectionState().PeerCertificates[0].Raw
	sum, sum1 := sha256.Sum256(presented), sha1.Sum(presented)
	_ = c.Close()
	a.fingerprint, a.serverThumbprint = hex.EncodeToString(sum[:]), hex.EncodeToString(sum1[:])
	der, err := os.ReadFile(filepath.Join(a.full.dir, "auditor-client.cer"))
	if err != nil {
		t.Fatal(err)
	}
	auditor, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	number := auditor.SerialNumber.Bytes()
	if number[0] >= 0x80 {
		number = append([]byte{0}, number...)
	}
	thumb := sha1.Sum(der)
	a.serial, a.thumbprint, a.subject = strings.ToUpper(hex.EncodeToString(number)), hex.EncodeToString(thumb[:]), auditor.Subject.String()
}

// click gives the words and the values of the clicks that carry a line, and fails when there are none.
func (d document) click(t *testing.T, key, line string) (string, []labelled) {
	t.Helper()
	var text string
	var values []labelled
	for _, action := range d.Actions {
		var pages []*page
		if action.Key == key {
			pages = append(pages, action.Otherwise)
			for _, op := range action.Ops {
				pages = append(pages, op.Manual)
			}
		}
		for _, p := range pages {
			if p == nil {
				continue
			}
			for _, c := range p.Clicks {
				if slices.Contains(c.Article, line) {
					text += c.Text + "\n"
					values = append(values, c.Values...)
				}
			}
			for _, v := range values {
				if !slices.Contains(p.Values, v) {
					t.Errorf("%s: the value %v is not listed for copying", line, v)
				}
			}
		}
	}
	if text == "" {
		t.Fatalf("no click of %s carries the line", key)
	}
	return text, values
}

// body is what the planned operation of an action sends.
func (d document) body(t *testing.T, key, op string) map[string]any {
	t.Helper()
	for _, a := range d.Actions {
		for _, o := range a.Ops {
			if a.Key == key && o.ID == op {
				return decoded[map[string]any](t, o.Body)
			}
		}
	}
	t.Fatalf("%s %s is not planned", key, op)
	return nil
}

// list is what the planned operation of an action sends, when that is a list.
func (d document) list(t *testing.T, key string) string {
	t.Helper()
	for _, a := range d.Actions {
		if a.Key == key {
			return string(a.Ops[0].Body)
		}
	}
	t.Fatalf("%s is not planned", key)
	return ""
}

// once checks that a request was carried out exactly once.
func (a *article) once(t *testing.T, method, path string) {
	t.Helper()
	n := 0
	for _, r := range a.arrived {
		if r.Method == method && r.Path == path {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%s %s was carried out %d times", method, path, n)
	}
}

// looked checks that something was read before anything was changed.
func (a *article) looked(t *testing.T, path string) {
	t.Helper()
	for _, r := range a.arrived {
		if r.Class == "change" {
			break
		}
		if r.Method == "GET" && strings.HasPrefix(r.Path, path) {
			return
		}
	}
	t.Errorf("%s was not read before the first change", path)
}

// object is the one object of a kind and a name in a canonical state.
func object(t *testing.T, state map[string]any, kind, member, name string) map[string]any {
	t.Helper()
	var found []map[string]any
	rows, _ := state[kind].([]any)
	for _, r := range rows {
		if m, is := r.(map[string]any); is && m[member] == name {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects %q among %s", len(found), name, kind)
	}
	return found[0]
}

func wants(t *testing.T, have map[string]any, want map[string]any) {
	t.Helper()
	for k, v := range want {
		if fmt.Sprint(have[k]) != fmt.Sprint(v) {
			t.Errorf("%s is %v, want %v", k, have[k], v)
		}
	}
}

func says(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("it does not say %q:\n%s", w, text)
		}
	}
}

// carried is one numbered line and what shows that it is carried.
type carried struct {
	line  string
	check func(*testing.T, *article)
}

// byPerson is a line that a person does: the page that is shown has it, with these words and exactly these values.
func byPerson(step, line string, words []string, values func(*article) []labelled) carried {
	return carried{line, func(t *testing.T, a *article) {
		text, have := a.planned.click(t, step, line)
		says(t, text, words...)
		var want []labelled
		if values != nil {
			want = values(a)
		}
		if !slices.Equal(have, want) {
			t.Errorf("the values are %v, want %v", have, want)
		}
		for _, v := range want {
			says(t, text, v.Value)
			says(t, a.shown, fmt.Sprintf("value    %s: %s\n", v.Label, v.Value))
		}
	}}
}

// exported is a line of the certificate's export: a run without certificate prints its clicks as what to do next.
func exported(n int, words ...string) carried {
	line := fmt.Sprintf("Export %d", n)
	return carried{line, func(t *testing.T, a *article) {
		says(t, a.certificatePage(t, line), words...)
	}}
}

func (a *article) certificatePage(t *testing.T, line string) string {
	t.Helper()
	m, err := shared.Texts{FS: assets.Texts()}.Manual("certificate", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, c := range m.Clicks {
		if slices.Contains(c.Lines, line) {
			text += c.Text + "\n"
			if !regexp.MustCompile(`(?m)^  next: \d+\. ` + regexp.QuoteMeta(c.Text) + "$").MatchString(a.export) {
				t.Errorf("the run without certificate does not print %q:\n%s", c.Text, a.export)
			}
		}
	}
	if text == "" {
		t.Fatal("no click of the export carries the line")
	}
	return text
}

// TestArticle carries every numbered line of the article, each in a test of its name.
func TestArticle(t *testing.T) {
	t.Parallel()
	a := newArticle(t)
	for _, c := range articleLines() {
		t.Run(c.line, func(t *testing.T) { c.check(t, a) })
	}
}

func articleLines() []carried {
	return slices.Concat(initialSetupLines(), exportLines(), profileLines(), activityLines(), resourceLines(), policyLines(), credentialLines(), integrationLines())
}
