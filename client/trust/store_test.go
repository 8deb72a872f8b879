package trust

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"npsetup/steps/problem"
)

var families = []string{"debian", "redhat", "macos"}

func each(t *testing.T, f func(t *testing.T, m *machine)) {
	for _, os := range families {
		t.Run(os, func(t *testing.T) { f(t, newMachine(t, os)) })
	}
}

func standing(t testing.TB, s *Store, c identity) Standing {
	t.Helper()
	is, err := s.Find(t.Context(), c.cert)
	must(t, err)
	return is
}

// TestStoreInAndOut is the life of a certificate in a store, with the commands that each family gets.
func TestStoreInAndOut(t *testing.T) {
	root := issue(t, caTemplate("Contoso Root CA"), nil)
	name := "npsetup-" + sha1Of(root.cert.Raw) + ".crt"
	mac := "/Library/Application Support/npsetup/" + name
	want := map[string][2][]string{
		"debian": {{"/usr/sbin/update-ca-certificates"}, {"/usr/sbin/update-ca-certificates --certsconf FILE"}},
		"redhat": {{"/usr/bin/update-ca-trust extract"}, {"/usr/bin/update-ca-trust extract"}},
		"macos": {
			{"/usr/bin/security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain " + mac},
			{"/usr/bin/security remove-trusted-cert -d " + mac, "/usr/bin/security delete-certificate -Z " + strings.ToUpper(sha1Of(root.cert.Raw)) + " /Library/Keychains/System.keychain"},
		},
	}
	each(t, func(t *testing.T, m *machine) {
		m.trusts(issue(t, caTemplate("Somebody's CA"), nil))
		before := m.files()
		s := m.open()
		if is := standing(t, s, root); is != (Standing{}) {
			t.Fatalf("at first: %+v", is)
		}
		must(t, s.Install(t.Context(), root.cert))
		if got := m.changed(); !slices.Equal(got, want[m.os][0]) {
			t.Errorf("installed by %q", got)
		}
		if is := standing(t, s, root); is != (Standing{Trusted: true, Ours: true}) {
			t.Errorf("installed: %+v", is)
		}
		after := m.files()
		must(t, s.Install(t.Context(), root.cert))
		if got := m.changed(); len(got) > 0 || !maps.Equal(after, m.files()) {
			t.Errorf("a second time something was done: %q", got)
		}
		must(t, s.Remove(t.Context(), root.cert, false, false))
		got := m.changed()
		if m.os == "debian" && len(got) == 1 {
			got[0] = strings.Split(got[0], "--certsconf")[0] + "--certsconf FILE"
		}
		if !slices.Equal(got, want[m.os][1]) {
			t.Errorf("removed by %q", got)
		}
		if is := standing(t, s, root); is != (Standing{}) {
			t.Errorf("removed: %+v", is)
		}
		if now := m.files(); !maps.Equal(before, now) {
			t.Errorf("left behind: %q, before: %q", slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(before)))
		}
		must(t, s.Remove(t.Context(), root.cert, false, false))
		if got := m.changed(); len(got) > 0 {
			t.Errorf("what is not there was removed by %q", got)
		}
	})
}

// TestStoreLeavesOthersAlone: what somebody else put there is found, and stays.
func TestStoreLeavesOthersAlone(t *testing.T) {
	root := issue(t, caTemplate("Contoso Root CA"), nil)
	each(t, func(t *testing.T, m *machine) {
		m.trusts(root)
		before := m.files()
		s := m.open()
		is := standing(t, s, root)
		if !is.Trusted || is.Ours || is.Holder == "" || m.os != "macos" && !strings.Contains(is.Holder, "/others.crt") {
			t.Errorf("%+v", is)
		}
		must(t, s.Install(t.Context(), root.cert))
		err := s.Remove(t.Context(), root.cert, false, false)
		if err == nil || !strings.Contains(err.Error(), "npsetup takes out what it put in itself") {
			t.Errorf("removed: %v", err)
		}
		if got := m.changed(); len(got) > 0 || !maps.Equal(before, m.files()) {
			t.Errorf("something was done: %q", got)
		}
		err = s.Remove(t.Context(), root.cert, true, false)
		if s.TakesAny() != (err == nil) || s.TakesAny() == standing(t, s, root).Trusted {
			t.Errorf("with any: %v, %+v", err, standing(t, s, root))
		}
	})
}

// TestStoreAfterAFailure: a tool that fails leaves neither a certificate that nobody knows of, nor one that is forgotten.
func TestStoreAfterAFailure(t *testing.T) {
	root := issue(t, caTemplate("Contoso Root CA"), nil)
	each(t, func(t *testing.T, m *machine) {
		s := m.open()
		before := m.files()
		m.fail = map[string]string{"macos": "add-trusted-cert"}[m.os]
		if m.os != "macos" {
			m.fail = "/update-ca"
		}
		err := s.Install(t.Context(), root.cert)
		if err == nil || !strings.Contains(err.Error(), "as the test wants it") || len(problem.All(err)[0].Next) == 0 {
			t.Fatalf("%v", err)
		}
		if now := m.files(); !maps.Equal(before, now) {
			t.Errorf("left behind: %q", slices.Sorted(maps.Keys(now)))
		}
		m.fail = ""
		must(t, s.Install(t.Context(), root.cert))
		m.fail = map[string]string{"macos": "remove-trusted-cert"}[m.os]
		if m.os != "macos" {
			m.fail = "/update-ca"
		}
		if err := s.Remove(t.Context(), root.cert, false, false); err == nil {
			t.Error("a failed removal passes for one")
		}
		if is := standing(t, s, root); !is.Trusted || !is.Ours {
			t.Errorf("after a failed removal: %+v", is)
		}
		m.fail = ""
		must(t, s.Remove(t.Context(), root.cert, false, false))
	})
}

// TestStoreAfterAKill: what was cut off between file and tool is ended by the next run.
func TestStoreAfterAKill(t *testing.T) {
	root := issue(t, caTemplate("Contoso Root CA"), nil)
	for family, folder := range map[string]string{"debian": "usr/local/share/ca-certificates", "redhat": "etc/pki/ca-trust/source/anchors"} {
		m := newMachine(t, family)
		s := m.open()
		file := filepath.Join(m.root, folder, anchorFile(root.cert))
		must(t, os.WriteFile(file, pemOf(root.cert), 0o644))
		if is := standing(t, s, root); is != (Standing{Ours: true}) {
			t.Errorf("%s, the file alone: %+v", family, is)
		}
		must(t, s.Install(t.Context(), root.cert))
		must(t, os.Remove(file))
		if is := standing(t, s, root); !is.Trusted || is.Ours {
			t.Errorf("%s, without the file: %+v", family, is)
		}
		must(t, s.Remove(t.Context(), root.cert, false, true))
		if is := standing(t, s, root); is != (Standing{}) {
			t.Errorf("%s, removal ended: %+v", family, is)
		}
	}
	m := newMachine(t, "macos")
	s := m.open()
	must(t, s.Install(t.Context(), root.cert))
	m.run(t.Context(), macTool, "remove-trusted-cert", "-d", "/")
	m.fail = "remove-trusted-cert"
	if err := s.Remove(t.Context(), root.cert, false, true); err == nil {
		t.Error("settings that could not be taken away pass for gone")
	}
}

// TestStoreTouchesNoForeignFile: under the name that npsetup gives stands something else, or a link.
func TestStoreTouchesNoForeignFile(t *testing.T) {
	root := issue(t, caTemplate("Contoso Root CA"), nil)
	m := newMachine(t, "debian")
	s := m.open()
	file := filepath.Join(m.root, "usr/local/share/ca-certificates", anchorFile(root.cert))
	elsewhere := filepath.Join(m.root, "elsewhere")
	for what, plant := range map[string]func() error{
		"other text": func() error { return os.WriteFile(file, []byte("mine"), 0o600) },
		"a link":     func() error { return os.Symlink(elsewhere, file) },
		"a link to the certificate": func() error {
			return errors.Join(os.WriteFile(elsewhere, pemOf(root.cert), 0o600), os.Symlink(elsewhere, file))
		},
		"a folder": func() error { return os.Mkdir(file, 0o700) },
	} {
		must(t, plant())
		err := s.Install(t.Context(), root.cert)
		if err == nil || !strings.Contains(err.Error(), "exists already") {
			t.Errorf("%s: %v", what, err)
		}
		if is := standing(t, s, root); is.Ours {
			t.Errorf("%s counts as ours", what)
		}
		if got := m.changed(); len(got) > 0 {
			t.Errorf("%s: %q", what, got)
		}
		must(t, os.RemoveAll(file))
	}
}

func TestStoreByThumbprint(t *testing.T) {
	ours, theirs := issue(t, caTemplate("Ours"), nil), issue(t, caTemplate("Theirs"), nil)
	each(t, func(t *testing.T, m *machine) {
		m.trusts(theirs)
		s := m.open()
		must(t, s.Install(t.Context(), ours.cert))
		for _, c := range []identity{ours, theirs} {
			d := Describe(c.cert)
			for _, typed := range []string{d.SHA1, strings.ToUpper(d.SHA256), "\u200e" + d.SHA1[:20] + " " + d.SHA1[20:], d.SHA256[:2] + ":" + d.SHA256[2:]} {
				digits, ok := Thumbprint(typed)
				found, err := s.ByThumbprint(t.Context(), digits)
				if err != nil || !ok || found == nil || !found.Equal(c.cert) {
					t.Errorf("%s: %v, %v", typed, found, err)
				}
			}
		}
		if found, err := s.ByThumbprint(t.Context(), strings.Repeat("0", 40)); found != nil || err != nil {
			t.Errorf("%v, %v", found, err)
		}
	})
	for _, bad := range []string{"", "abc", strings.Repeat("0", 41), strings.Repeat("g", 40), "/tmp/ca.pem"} {
		if _, ok := Thumbprint(bad); ok {
			t.Errorf("%q passes for a thumbprint", bad)
		}
	}
}

// TestStoreShowsWhatItDoes: what is said beforehand names every file and every program, and nothing needs telling that is not
// said.
func TestStoreShowsWhatItDoes(t *testing.T) {
	root := issue(t, caTemplate("Contoso Root CA"), nil)
	each(t, func(t *testing.T, m *machine) {
		s := m.open()
		for _, remove := range []bool{false, true} {
			said := strings.ReplaceAll(strings.ReplaceAll(strings.Join(s.Does(root.cert, remove), "\n"), m.root, ""), `"`, "")
			if remove {
				must(t, s.Remove(t.Context(), root.cert, false, false))
			} else {
				must(t, s.Install(t.Context(), root.cert))
			}
			for _, call := range m.changed() {
				if !strings.Contains(said, "runs "+strings.Split(call, " --certsconf")[0]) {
					t.Errorf("%q was not said: %s", call, said)
				}
			}
			if !strings.Contains(said, anchorFile(root.cert)) || !strings.Contains(s.Needs(), "root") {
				t.Errorf("said: %s; needs %s", said, s.Needs())
			}
		}
	})
}

// TestStoreWithoutRights names the command line that has them, and starts nothing.
func TestStoreWithoutRights(t *testing.T) {
	m := newMachine(t, "debian")
	v := m.values()
	v.Elevated = func() bool { return false }
	s, err := OpenStore(v)
	must(t, err)
	err = s.Allowed([]string{"/opt/npsetup", "trust", "install", "/tmp/ca.pem"})
	if err == nil || !strings.Contains(strings.Join(problem.All(err)[0].Next, "\n"), "sudo /opt/npsetup trust install /tmp/ca.pem") {
		t.Errorf("%v", err)
	}
	if err := m.open().Allowed(nil); err != nil {
		t.Error(err)
	}
	if len(m.calls) > 0 {
		t.Errorf("%q", m.calls)
	}
}

func TestStoreFindsTheFamily(t *testing.T) {
	for text, want := range map[string]string{
		"ID=debian\n": "/usr/local/share/ca-certificates", "ID=ubuntu\nID_LIKE=debian\n": "/usr/local/share/ca-certificates", "ID=\"linuxmint\"\nID_LIKE=\"ubuntu debian\"": "/usr/local/share/ca-certificates",
		"ID='fedora'\n": "/etc/pki/ca-trust/source/anchors", "ID=\"rhel\"\r\n": "/etc/pki/ca-trust/source/anchors", "ID_LIKE=\"rhel fedora\"\nID=ol": "/etc/pki/ca-trust/source/anchors",
		"ID=alpine\n": "", "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"": "", "": "", "ID": "", strings.Repeat("x", 70<<10) + "\nID=debian": "",
	} {
		m := newMachine(t, "debian")
		m.write("usr/bin/update-ca-trust", "")
		m.write("etc/os-release", text)
		s, err := OpenStore(m.values())
		switch {
		case want == "" && (err == nil || !problem.Is(err, problem.Usage) || len(problem.All(err)[0].Next) == 0):
			t.Errorf("%.40q: %v", text, err)
		case want != "" && (err != nil || s.Name() != want):
			t.Errorf("%.40q: %v", text, err)
		}
	}
	m := newMachine(t, "debian")
	must(t, os.Remove(filepath.Join(m.root, "usr/sbin/update-ca-certificates")))
	if _, err := OpenStore(m.values()); err == nil || !strings.Contains(strings.Join(problem.All(err)[0].Next, ""), "install the package ca-certificates") {
		t.Errorf("without its tool: %v", err)
	}
	if _, err := OpenStore(Machine{GOOS: "plan9"}); err == nil {
		t.Error("plan9 is known")
	}
}
