package problem

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// diskFull is ERROR_DISK_FULL, on Windows; elsewhere the number is another error's.
const diskFull = syscall.Errno(112)

// Unwritten says why something could not be written, and what helps: room where there was none, another place where nothing may be written at
// all, and otherwise what is given.
func (p *Problem) Unwritten(err error, otherwise ...string) *Problem {
	p.Because(p.reason(err)).From(err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), runtime.GOOS == "windows" && errors.Is(err, diskFull):
		p.Try("make room on the disk where it is, or name another place, then go on with the same command")
		if p.Code == "" {
			p.Code = DiskFull
		}
	case errors.Is(err, syscall.EROFS):
		p.Try("nothing can be written to that disk: name another place")
	case NoFileLeft(err):
		p.Try(moreFiles)
	default:
		p.Try(otherwise...)
	}
	return p
}

// reason is why something could not be written, without its place where that was told already.
func (p *Problem) reason(err error) string {
	var file *fs.PathError
	var link *os.LinkError
	at, why := "", error(nil)
	switch {
	case errors.As(err, &file):
		at, why = file.Path, file.Err
	case errors.As(err, &link):
		at, why = link.New, link.Err
	}
	if dir := filepath.Dir(at); why != nil && (dir == "." || strings.Contains(p.What, dir)) {
		return Plain(why.Error())
	}
	return Plain(err.Error())
}

const moreFiles = "allow more open files (ulimit -n 256), then go on with the same command"

// NoFileLeft says whether an error is about this machine's bound of open files and connections, and not about what was to be opened.
func NoFileLeft(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// OutOfFiles is the problem of a connection that this machine could not open.
func OutOfFiles(to string, err error) *Problem {
	return New("no connection to " + to + " could be opened").Because("this machine allows no more open files: " + Plain(err.Error())).Try(moreFiles).From(err)
}
