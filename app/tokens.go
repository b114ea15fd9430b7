package app

import (
	"context"
	"errors"
	"time"

	"keytray/store/keys"
)

// Token is what may be shown of a tool's local token.
type Token struct {
	Tool     string
	Created  time.Time
	LastUsed time.Time // zero: never
	Static   bool      // from KEYTRAY_TOKEN
}

// TokenText is a token in plain text, for the tool's settings.
type TokenText struct {
	Tool  string
	Text  string
	Made  bool   // it is new
	Note  string // why it cannot be shown again, or ""
	Fixed string // what to do about that
}

// Token gives the tool's local token, and makes it on first use.
func (a *App) Token(ctx context.Context, tool string) (TokenText, error) {
	s, err := a.tokens.Show(ctx, tool)
	if errors.Is(err, keys.ErrUnknown) {
		s, note, err := a.tokens.Create(ctx, tool)
		a.tellOther(ctx, "tokens")
		return tokenText(tool, s, note, true), err
	}
	return tokenText(tool, s, nil, false), err
}

// RotateToken gives the tool a new token; the old one is refused from now on.
func (a *App) RotateToken(ctx context.Context, tool string) (TokenText, error) {
	s, note, err := a.tokens.Rotate(ctx, tool)
	a.tellOther(ctx, "tokens")
	return tokenText(tool, s, note, true), err
}

// RevokeToken refuses the tool's token from now on.
func (a *App) RevokeToken(ctx context.Context, tool string) error {
	_, err := a.tokens.Revoke(ctx, tool)
	a.tellOther(ctx, "tokens")
	return err
}

// Tokens lists the tools that have a token.
func (a *App) Tokens() []Token {
	var out []Token
	for _, t := range a.tokens.List() {
		out = append(out, Token{t.Name, t.Created, t.LastUsed, t.Static})
	}
	return out
}

func tokenText(tool string, s keys.Secret, note *keys.Problem, made bool) TokenText {
	t := TokenText{Tool: tool, Text: s.Reveal(), Made: made}
	if note != nil {
		t.Note, t.Fixed = note.Message, note.Remedy
	}
	return t
}
