package catalogue_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"npsetup/steps/catalogue"
)

const whole = `title: The disk is full
subject: this machine
who: whoever runs it

means
There is no room
on the disk.

signs
- nothing is written

remedy
- make room: remove what is not needed
- buy another disk

npsetup
It stops.
`

func read(t *testing.T, files map[string]string) (catalogue.Catalogue, error) {
	t.Helper()
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return catalogue.Read(folder)
}

func TestReadsATextWhole(t *testing.T) {
	c, err := read(t, map[string]string{"disk-full.txt": whole})
	if err != nil {
		t.Fatal(err)
	}
	e := c["disk-full"]
	if e.Title != "The disk is full" || e.Subject != "this machine" || e.Who != "whoever runs it" || e.Means != "There is no room on the disk." || len(e.Signs) != 1 || len(e.Causes) != 0 ||
		len(e.Remedy) != 2 || e.Remedy[0] != "make room: remove what is not needed" || e.Does != "It stops." {
		t.Errorf("%+v", e)
	}
	text := e.Text()
	for _, must := range []string{"disk-full: The disk is full", "  - buy another disk\n", "What to do (whoever runs it)", "What npsetup does\n  It stops."} {
		if !strings.Contains(text, must) {
			t.Errorf("the text lacks %q:\n%s", must, text)
		}
	}
	if strings.Contains(text, "Why it comes") {
		t.Error("an empty part is shown")
	}
}

func TestRefusesATextThatIsNotWhole(t *testing.T) {
	for name, edit := range map[string][2]string{
		"no title":        {"title: The disk is full\n", ""},
		"no remedy":       {"remedy\n- make room: remove what is not needed\n- buy another disk\n", ""},
		"unknown subject": {"subject: this machine", "subject: that machine"},
		"stray line":      {"- buy another disk", "buy another disk"},
		"unknown head":    {"who: whoever runs it", "whom: whoever runs it"},
	} {
		wrong := strings.Replace(whole, edit[0], edit[1], 1)
		if wrong == whole {
			t.Fatalf("%s changes nothing", name)
		}
		if c, err := read(t, map[string]string{"disk-full.txt": wrong}); err == nil {
			t.Errorf("%s: it is read as %+v", name, c)
		}
	}
}

func TestNearestIsTheOneMeant(t *testing.T) {
	c, err := read(t, map[string]string{"disk-full.txt": whole, "certificate-expired.txt": whole, "webdav.txt": whole})
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{
		"web-dav": "webdav", "WEBDAV": "webdav", "disk": "disk-full", "certifcate-expierd": "certificate-expired", "expired": "certificate-expired", strings.Repeat("x", 1<<16): "", "kerberos": "", "ab": "", "": "",
	} {
		if got := c.Nearest(typed); string(got) != want {
			t.Errorf("nearest to %.20q is %s, want %s", typed, got, want)
		}
	}
}

// TestNamingFindsNumbers: whole numbers out of titles, meanings, signs and causes, and nothing for a word.
func TestNamingFindsNumbers(t *testing.T) {
	signs := func(sign string) string {
		return strings.Replace(whole, "remedy\n", "signs\n- "+sign+"\n\nremedy\n", 1)
	}
	c, err := read(t, map[string]string{"a.txt": signs("event 5804, reason 0x80190190:"), "b.txt": signs("event 5804, reason 0x80190193"), "c.txt": signs("event 15804 (403.16)")})
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{
		"5804": "a b", " Event 5804": "a b", "0X80190193": "b", "403.16": "c", "580": "", "event": "", "": "", "4": "",
	} {
		var got []string
		for _, e := range c.Naming(typed) {
			got = append(got, string(e.Code))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q names %q, want %q", typed, got, want)
		}
	}
	if e, ok := c.Find(" A "); !ok || e.Code != "a" {
		t.Error("letters' case matters")
	}
}

func TestTextFitsANarrowTerminal(t *testing.T) {
	c, err := read(t, map[string]string{"disk-full.txt": strings.ReplaceAll(whole, "There is no room", strings.Repeat("größer ", 60))})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(c["disk-full"].Text(), "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("a line has %d characters: %s", n, line)
		}
	}
}
