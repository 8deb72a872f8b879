// Package auditorlog reads the entries of Netwrix Auditor's event log that are about Privilege Secure: from an export as wevtutil writes
// it, or on Auditor's own server from the log itself. It judges nothing, and writes nothing.
package auditorlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Channel is the name of the log (vendor KB 000009214 to 000009216).
const Channel = "Netwrix Auditor"

// First and last number of the events about Privilege Secure.
const (
	FirstID = 5801
	LastID  = 5804
)

// Limits of what is read: Auditor collects for years.
const (
	sizeLimit  = 64 << 20
	eventLimit = 1000
	textLimit  = 4 << 10
)

// Event is one entry.
type Event struct {
	ID   int
	At   time.Time // UTC
	Text string    // its message; where the export has none, its data
}

// ErrBinary is the answer to an .evtx file, which only Windows reads.
var ErrBinary = errors.New("it is a binary event log (.evtx); export it as text on Auditor's server: wevtutil qe \"" + Channel + "\" /f:RenderedXml /e:Events > auditor-events.xml")

// ErrOther is the answer to a file that holds no event at all, of whatever program.
var ErrOther = errors.New("it is no export of an event log: no event stands in it")

// ErrNone says that this machine has no such log.
var ErrNone = errors.New("this machine has no event log " + Channel)

// ReadFile reads an export: wevtutil qe "Netwrix Auditor" /f:XML or /f:RenderedXml, with or without /e:, in UTF-8 or UTF-16. The oldest
// event comes first, whatever the order in the file; of very many, the newest are kept.
func ReadFile(path string) ([]Event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	events, log, err := read(f)
	if err == nil && !log {
		err = ErrOther
	}
	return events, err
}

// Read reads an export. One that is empty has no event.
func Read(r io.Reader) ([]Event, error) {
	events, _, err := read(r)
	return events, err
}

// read also says whether what was read is an export by its elements.
func read(r io.Reader) (events []Event, log bool, err error) {
	in := bufio.NewReader(io.LimitReader(r, sizeLimit))
	if start, _ := in.Peek(8); bytes.HasPrefix(start, []byte("ElfFile\x00")) {
		return nil, false, ErrBinary
	}
	decoded := transform.NewReader(in, unicode.BOMOverride(guessed(in)))
	d := xml.NewDecoder(decoded)
	d.Strict = false // several events without a root are no XML document
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return ordered(events), log, nil
		}
		if err != nil {
			return nil, log, fmt.Errorf("it is no export of an event log: %w", err)
		}
		start, is := t.(xml.StartElement)
		log = log || is && (start.Name.Local == "Event" || start.Name.Local == "Events")
		if !is || start.Name.Local != "Event" {
			continue
		}
		var e entry
		if err := d.DecodeElement(&e, &start); err != nil {
			return nil, log, fmt.Errorf("it is no whole export of an event log: %w", err)
		}
		if one, ours := e.event(); ours {
			if events = append(events, one); len(events) > 2*eventLimit {
				events = ordered(events)
			}
		}
	}
}

// guessed is the encoding of a text without a mark: UTF-16 as Windows redirects it has a zero behind each letter.
func guessed(in *bufio.Reader) transform.Transformer {
	if start, _ := in.Peek(2); len(start) == 2 && start[0] == '<' && start[1] == 0 {
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	}
	return unicode.UTF8.NewDecoder()
}

func ordered(events []Event) []Event {
	sort.SliceStable(events, func(i, j int) bool { return events[i].At.Before(events[j].At) })
	return append([]Event{}, events[max(0, len(events)-eventLimit):]...)
}

type entry struct {
	System struct {
		EventID     string
		TimeCreated struct {
			SystemTime string `xml:",attr"`
		}
	}
	EventData struct {
		Data []string
	}
	RenderingInfo struct{ Message string }
}

// event gives the entry when it is about Privilege Secure.
func (e entry) event() (Event, bool) {
	id, err := strconv.Atoi(strings.TrimSpace(e.System.EventID))
	at, timeErr := time.Parse(time.RFC3339Nano, strings.TrimSpace(e.System.TimeCreated.SystemTime))
	if err != nil || timeErr != nil || id < FirstID || id > LastID {
		return Event{}, false
	}
	text := strings.TrimSpace(e.RenderingInfo.Message)
	if text == "" {
		text = strings.TrimSpace(strings.Join(e.EventData.Data, "\n"))
	}
	return Event{id, at.UTC(), text[:min(len(text), textLimit)]}, true
}

// Here reads the log of this machine; ErrNone where it has none. run starts a program and gives its output.
func Here(ctx context.Context, run func(ctx context.Context, name string, args ...string) ([]byte, error)) ([]Event, error) {
	if run == nil {
		return nil, ErrNone
	}
	if _, err := run(ctx, "wevtutil", "gl", Channel); err != nil {
		return nil, errors.Join(ErrNone, ctx.Err())
	}
	query := fmt.Sprintf("*[System[(EventID>=%d and EventID<=%d)]]", FirstID, LastID)
	out, err := run(ctx, "wevtutil", "qe", Channel, "/q:"+query, "/f:RenderedXml", "/rd:true", "/c:"+strconv.Itoa(eventLimit), "/uni:true")
	if err != nil {
		return nil, fmt.Errorf("wevtutil qe %q: %w", Channel, err)
	}
	return Read(bytes.NewReader(out))
}
