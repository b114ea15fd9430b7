package keys

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// TokensOptions are the less common settings of Tokens. The zero value has none.
type TokensOptions struct {
	// Static are further tokens that are accepted, by the name that their tool gets: {"env": KEYTRAY_TOKEN}.
	Static map[string]Secret
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// Tokens are the local tokens of tools. A file holds their SHA-256 hashes; the tokens themselves are in the
// keychain, where there is one, so that they can be shown again. All methods may be called from several
// goroutines at once. Several processes may use the same file.
type Tokens struct {
	path   string
	kc     Keychain
	static []entry
	clock  func() time.Time

	now      atomic.Pointer[table]
	unsaved  atomic.Bool // a last use is in memory only
	nextLook atomic.Int64
	health   atomic.Pointer[Problem]

	mu sync.Mutex // one change at a time
}

// OpenTokens reads the tokens at path, usually tokens.json in Keytray's folder, which must exist; the file need not.
// kc may be nil. A file that holds something else is moved aside under a name that Health tells, and the list begins empty. The
// error means that the file cannot be used: unreadable, or written by a newer Keytray. The keychain is not
// touched.
func OpenTokens(path string, kc Keychain, o TokensOptions) (*Tokens, error) {
	t := &Tokens{path: path, kc: kc, clock: o.Clock}
	if t.kc == nil {
		t.kc = None{}
	}
	if t.clock == nil {
		t.clock = time.Now
	}
	for _, tool := range slices.Sorted(maps.Keys(o.Static)) {
		if secret := o.Static[tool]; !secret.IsZero() {
			t.static = append(t.static, entry{tool: tool, sum: hash(secret), used: &usedAt{}, static: true})
		}
	}
	t.now.Store(&table{entries: t.static})
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.sync(true); err != nil {
		return nil, err
	}
	return t, nil
}

func hash(s Secret) digest { return sha256.Sum256([]byte(s.Reveal())) }

// Health gives what was found damaged, and what became of it, or nil.
func (t *Tokens) Health() *Problem { return t.health.Load() }

// List gives all tools, sorted by name, from memory.
func (t *Tokens) List() []Tool {
	var tools []Tool
	for _, e := range t.now.Load().entries {
		tools = append(tools, Tool{Name: e.tool, Created: e.created, LastUsed: e.lastUsed(), Static: e.static})
	}
	slices.SortFunc(tools, func(a, b Tool) int { return cmp.Compare(a.Name, b.Name) })
	return tools
}

// Create makes a token for a tool that has none; ErrExists if it has one. The token is good at once, here and in other Keytray
// processes. If note is not nil, the token could not be put into the keychain, and so cannot be shown again.
func (t *Tokens) Create(ctx context.Context, tool string) (token Secret, note *Problem, err error) {
	return t.make(ctx, tool, false)
}

// Rotate gives the tool a new token, and the old one is refused from now on; ErrUnknown if it has none. The
// note is that of Create.
func (t *Tokens) Rotate(ctx context.Context, tool string) (token Secret, note *Problem, err error) {
	return t.make(ctx, tool, true)
}

func (t *Tokens) make(ctx context.Context, tool string, again bool) (token Secret, note *Problem, err error) {
	if err := t.checkName(tool); err != nil {
		return Secret{}, nil, err
	}
	if token, err = newToken(); err != nil {
		return Secret{}, nil, err
	}
	e := entry{tool: tool, sum: hash(token), created: t.clock().UTC().Truncate(time.Second), used: &usedAt{}}
	err = t.edit(ctx, func(entries []entry) ([]entry, error) {
		at := slices.IndexFunc(entries, func(have entry) bool { return have.tool == tool })
		switch {
		case again && at < 0:
			return nil, unknownTool(tool)
		case again:
			entries[at] = e
			return entries, nil
		case at >= 0:
			return nil, refuse(ErrExists, "%s has a token already; show it, or rotate it to get a new one", tool)
		}
		return append(entries, e), nil
	})
	if err != nil {
		return Secret{}, nil, err
	}
	// The file first: an old token must not outlive a rotation because the keychain does not answer.
	if err := t.kc.Set(ctx, toolAccount(tool), token.Reveal()); err != nil {
		p := &Problem{Kind: Failed, Err: err}
		if cause := AsProblem(err); cause != nil {
			p.Kind = cause.Kind
		}
		p.Message = fmt.Sprintf("the token of %s is shown this once: it could not be kept in the keychain (%v)", tool, err)
		p.Remedy = "Copy it now. If it is lost, rotate it: keytray token " + tool + " --rotate"
		return token, p, nil
	}
	return token, nil, nil
}

// Show gives the token of a tool. ErrUnknown if the tool has none; a *Problem that names the remedy, to rotate it, if it is not in the
// keychain or another one is; and the keychain's own if that cannot be asked.
func (t *Tokens) Show(ctx context.Context, tool string) (Secret, error) {
	if err := t.checkName(tool); err != nil {
		return Secret{}, err
	}
	if t.changed() {
		if err := t.Reload(); err != nil {
			return Secret{}, err
		}
	}
	entries := t.now.Load().entries
	at := slices.IndexFunc(entries, func(e entry) bool { return e.tool == tool })
	if at < 0 {
		return Secret{}, unknownTool(tool)
	}
	command := "keytray token " + tool + " --rotate"
	rotate := "Make a new one, and give it to the tool: " + command
	text, err := t.kc.Get(ctx, toolAccount(tool))
	if errors.Is(err, ErrNotFound) {
		return Secret{}, &Problem{Failed, "the token of " + tool + " was shown once, when it was made, and is not in the keychain", rotate, ErrNotFound}
	}
	if err != nil {
		return Secret{}, &Problem{kindOf(err), fmt.Sprintf("the token of %s cannot be shown: %v", tool, err), "If it was never kept in a keychain, or that does not come back, make a new one, and give it to the tool: " + command, err}
	}
	token, err := NewSecret(text)
	if err != nil || hash(token) != entries[at].sum {
		return Secret{}, &Problem{Damaged, "the keychain holds another token for " + tool + " than the one that is accepted", rotate, nil}
	}
	return token, nil
}

func kindOf(err error) Kind {
	if p := AsProblem(err); p != nil {
		return p.Kind
	}
	return Failed
}

// Revoke refuses the tool's token from now on; ErrUnknown if it has none. If note is not nil, the token is revoked, but a copy
// that no longer opens anything is left in the keychain.
func (t *Tokens) Revoke(ctx context.Context, tool string) (note *Problem, err error) {
	if err := t.checkName(tool); err != nil {
		return nil, err
	}
	err = t.edit(ctx, func(entries []entry) ([]entry, error) {
		at := slices.IndexFunc(entries, func(e entry) bool { return e.tool == tool })
		if at < 0 {
			return nil, unknownTool(tool)
		}
		return slices.Delete(entries, at, at+1), nil
	})
	if err != nil {
		return nil, err
	}
	if err := t.kc.Delete(ctx, toolAccount(tool)); err != nil && !errors.Is(err, ErrNotFound) && kindOf(err) != NoService {
		return &Problem{
			kindOf(err), fmt.Sprintf("the token of %s is revoked, but its copy is still in the keychain: %v", tool, err),
			"Nothing needs to be done: the copy opens nothing.", err,
		}, nil
	}
	return nil, nil
}

func unknownTool(tool string) error {
	return refuse(ErrUnknown, "%s has no token; make one with: keytray token %s", tool, tool)
}

func (t *Tokens) checkName(tool string) error {
	for _, e := range t.static {
		if e.tool == tool {
			return fmt.Errorf("%q is the name of the token given to Keytray from outside, which is not kept here", tool)
		}
	}
	return CheckTool(tool)
}
