package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ollama/ollama/api"
	ollamamodel "github.com/ollama/ollama/types/model"

	"keytray/proxy/llm"
	"keytray/proxy/upstream"
)

const (
	ollamaProvider = "ollama"
	ollamaDefault  = "http://127.0.0.1:11434"
)

// ollama knows what the local Ollama has. It answers from memory what it was
// told in the last few seconds, and asks otherwise, one question at a time.
type ollama struct {
	network *upstream.Network
	changed func() // called when the models are others than before
	// behind runs f beside the caller; nil: before it goes on.
	behind func(f func(context.Context))

	asks sync.Mutex // held while asking for the list

	mu      sync.Mutex
	base    string
	changes int // how often forget was called
	asked   time.Time
	err     error
	models  []api.ListModelResponse
	asking  bool                 // behind somebody
	ability map[string]llm.Flags // by name and digest
}

const (
	// fresh is how long a list of models is good for.
	fresh = 5 * time.Second
	// patience is how long a question to Ollama may take.
	patience = 2 * time.Second
)

func (o *ollama) setBase(base string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.base != base {
		o.base, o.asked, o.models, o.err = base, time.Time{}, nil, nil
	}
}

// known is the list in memory; ok is false if it is too old.
func (o *ollama) known() (models []api.ListModelResponse, ok bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.models, o.base == "" || time.Since(o.asked) <= fresh, o.err
}

// list is the models that are installed, asked anew if need be. The caller
// does not change it.
func (o *ollama) list(ctx context.Context) ([]api.ListModelResponse, error) {
	if models, ok, err := o.known(); ok {
		return models, err
	}
	o.asks.Lock()
	defer o.asks.Unlock()
	if models, ok, err := o.known(); ok { // another caller has asked meanwhile
		return models, err
	}
	o.mu.Lock()
	base, changes := o.base, o.changes
	o.mu.Unlock()
	var got api.ListResponse
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := o.ask(limited, base, http.MethodGet, "/api/tags", nil, &got)
	if err != nil && ctx.Err() != nil {
		return nil, err // the caller gave up, which says nothing of Ollama
	}
	if o.learn(base, changes, got.Models, err) {
		o.changed()
	}
	return got.Models, err
}

// recent is list for calls that may have nothing to do with Ollama: where it
// did not answer the last time, it is asked behind the caller, since a host
// that swallows questions would hold up each of them.
func (o *ollama) recent() ([]api.ListModelResponse, error) {
	models, ok, err := o.known()
	if ok {
		return models, err
	}
	if err == nil || o.behind == nil {
		return o.list(context.Background()) // which bounds itself
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.asking {
		o.asking = true
		o.behind(func(ctx context.Context) {
			_, _ = o.list(ctx) // it is remembered
			o.mu.Lock()
			defer o.mu.Unlock()
			o.asking = false
		})
	}
	return nil, err
}

// learn keeps an answer, unless Ollama has moved meanwhile, and tells whether
// the models are others than before. An answer that a change has overtaken
// (there were fewer changes when it was asked for) is out of date at once.
func (o *ollama) learn(base string, changes int, models []api.ListModelResponse, err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.base != base {
		return false
	}
	same := slices.EqualFunc(o.models, models, func(a, b api.ListModelResponse) bool {
		return a.Name == b.Name && a.Digest == b.Digest
	})
	o.asked, o.models, o.err = time.Now(), models, err
	if o.changes != changes {
		o.asked = time.Time{}
	}
	return !same
}

// named tells whether an installed model has the name, whose ":latest" may be
// left out.
func named(m *api.ListModelResponse, name string) bool {
	return m.Name == name || m.Name == name+":latest"
}

// find is an installed model by its name.
func (o *ollama) find(name string) (m api.ListModelResponse, ok bool) {
	models, err := o.recent()
	if err != nil {
		return m, false
	}
	i := slices.IndexFunc(models, func(m api.ListModelResponse) bool { return named(&m, name) })
	if i < 0 {
		return m, false
	}
	return models[i], true
}

// installed is the full name of an installed model.
func (o *ollama) installed(name string) (string, bool) {
	m, ok := o.find(name)
	return m.Name, ok
}

// remote tells whether Ollama passes calls of a model on to its cloud,
// whatever the user has named the model; there is false of what is not
// installed.
func (o *ollama) remote(name string) (remote, there bool) {
	m, there := o.find(name)
	return m.RemoteHost != "", there
}

func (o *ollama) names() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for _, m := range o.models {
		out = append(out, m.Name)
	}
	return out
}

// standIn is the model that answers for ones Ollama lacks: the largest that
// runs here. One in the cloud takes no room, so it comes last.
func (o *ollama) standIn() string {
	models, err := o.list(context.Background())
	if err != nil || len(models) == 0 {
		return ""
	}
	return slices.MaxFunc(models, func(a, b api.ListModelResponse) int { return cmp.Compare(a.Size, b.Size) }).Name
}

// abilities are a model's capabilities as flags; none if Ollama does not say.
func (o *ollama) abilities(ctx context.Context, name string) llm.Flags {
	o.mu.Lock()
	base, key := o.base, "" // "": a model not listed yet may change any time
	if i := slices.IndexFunc(o.models, func(m api.ListModelResponse) bool { return named(&m, name) }); i >= 0 {
		key = o.models[i].Name + "@" + o.models[i].Digest
	}
	flags, ok := o.ability[key]
	o.mu.Unlock()
	if ok {
		return flags
	}
	var show api.ShowResponse
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.ask(ctx, base, http.MethodPost, "/api/show", api.ShowRequest{Model: name}, &show); err != nil {
		return nil
	}
	flags = flagsOf(&show)
	if key == "" {
		return flags
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ability == nil {
		o.ability = map[string]llm.Flags{}
	}
	o.ability[key] = flags
	return flags
}

// flagsOf says what a model can. Servers before 0.6.4 list no capabilities.
func flagsOf(show *api.ShowResponse) (flags llm.Flags) {
	if len(show.Capabilities) == 0 {
		return nil
	}
	for _, f := range []struct{ capability, yes, no string }{
		{"thinking", llm.FlagReasoning, llm.FlagNoReasoning},
		{"tools", llm.FlagTools, llm.FlagNoTools},
		{"vision", llm.FlagVision, llm.FlagNoVision},
	} {
		if slices.ContainsFunc(show.Capabilities, func(c ollamamodel.Capability) bool { return string(c) == f.capability }) {
			flags = append(flags, f.yes)
		} else {
			flags = append(flags, f.no)
		}
	}
	if f := show.Details.Family; f == "gptoss" || f == "gpt-oss" {
		// The one family whose thought has levels and no end (server/routes.go).
		flags = append(flags, llm.FlagThinkingLevel, llm.FlagNoThinkingOff)
	}
	return flags
}

// ask puts one question to the Ollama at base.
func (o *ollama) ask(ctx context.Context, base, method, path string, body, into any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, in)
	if err != nil {
		return err
	}
	resp, err := o.network.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("no answer from Ollama at %s: start it (ollama serve), or install it from its site (%w)", base, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the Ollama at %s answered %s to %s", base, resp.Status, path)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 8<<20)).Decode(into); err != nil {
		return fmt.Errorf("what answers at %s is not Ollama: %w", base, err)
	}
	return nil
}
