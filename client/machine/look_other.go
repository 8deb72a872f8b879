//go:build !windows

package machine

import "errors"

var errNotWindows = errors.New("this machine does not run Windows")

func windowsServices() ([]Service, error) { return nil, errNotWindows }

func windowsPrograms() ([]Program, error) { return nil, errNotWindows }
