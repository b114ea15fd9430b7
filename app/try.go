package app

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// ownTool is the name of Keytray's own window in the ledger.
const ownTool = "keytray"

// isOwnToken tells whether a token is the one this process made for itself.
func (a *App) isOwnToken(token string) bool {
	return a.own != "" && subtle.ConstantTimeCompare([]byte(token), []byte(a.own)) == 1
}

// TryDemo sends one request to the demo model through the front door, as a tool
// would, and gives the answer's text. The call has a row, of the tool keytray.
func (a *App) TryDemo(ctx context.Context, say string) (string, error) {
	addr, err := a.Addr()
	if addr == "" {
		return "", errors.Join(errNoListen, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]any{
		"model":    demoProvider + "/" + demoModel,
		"messages": []map[string]string{{"role": "user", "content": say}},
	})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+loopback(addr)+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+a.own)
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return "", fmt.Errorf("call Keytray's own front door: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("read the demo model's answer: %w", err)
	}
	var answer struct {
		Choices []struct{ Message struct{ Content string } }
		Error   *struct{ Message string }
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return "", fmt.Errorf("read the demo model's answer (%s): %w", resp.Status, err)
	}
	switch {
	case answer.Error != nil:
		return "", errors.New(answer.Error.Message)
	case len(answer.Choices) == 0:
		return "", fmt.Errorf("the demo model answered %s with nothing in it", resp.Status)
	}
	return answer.Choices[0].Message.Content, nil
}

// loopback is how this computer calls an address that it listens on.
func loopback(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// ImportKey copies a key that comes from the environment or the command line
// into the keychain, so that it is there without them. label "" is "default".
func (a *App) ImportKey(ctx context.Context, provider, from, label string) error {
	all, err := a.ring.Keys(ctx, provider)
	for i, k := range show(all) {
		if k.Label == from && !k.Stored {
			return a.AddKey(ctx, provider, label, all[i].Secret.Reveal())
		}
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s has no key %q outside the keychain any more", provider, from)
}
