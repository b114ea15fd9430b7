package llm

import (
	"encoding/base64"
	"strings"
)

// Seal packs opaque data and who made it into one string, for a client's
// dialect that has a place for a string of its own providers' and no more. It
// is standard base64, as all dialects ask of such a string.
func Seal(origin, opaque string) string {
	return base64.StdEncoding.EncodeToString([]byte(sealed + origin + "\x00" + opaque))
}

// Unseal unpacks what [Seal] packed; ok is false for any other string, which
// is then a provider's own.
func Unseal(s string) (origin, opaque string, ok bool) {
	if !IsSealed(s) {
		return "", "", false
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(string(b), sealed)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "\x00")
}

// IsSealed tells at a glance whether s is the work of [Seal].
func IsSealed(s string) bool { return strings.HasPrefix(s, sealedBase64) }

const (
	sealed       = "keytray1\x00" // nine bytes: a whole number of base64 letters
	sealedBase64 = "a2V5dHJheTEA"
)
