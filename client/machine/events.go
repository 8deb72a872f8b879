package machine

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// newest is how many events are read; outputLimit the most that is kept of what the tool prints.
const (
	newest      = 20
	outputLimit = 4 << 20
	toolLimit   = 30 * time.Second
)

// eventQuery selects what Auditor logs about sessions of NPS, in its log "Netwrix Auditor" (vendor's KB 000009212 to 000009216).
const eventQuery = "*[System[(EventID>=5801 and EventID<=5804)]]"

// events reads the newest events by Windows' own tool, which only reads.
func (m Machine) events(ctx context.Context) ([]Event, error) {
	run := m.Run
	if run == nil {
		run = runTool
	}
	windows := os.Getenv("SystemRoot")
	if windows == "" {
		windows = `C:\Windows`
	}
	tool := filepath.Join(windows, "System32", "wevtutil.exe")
	raw, err := run(ctx, tool, "qe", "Netwrix Auditor", "/q:"+eventQuery, fmt.Sprintf("/c:%d", newest), "/rd:true", "/f:RenderedXml")
	if err != nil {
		return nil, err
	}
	return parseEvents(raw)
}

func parseEvents(raw []byte) ([]Event, error) {
	var list []Event
	d := xml.NewDecoder(bytes.NewReader(raw)) // events one after the other, without a root
	for len(list) < newest {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, fmt.Errorf("the events are not understood: %w", err)
		}
		start, is := t.(xml.StartElement)
		if !is || start.Name.Local != "Event" {
			continue
		}
		var e struct {
			System struct {
				EventID     int
				TimeCreated struct {
					SystemTime time.Time `xml:"SystemTime,attr"`
				}
			}
			EventData     struct{ Data []string }
			RenderingInfo struct{ Message string }
		}
		if err := d.DecodeElement(&e, &start); err != nil {
			return list, fmt.Errorf("an event is not understood: %w", err)
		}
		text := e.RenderingInfo.Message
		if strings.TrimSpace(text) == "" {
			text = strings.Join(e.EventData.Data, " ")
		}
		text = strings.Join(strings.Fields(problem.Plain(text)), " ")
		if long := []rune(text); len(long) > 600 {
			text = string(long[:600]) + "…"
		}
		list = append(list, Event{ID: e.System.EventID, Time: e.System.TimeCreated.SystemTime.UTC(), Text: text})
	}
	return list, nil
}

// runTool starts a program by its absolute path, with nothing of this process's environment but what Windows needs.
func runTool(ctx context.Context, program string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	c.Env = []string{"SystemRoot=" + os.Getenv("SystemRoot")}
	c.WaitDelay = time.Second
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	raw, readErr := io.ReadAll(io.LimitReader(out, outputLimit))
	if err := c.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return raw, readErr
}
