package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"npsetup/steps/problem"
)

// journalVersion is the version of the journal's format. Version 1 had neither a head nor checksums.
const journalVersion = 2

// head begins a journal, and what a later run adds to one that it found of an earlier version or with a torn end.
type head struct {
	Journal int  `json:"journal"`
	Cut     bool `json:"cut,omitempty"` // the line before it was never written whole, and counts for nothing
}

// sumMember ends a line: a CRC-32C, in eight hex digits, of all that stands before it.
const sumMember = `,"sum":"`

// sumLength is that of sumMember, the digits, and the end of the object.
const sumLength = len(sumMember) + 8 + len(`"}`)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// summed makes a line of the journal from a JSON object with at least one member.
func summed(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	raw = raw[:len(raw)-1]
	return fmt.Appendf(raw, `%s%08x"}`+"\n", sumMember, crc32.Checksum(raw, castagnoli)), nil
}

// intact says whether a line carries the checksum of what it holds.
func intact(line []byte) bool {
	at := len(line) - sumLength
	if at < 1 || !bytes.HasPrefix(line[at:], []byte(sumMember)) || !bytes.HasSuffix(line, []byte(`"}`)) {
		return false
	}
	digits := string(line[at+len(sumMember) : len(line)-2])
	sum, err := strconv.ParseUint(digits, 16, 32)
	return err == nil && fmt.Sprintf("%08x", sum) == digits && uint32(sum) == crc32.Checksum(line[:at], castagnoli)
}

// pages is what was read of a journal.
type pages struct {
	entries []Entry
	version int // of its end; 0: it is empty
	torn    int // number of the last line when that was not written whole; otherwise 0
	last    int // the highest number of an entry
}

// faulty is a line of a journal that cannot be what npsetup wrote.
type faulty struct {
	line int
	why  string
}

func (f *faulty) Error() string { return "line " + strconv.Itoa(f.line) + " " + f.why }

// newer is a journal of a version to come.
type newer int

func (n newer) Error() string { return "its version is " + strconv.Itoa(int(n)) }

// parse reads the lines of a journal. Only the last may be broken, or one of which a later run has said so: a kill or a power cut leaves no other. What
// version 1 cut off stands before whatever the next run added.
func parse(raw []byte) (pages, error) {
	var p pages
	var broken *faulty // the line before, which may still turn out to be the last
	entry := false     // the line before is one
	for n := 1; len(raw) > 0; n++ {
		line, rest, ended := bytes.Cut(raw, []byte{'\n'})
		raw = rest
		if len(line) == 0 || p.version < journalVersion && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		h, isHead := headOf(line, ended)
		if isHead && h.Journal > journalVersion {
			return p, newer(h.Journal)
		}
		if broken != nil && (!isHead || !h.Cut) {
			return p, broken
		}
		if isHead {
			if h.Cut && entry && p.version == journalVersion {
				p.entries = p.entries[:len(p.entries)-1] // all but its line feed was written: whoever wrote it was told that it was not
				p.last--
			}
			p.version, p.torn, broken, entry = h.Journal, 0, nil, false
			continue
		}
		e, why := p.read(line, ended)
		entry = why == ""
		switch {
		case why != "" && p.version < journalVersion && cutOff(line):
			p.torn = n
		case why != "":
			broken = &faulty{n, why}
		case p.version == journalVersion && e.Seq != p.last+1:
			return p, &faulty{n, fmt.Sprintf("has the number %d, and the entry before it has %d: lines are missing", e.Seq, p.last)}
		default:
			p.version, p.torn, p.last = max(p.version, 1), 0, max(p.last, e.Seq)
			p.entries = append(p.entries, e)
		}
	}
	if broken != nil {
		p.torn = broken.line
	}
	return p, nil
}

// read reads an entry, or says what is wrong with its line.
func (p *pages) read(line []byte, ended bool) (e Entry, why string) {
	switch {
	case p.version == journalVersion && !ended:
		return e, "is cut off"
	case p.version == journalVersion && !intact(line):
		return e, "does not have the checksum that it carries"
	case json.Unmarshal(line, &e) != nil || e.State == "":
		return e, "is no entry"
	}
	return e, ""
}

// headOf reads a head. One of a version to come may have another kind of checksum.
func headOf(line []byte, ended bool) (head, bool) {
	var h head
	if json.Unmarshal(line, &h) != nil {
		return h, false
	}
	return h, h.Journal > journalVersion || h.Journal == journalVersion && ended && intact(line)
}

// cutOff says whether a line of version 1 is the beginning of one, or what a power cut made of it: zero bytes.
func cutOff(line []byte) bool {
	line = bytes.TrimRight(line, "\x00\r")
	return len(line) == 0 || line[0] == '{' && errors.Is(json.NewDecoder(bytes.NewReader(line)).Decode(new(Entry)), io.ErrUnexpectedEOF)
}

// shut keeps others from reading a journal that came from elsewhere. Some file systems keep no rights for a file: the run goes on there, no
// secret is in it.
func shut(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	err = f.Chmod(0o600)
	if runtime.GOOS == "windows" || errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// ready gives a journal the head that the next entry needs: nothing that is there is changed.
func ready(f *os.File, p pages) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	cut := p.torn > 0
	if last := make([]byte, 1); end > 0 {
		if _, err := f.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			cut = cut || p.version >= journalVersion
			if _, err := f.Write([]byte{'\n'}); err != nil {
				return err
			}
		}
	}
	if !cut && p.version == journalVersion {
		return nil
	}
	line, err := summed(head{Journal: journalVersion, Cut: cut})
	if err == nil {
		_, err = f.Write(line)
	}
	return err
}

// unreadable is the problem of a journal that is not what npsetup wrote. It is left as it is: what it tells may still be needed.
func unreadable(path string, err error) error {
	var f *faulty
	var n newer
	path = problem.Plain(path)
	switch {
	case errors.As(err, &n):
		return problem.New("the journal " + path + " is of a newer version").Coded(problem.NewerVersion).Because(fmt.Sprintf("its version is %d, and this npsetup knows %d", int(n), journalVersion)).
			Try("use the npsetup that wrote it, or a newer one").From(err)
	case errors.As(err, &f):
		return problem.New("the journal "+path+" is damaged").At("line "+strconv.Itoa(f.line)).Coded(problem.JournalDamaged).Because("line "+strconv.Itoa(f.line)+" "+f.why).
			Try("put the file back from a backup; it was not touched", "or move its folder away: the next run looks at everything anew and asks again what was done by hand, and npsetup undo no longer knows this run").From(err)
	}
	return err
}

func unwritable(err error) error {
	return problem.New("the journal cannot be written").Coded(problem.StateFolderUnusable).
		Unwritten(err, "mend the permissions of the state folder").Try("then npsetup resume --yes")
}

// Torn says which line of the journal a kill or a power cut left unfinished, and what follows from that; empty when none is.
func (d *Dir) Torn() string {
	if d.torn == 0 {
		return ""
	}
	return fmt.Sprintf("the last line of %s (line %d) was never written whole and counts for nothing; what it was about is looked at on the server", problem.Plain(filepath.Join(d.path, journalFile)), d.torn)
}
