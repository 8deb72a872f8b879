package trust

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"npsetup/steps/problem"
)

// linuxStore chooses the family by /etc/os-release, whose members ID and ID_LIKE are described in os-release(5).
func linuxStore(m Machine) (system, error) {
	ids := osRelease(m)
	kin := func(names ...string) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(names, id) })
	}
	var f *fileStore
	switch {
	case kin("debian", "ubuntu"):
		f = debian(m)
	case kin("rhel", "fedora", "centos"):
		f = redHat(m)
	case len(ids) > 0:
		return nil, unknownSystem(ids[0])
	default:
		return nil, unknownSystem("this Linux")
	}
	info, err := os.Stat(m.path(f.activate[0]))
	if err != nil || !info.Mode().IsRegular() {
		return nil, problem.New("the tool " + f.activate[0] + " is not there").Because("it belongs to the package ca-certificates, without which this system keeps no list of trusted certificates").
			Try("install the package ca-certificates, then run the same command again").From(err)
	}
	return f, nil
}

// osRelease lists what a Linux calls itself, and then what it is like.
func osRelease(m Machine) []string {
	raw, err := readBounded(m.path("/etc/os-release"), 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		raw, _ = readBounded(m.path("/usr/lib/os-release"), 64<<10)
	}
	var id, like []string
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), "=")
		words := strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(value), `"'`)))
		switch strings.TrimSpace(name) {
		case "ID":
			id = words
		case "ID_LIKE":
			like = words
		}
	}
	return append(id, like...)
}

// Places of the Debian family: update-ca-certificates(8).
const (
	debianTool   = "/usr/sbin/update-ca-certificates"
	debianConfig = "/etc/ca-certificates.conf"
)

func debian(m Machine) *fileStore {
	f := &fileStore{m: m, folder: "/usr/local/share/ca-certificates", bundle: "/etc/ssl/certs/ca-certificates.crt", activate: []string{debianTool}}
	// Without --fresh the tool leaves the links of a file that is gone, and tells no hook, so that Java's list keeps it; with it, the
	// folder of links is empty for a moment. A list that takes the file out by its name does neither.
	f.withdraw = &withdrawal{
		says: "runs " + debianTool + " --certsconf FILE, a copy of " + debianConfig + " with the line !%s",
		run: func(ctx context.Context, file string) error {
			config, err := readBounded(m.path(debianConfig), maxFile)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			t, err := os.CreateTemp("", "npsetup-ca-certificates-*.conf")
			if err != nil {
				return err
			}
			defer func() { _ = os.Remove(t.Name()) }()
			_, err = fmt.Fprintf(t, "%s\n!%s\n", config, file)
			if err = errors.Join(err, t.Close()); err != nil {
				return err
			}
			_, err = m.Run(ctx, debianTool, "--certsconf", t.Name())
			return err
		},
	}
	return f
}

// redHat is Red Hat Enterprise Linux 7 and newer, Fedora and their kin: update-ca-trust(8).
func redHat(m Machine) *fileStore {
	return &fileStore{
		m: m, folder: "/etc/pki/ca-trust/source/anchors", bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		activate: []string{"/usr/bin/update-ca-trust", "extract"},
	}
}
