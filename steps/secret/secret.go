// Package secret holds values that must not be printed. It neither finds secrets nor stores them: it makes sure that a
// value which got into a Secret leaves it again only by a named door.
//
// The doors are Wire, for the transport that sends the value to its server, and HandOver, for a person who asked for it.
// A test lists every caller of both.
package secret

import (
	"fmt"
	"io"
	"log/slog"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Mask is what every printing of a Secret shows in its place.
const Mask = "••••"

// Secret is a value that prints as Mask. The zero value is empty and prints as an empty text. Compare with Equal, not ==.
type Secret struct {
	// A pointer, because fmt goes round every method for members with small initials and for the verbs %w and %p; of a
	// pointer to a text it prints the address.
	value *string
}

// New takes a value in.
func New(value string) Secret { return Secret{value: &value} }

func (s Secret) text() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty says whether there is nothing in it.
func (s Secret) Empty() bool { return s.text() == "" }

// Equal compares two secrets without showing either.
func (s Secret) Equal(other Secret) bool { return s.text() == other.text() }

// Wire gives the value to a transport. Nothing else may call it.
func (s Secret) Wire() string { return s.text() }

// Arrived describes a long secret so that a person sees that it arrived whole: its length and its last two characters.
// Short ones (under 16 characters: passwords, codes) are only said to be received.
func (s Secret) Arrived() string {
	r := []rune(s.text())
	switch {
	case len(r) == 0:
		return "empty"
	case len(r) < 16:
		return "received"
	}
	for i := len(r) - 2; i < len(r); i++ {
		if !strconv.IsPrint(r[i]) { // what was pasted may hold anything, and this is for a terminal
			r[i] = '\uFFFD'
		}
	}
	return fmt.Sprintf("%d characters, ends in %s", len(r), string(r[len(r)-2:]))
}

// Size tells how long the secret is, for who compares what was handed over.
func (s Secret) Size() string { return fmt.Sprintf("%d characters", len([]rune(s.text()))) }

func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return Mask
}

// GoString masks %#v.
func (s Secret) GoString() string { return s.String() }

// Format masks every verb, also %x and %q, which String alone would let through in pieces.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText masks encoders that ask for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON masks JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// LogValue masks structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

var _ slog.LogValuer = Secret{}

// Scrubber replaces secrets that it knows in texts that come from elsewhere, such as a server's error message that repeats
// what was sent. The zero value is ready; it may be used from several goroutines.
type Scrubber struct {
	mu    sync.RWMutex
	known []string
}

// Add makes the scrubber know s. Values under four bytes are left out: they would blot out ordinary words.
func (c *Scrubber) Add(s Secret) {
	value := s.text()
	if len(value) < 4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.known {
		if k == value {
			return
		}
	}
	c.known = append(c.known, value)
	sort.Slice(c.known, func(i, j int) bool { return len(c.known[i]) > len(c.known[j]) })
}

// Scrub returns text with every known secret replaced by Mask.
func (c *Scrubber) Scrub(text string) string {
	if c == nil {
		return text
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, k := range c.known {
		text = strings.ReplaceAll(text, k, Mask)
	}
	return text
}
