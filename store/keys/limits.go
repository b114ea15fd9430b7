package keys

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// The limits of the keychains. Windows: CRED_MAX_CREDENTIAL_BLOB_SIZE, 5 x 512 bytes. macOS: go-keyring hands one line
// to security(1), which reads at most 4,096 bytes. Linux sets none; this one keeps nonsense out.
const (
	windowsLimit = 2560
	macLine      = 4096
	otherLimit   = 32 << 10
)

// fits answers TooLarge if value cannot be stored under account on the system goos.
func fits(goos, service, account, value string) *Problem {
	size, limit := len(value), otherLimit
	switch goos {
	case "windows":
		limit = windowsLimit
	case "darwin":
		// What go-keyring writes: the words, both names with quotes, and a prefix before the value in base64.
		frame := len("add-generic-password -U -s  -a  -w \n") + len("'go-keyring-base64:'") + quoted(service) + quoted(account)
		limit = (macLine - frame) / 4 * 3
		size = base64.StdEncoding.EncodedLen(len(value)) / 4 * 3
	}
	if size <= limit {
		return nil
	}
	return &Problem{
		Kind:    TooLarge,
		Message: fmt.Sprintf("the value of %s is %d bytes long, and the system's keychain takes at most %d", account, len(value), limit),
		Remedy:  "Check that it is one key and nothing else; a longer one can be given in an environment variable.",
	}
}

// quoted is the length of s in quotation marks, each mark inside it written as five characters.
func quoted(s string) int { return len(s) + 2 + 4*strings.Count(s, "'") }
