package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
)

// LentPrefix begins every token of Lend, and no other.
const LentPrefix = TokenPrefix + "run-"

// Lend gives a tool that has a token a second one, for when the first cannot be shown. It is made from secret and the first one's
// hash, so it is the same each time, is kept nowhere, and is good for CheckLent with the same secret until the tool's own token is
// rotated or revoked. ErrUnknown if the tool has none.
func (t *Tokens) Lend(tool, secret string) (Secret, error) {
	if err := t.checkName(tool); err != nil {
		return Secret{}, err
	}
	e := t.named(tool)
	if e == nil {
		return Secret{}, unknownTool(tool)
	}
	return NewSecret(LentPrefix + tool + "-" + lentMark(e, secret))
}

// CheckLent gives the tool that a token was lent to with secret, which is not empty. It touches no disk.
func (t *Tokens) CheckLent(token, secret string) (tool string, ok bool) {
	body, lent := strings.CutPrefix(token, LentPrefix)
	at := strings.LastIndexByte(body, '-')
	if !lent || at < 0 || secret == "" {
		return "", false
	}
	e := t.named(body[:at])
	if e == nil || e.static || !hmac.Equal([]byte(body[at+1:]), []byte(lentMark(e, secret))) {
		return "", false
	}
	t.use(e)
	return e.tool, true
}

func (t *Tokens) named(tool string) *entry {
	entries := t.now.Load().entries
	at := slices.IndexFunc(entries, func(e entry) bool { return e.tool == tool })
	if at < 0 {
		return nil
	}
	return &entries[at]
}

func lentMark(e *entry, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("lent to " + e.tool + "\x00"))
	h.Write(e.sum[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)))
}
