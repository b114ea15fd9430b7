package keys

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

const dots = "••••"

// Secret is a provider's key or a tool's token. Every way of printing or marshalling it gives dots; Reveal is
// the only way out. The zero Secret is empty. A Secret is immutable and may be shared between goroutines.
type Secret struct {
	// A function, not a string: fmt and debug printers reach into unexported fields of a struct that holds a
	// Secret without calling its methods, and a function shows them an address at most. It also makes
	// comparing two Secrets with == a compile error; Equal does it in constant time.
	open func() string
}

// NewSecret takes the white space, byte order marks and zero-width characters off both ends of s and checks
// that the rest can be sent in an HTTP header: one word of visible ASCII. The error says what is wrong
// with s, and never quotes it.
func NewSecret(s string) (Secret, error) {
	s = strings.TrimFunc(s, blank)
	if err := checkSecret(s); err != nil {
		return Secret{}, err
	}
	return Secret{open: func() string { return s }}, nil
}

// blank reports the runes that come along when a key is copied from a page or piped from a shell.
func blank(r rune) bool {
	return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b' || r == '\u200c' || r == '\u200d' || r == '\u2060'
}

func checkSecret(s string) error {
	if s == "" {
		return errors.New("the key is empty: paste or type the key that the provider gave you")
	}
	if !utf8.ValidString(s) {
		return errors.New("the key is not text: copy it again from the provider's page")
	}
	at := 0
	for _, r := range s {
		at++
		switch {
		case r == '\n' || r == '\r':
			return fmt.Errorf("the key has a line break after character %d: paste one key, on one line", at-1)
		case r == '\u0000' && at <= 2:
			return errors.New("the key is UTF-16 text: save or pipe it as UTF-8")
		case r < ' ' || r == 0x7f:
			return fmt.Errorf("the key has a control character (U+%04X) at position %d: copy it again from the provider's page", r, at)
		case len(s) > 7 && strings.EqualFold(s[:7], "bearer "):
			return errors.New(`the key begins with "Bearer ": paste only what follows it`)
		case unicode.IsSpace(r):
			return fmt.Errorf("the key has a space at position %d: a key is one word; copy it again from the provider's page", at)
		case r > '~':
			return fmt.Errorf("the key has a character (U+%04X) at position %d that no key can hold: copy it again from the provider's page, without formatting", r, at)
		}
	}
	if q := s[0]; len(s) > 1 && (q == '"' || q == '\'') && s[len(s)-1] == q {
		return errors.New("the key is inside quotation marks: paste it without them")
	}
	return nil
}

// Reveal gives the secret itself, or "" for the zero Secret. What it returns belongs in a request header or in
// the keychain, and nowhere else.
func (s Secret) Reveal() string {
	if s.open == nil {
		return ""
	}
	return s.open()
}

// IsZero reports whether there is no secret in s.
func (s Secret) IsZero() bool { return s.open == nil }

// Equal compares in a time that does not depend on where the two differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Hint gives dots and the last four characters, to tell two keys apart: "••••3f9a". A secret shorter than 16
// characters gives dots alone, so that never more than a quarter of one is shown.
func (s Secret) Hint() string {
	v := s.Reveal()
	if len(v) < 16 {
		return dots
	}
	return dots + v[len(v)-4:]
}

// String gives dots.
func (Secret) String() string { return dots }

// GoString gives dots.
func (Secret) GoString() string { return dots }

// Format writes dots for every verb and flag.
func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, dots) }

// MarshalText gives dots.
func (Secret) MarshalText() ([]byte, error) { return []byte(dots), nil }

// MarshalJSON gives dots in quotation marks.
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(dots) }

// MarshalYAML gives dots.
func (Secret) MarshalYAML() (any, error) { return dots, nil }

// LogValue gives dots.
func (Secret) LogValue() slog.Value { return slog.StringValue(dots) }
