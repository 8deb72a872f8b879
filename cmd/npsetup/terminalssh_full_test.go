//go:build full

package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// sshd is a server of this test on loopback.
type sshd struct{ port, dir, client string }

// newSSHD starts one with keys of its own, and stops it at the end.
func newSSHD(t *testing.T, more ...string) sshd {
	t.Helper()
	server, keygen := needed(t, "sshd", "/usr/sbin/sshd"), needed(t, "ssh-keygen")
	s := sshd{dir: t.TempDir(), client: needed(t, "ssh"), port: freePort(t)}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"host", "user"} {
		if out, err := exec.CommandContext(t.Context(), keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, key)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	host, err := os.ReadFile(filepath.Join(s.dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Join([]string{
		"Port " + s.port, "ListenAddress 127.0.0.1", "HostKey " + filepath.Join(s.dir, "host"), "AuthorizedKeysFile " + filepath.Join(s.dir, "user.pub"), "PidFile none",
		"StrictModes no", "UsePAM no", "PasswordAuthentication no", "PermitRootLogin prohibit-password", "PrintMotd no", "PrintLastLog no",
	}, "\n") + "\n" + strings.Join(more, "\n") + "\n"
	for name, text := range map[string]string{"config": config, "known": "[127.0.0.1]:" + s.port + " " + string(host)} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	startSSHD(t, exec.Command(server, "-D", "-e", "-f", filepath.Join(s.dir, "config")))
	return s
}

// over is the command line of a client; tty is -tt or -T.
func (s sshd) over(tty, command string) []string {
	return []string{
		s.client, "-F", "/dev/null", tty, "-p", s.port, "-i", filepath.Join(s.dir, "user"), "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes",
		"-o", "UserKnownHostsFile=" + filepath.Join(s.dir, "known"), "127.0.0.1", command,
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return port
}

// startSSHD waits until the server listens.
func startSSHD(t *testing.T, c *exec.Cmd) {
	t.Helper()
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(log)
	said := ""
	for !strings.Contains(said, "Server listening") {
		line, err := r.ReadString('\n')
		said += line
		if err != nil {
			_ = c.Wait()
			t.Fatalf("sshd does not start: %s", said)
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = r.WriteTo(discard{})
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-drained
		_ = c.Wait()
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// TestTerminalOverSSH is the full screen over a real SSH connection, and the line mode over one without a terminal.
func TestTerminalOverSSH(t *testing.T) {
	s := newSSHD(t)
	st := newSite(t, sandbox.Options{})
	binary, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	w := newWindow(t)
	before := w.stty()
	w.typed("clear; " + quotedArgs(s.over("-tt", binary+" --state "+st.state)))
	w.key("Enter")
	w.see("Sets up Privilege Secure step by step")
	w.key("Enter")
	w.see("Origin of the certificate")
	w.key("Enter")
	w.see("Start in Auditor")
	w.key("Enter")
	w.see("Address of the NPS server")
	w.typed("https://half")
	w.small()
	w.key("C-c")
	w.see("Leave npsetup?")
	w.key("y")
	w.code(exitCancelled)
	if got := w.stty(); got != before {
		t.Errorf("stty is %s, was %s", got, before)
	}

	line := s.over("-T", binary+" --state "+st.state)
	out, err := exec.CommandContext(t.Context(), line[0], line[1:]...).CombinedOutput() // its input is empty
	if code(err) != exitCancelled || !strings.Contains(string(out), "line by line") {
		t.Errorf("without a terminal: exit %d\n%s", code(err), out)
	}
	if st.changes() != 0 {
		t.Error("something was changed")
	}
}

// quotedArgs is a command line for a shell.
func quotedArgs(args []string) string {
	var quoted []string
	for _, a := range args {
		quoted = append(quoted, "'"+strings.ReplaceAll(a, "'", `'\''`)+"'")
	}
	return strings.Join(quoted, " ")
}
