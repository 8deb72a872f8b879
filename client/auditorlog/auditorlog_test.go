package auditorlog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

func event(id int, at, message string) string {
	return fmt.Sprintf(`<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Netwrix Auditor System Health'/><EventID Qualifiers='0'>%d</EventID><TimeCreated SystemTime='%s'/><Channel>Netwrix Auditor</Channel></System><EventData><Data>raw &amp; data</Data></EventData><RenderingInfo Culture='en-US'><Message>%s</Message></RenderingInfo></Event>`, id, at, message)
}

// wide is a text as Windows redirects it.
func wide(text string, order binary.AppendByteOrder, mark bool) []byte {
	var out []byte
	if mark {
		text = "\ufeff" + text
	}
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// TestReadsWhatWevtutilWrites takes each form: with and without a root, in every encoding of Windows, and other events between.
func TestReadsWhatWevtutilWrites(t *testing.T) {
	later, early := event(5804, "2026-03-01T10:00:00.1234567Z", "Unable to establish. Reason: 0x80190190 Übel"), event(5801, "2026-02-01T09:00:00Z", "expired")
	other := event(4711, "2026-04-01T09:00:00Z", "something else") + event(5805, "2026-04-01T09:00:00Z", "x") + event(5800, "2026-04-01T09:00:00Z", "x")
	bare := later + "\r\n" + other + early
	rooted := `<?xml version="1.0" encoding="utf-16"?><Events>` + bare + `</Events>`
	for name, raw := range map[string][]byte{
		"bare": []byte(bare), "rooted": []byte(rooted), "with a mark": []byte("\ufeff" + rooted), "UTF-16 LE": wide(rooted, binary.LittleEndian, true),
		"UTF-16 BE": wide(bare, binary.BigEndian, true), "UTF-16 without a mark": wide(bare, binary.LittleEndian, false),
	} {
		got, err := Read(bytes.NewReader(raw))
		if err != nil || len(got) != 2 {
			t.Errorf("%s: %+v %v", name, got, err)
			continue
		}
		if got[0].ID != 5801 || got[1].ID != 5804 || got[1].Text != "Unable to establish. Reason: 0x80190190 Übel" || !got[1].At.Equal(time.Date(2026, 3, 1, 10, 0, 0, 123456700, time.UTC)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	plain := strings.ReplaceAll(early, "RenderingInfo", "Other")
	if got, err := Read(strings.NewReader(plain)); err != nil || len(got) != 1 || got[0].Text != "raw & data" {
		t.Errorf("without a message: %+v %v", got, err)
	}
}

func TestRefusesWhatIsNoExport(t *testing.T) {
	if _, err := Read(strings.NewReader("ElfFile\x00binary")); !errors.Is(err, ErrBinary) {
		t.Errorf("an .evtx file: %v", err)
	}
	if _, err := Read(strings.NewReader(event(5801, "2026-02-01T09:00:00Z", "x")[:120])); err == nil {
		t.Error("half an event passed")
	}
	for _, odd := range []string{"", "no xml at all", "<Event/>", "<Event><System><EventID>58O1</EventID></System></Event>", event(5801, "yesterday", "x")} {
		if got, err := Read(strings.NewReader(odd)); err != nil || len(got) != 0 {
			t.Errorf("%q: %+v %v", odd, got, err)
		}
	}
	for name, text := range map[string]string{
		"a certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "nothing": "", "another XML": "<?xml version='1.0'?><html><body>Events</body></html>", "answers": "version: 1\nguide: auditor\n",
	} {
		path := filepath.Join(t.TempDir(), "other")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadFile(path); !errors.Is(err, ErrOther) || len(got) != 0 {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	path := filepath.Join(t.TempDir(), "calm.xml")
	if err := os.WriteFile(path, []byte("<Events></Events>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err != nil {
		t.Errorf("an export without an event: %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.xml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestVeryManyEventsAreBounded keeps the newest, and cuts what is endless.
func TestVeryManyEventsAreBounded(t *testing.T) {
	var b strings.Builder
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3 * eventLimit {
		b.WriteString(event(5804, start.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), strings.Repeat("x", 2*textLimit)))
	}
	path := filepath.Join(t.TempDir(), "events.xml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path)
	if err != nil || len(got) != eventLimit || len(got[0].Text) != textLimit || !got[eventLimit-1].At.Equal(start.Add((3*eventLimit-1)*time.Minute)) {
		t.Errorf("%d events, %v", len(got), err)
	}
}

// TestTheLogOfThisMachine asks wevtutil for nothing but these events, and tells where there is no such log.
func TestTheLogOfThisMachine(t *testing.T) {
	var asked []string
	run := func(_ context.Context, name string, args ...string) ([]byte, error) {
		asked = append(asked, name+" "+strings.Join(args, " "))
		if args[0] == "gl" {
			return nil, nil
		}
		return wide(event(5803, "2026-02-01T09:00:00Z", "ended"), binary.LittleEndian, true), nil
	}
	got, err := Here(t.Context(), run)
	if err != nil || len(got) != 1 || got[0].ID != 5803 {
		t.Errorf("%+v %v", got, err)
	}
	if len(asked) != 2 || asked[0] != "wevtutil gl Netwrix Auditor" || !strings.HasPrefix(asked[1], "wevtutil qe Netwrix Auditor /q:*[System[(EventID>=5801 and EventID<=5804)]] ") {
		t.Errorf("asked was %q", asked)
	}
	broken := errors.New("no such channel")
	if _, err := Here(t.Context(), func(context.Context, string, ...string) ([]byte, error) { return nil, broken }); !errors.Is(err, ErrNone) {
		t.Errorf("without the log: %v", err)
	}
	if _, err := Here(t.Context(), nil); !errors.Is(err, ErrNone) {
		t.Errorf("without Windows: %v", err)
	}
	if _, err := Here(t.Context(), func(_ context.Context, _ string, args ...string) ([]byte, error) {
		if args[0] == "gl" {
			return nil, nil
		}
		return nil, broken
	}); !errors.Is(err, broken) {
		t.Errorf("a log that cannot be read: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(event(5804, "2026-03-01T10:00:00Z", "x")))
	f.Add(wide(event(5801, "2026-03-01T10:00:00Z", "x"), binary.BigEndian, true))
	f.Add([]byte("<Event><System><EventID>5801<"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := Read(bytes.NewReader(raw))
		if err == nil && len(events) > eventLimit {
			t.Errorf("%d events", len(events))
		}
	})
}
