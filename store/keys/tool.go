package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// TokenPrefix begins every token that Keytray makes.
	TokenPrefix = "kt-local-"

	tokenAccount = "token" // the keychain's accounts are token/TOOL
	maxTool      = 40
)

// Tool is a local program with a token of its own.
type Tool struct {
	Name string
	// Created and LastUsed are in UTC. LastUsed is zero if the token was never used.
	Created, LastUsed time.Time
	// Static marks a token that was given to Keytray, by KEYTRAY_TOKEN for instance; it is not in the file, and cannot be shown,
	// rotated or revoked.
	Static bool
}

// CheckTool checks a tool's name: a to z, 0 to 9 and . _ - and at most 40 characters, a letter or digit first.
func CheckTool(tool string) error {
	switch {
	case tool == "":
		return errors.New("the tool's name is missing")
	case len(tool) > maxTool:
		return fmt.Errorf("the tool's name is %d bytes long: use at most %d", len(tool), maxTool)
	case fitsTool(tool):
		return nil
	}
	if plain := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(tool)), " ", "-"); fitsTool(plain) {
		return fmt.Errorf("%q cannot be a tool's name: try %q", tool, plain)
	}
	return fmt.Errorf("%q cannot be a tool's name: use a to z, 0 to 9 and . _ - and begin with a letter or digit", tool)
}

func fitsTool(tool string) bool {
	for i, r := range tool {
		if letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'; !letter && (i == 0 || !strings.ContainsRune("._-", r)) {
			return false
		}
	}
	return tool != ""
}

func newToken() (Secret, error) {
	return NewSecret(TokenPrefix + strings.ToLower(rand.Text()+rand.Text()[:10])) // 36 characters of base32: 180 bits
}

func toolAccount(tool string) string { return tokenAccount + "/" + tool }
