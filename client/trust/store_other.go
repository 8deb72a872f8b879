//go:build !windows

package trust

import "os"

func windowsStore() (system, error) { return nil, unknownSystem("windows, seen from another system,") }

func eachPersonal(func(der []byte)) error { return errNotWindows }

func elevated() bool { return os.Geteuid() == 0 }
