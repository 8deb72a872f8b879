package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// toolLimit is how long a tool may take: update-ca-certificates runs the hooks of other packages.
const toolLimit = 2 * time.Minute

// outputLimit is the most that is kept of what a tool prints: a keychain with a thousand certificates has two megabytes.
const outputLimit = 16 << 20

// runTool starts a program by its absolute path. Nothing of this process's environment reaches it: a PATH or an OPENSSL_CONF of
// somebody who ran sudo must not steer it.
func runTool(ctx context.Context, program string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	c.Dir = "/"
	out, said := &bounded{limit: outputLimit}, &bounded{limit: 64 << 10}
	c.Stdout, c.Stderr = out, said
	c.WaitDelay = time.Second
	err := c.Run()
	switch {
	case err == nil && out.over:
		return nil, fmt.Errorf("%s printed more than %d MiB", program, outputLimit>>20)
	case err == nil:
		return out.kept.Bytes(), nil
	case ctx.Err() != nil:
		err = fmt.Errorf("it did not end within %s", toolLimit)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if line := lastLine(said.kept.String()); line != "" {
			return nil, fmt.Errorf("%s: %s: %s", program, err.Error(), line)
		}
	}
	return nil, fmt.Errorf("%s: %w", program, err)
}

// lastLine is what a tool said at its end: there the reason stands.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	line := []rune(problem.Plain(strings.TrimSpace(lines[len(lines)-1])))
	if len(line) > 300 {
		line = append(line[:300], '…')
	}
	return string(line)
}

// bounded keeps the beginning of what is written. It has no other way in than Write: that of the buffer has no bound.
type bounded struct {
	kept  bytes.Buffer
	limit int
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	keep := min(len(p), b.limit-b.kept.Len())
	b.over = b.over || keep < len(p)
	_, _ = b.kept.Write(p[:keep])
	return len(p), nil
}
