package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
)

// A command and the running Keytray prove to each other that they read the same
// running.json, and neither ever sends the secret in it: another program may
// have taken the port of a Keytray that died. The command makes a nonce and
// sends its proof for what it asks; the answer carries the other side's proof
// for the same.
const (
	nonceHeader    = "Keytray-Nonce"
	askedHeader    = "Keytray-Control"
	answeredHeader = "Keytray-Proof"
)

// prove is what only who knows the secret can say, on one side (the header that
// it stands in), to one question, once.
func prove(secret, side, what, nonce string) string {
	h := hmac.New(sha256.New, []byte(secret))
	for _, part := range []string{side, what, nonce} {
		fmt.Fprintf(h, "%d:%s\n", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// proved tells whether a message holds the proof of one side.
func proved(header http.Header, secret, side, what, nonce string) bool {
	return secret != "" && nonce != "" && hmac.Equal([]byte(header.Get(side)), []byte(prove(secret, side, what, nonce)))
}

// questionOf is what a request to the control path asks for, as its proof has it.
func questionOf(r *http.Request) string { return strings.TrimPrefix(r.URL.RequestURI(), controlPath) }

// impostor is the error of an address where Keytray should be and something
// else is, or something that says nothing.
type impostor struct {
	address string
	silent  bool
}

func (e impostor) Error() string {
	if e.silent {
		return fmt.Sprintf("what listens on %s does not answer: if it is Keytray, stop it and start it again; if not, stop it or choose another address under listen in config.yaml", e.address)
	}
	return fmt.Sprintf("something else answers on %s, where Keytray was last: stop it, or choose another address under listen in config.yaml, and start Keytray", e.address)
}
