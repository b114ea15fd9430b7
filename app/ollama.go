package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ollama/ollama/api"

	"keytray/proxy/llm"
	"keytray/proxy/upstream"
)

const (
	ollamaProvider = "ollama"
	ollamaDefault  = "http://127.0.0.1:11434"
)

// ollama knows what the local Ollama has. It asks in the background and
// answers from memory; what it knows is at most a few seconds old.
type ollama struct {
	network *upstream.Network
	log     *slog.Logger
	changed func()
	wait    sync.WaitGroup

	mu      sync.Mutex
	base    string
	asked   time.Time
	asking  bool
	err     error
	models  []api.ListModelResponse
	ability map[string]llm.Flags // by name and digest
}

// fresh is how long a list of models is good for.
const fresh = 5 * time.Second

func (o *ollama) setBase(base string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.base != base {
		o.base, o.asked, o.models, o.err = base, time.Time{}, nil, nil
	}
}

// list is the models that are installed, asked anew if need be.
func (o *ollama) list(ctx context.Context) ([]api.ListModelResponse, error) {
	o.mu.Lock()
	base, stale := o.base, time.Since(o.asked) > fresh
	models, err := o.models, o.err
	o.mu.Unlock()
	if !stale || base == "" {
		return models, err
	}
	var got api.ListResponse
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err = o.ask(ctx, http.MethodGet, "/api/tags", nil, &got)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked, o.err = time.Now(), err
	if err == nil {
		o.models = got.Models
	} else {
		o.models = nil
	}
	return o.models, err
}

// installed finds an installed model by its name, whose ":latest" may be left
// out. A name that is not known yet makes it ask.
func (o *ollama) installed(name string) (string, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	models, err := o.list(ctx)
	if err != nil {
		return "", false
	}
	for _, m := range models {
		if m.Name == name || m.Name == name+":latest" {
			return m.Name, true
		}
	}
	return "", false
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

// standIn is the model that answers for ones Ollama lacks: the largest.
func (o *ollama) standIn() string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	models, err := o.list(ctx)
	if err != nil || len(models) == 0 {
		return ""
	}
	return slices.MaxFunc(models, func(a, b api.ListModelResponse) int { return int(a.Size - b.Size) }).Name
}

// abilities are a model's capabilities as flags; none if Ollama does not say.
func (o *ollama) abilities(ctx context.Context, name string) llm.Flags {
	o.mu.Lock()
	key := name
	for _, m := range o.models {
		if m.Name == name || m.Name == name+":latest" {
			key = name + "@" + m.Digest
		}
	}
	flags, ok := o.ability[key]
	o.mu.Unlock()
	if ok {
		return flags
	}
	var show api.ShowResponse
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := o.ask(ctx, http.MethodPost, "/api/show", api.ShowRequest{Model: name}, &show); err != nil {
		return nil
	}
	has := map[string]bool{}
	for _, c := range show.Capabilities {
		has[string(c)] = true
	}
	if len(show.Capabilities) > 0 {
		for _, f := range []struct{ capability, yes, no string }{
			{"thinking", llm.FlagReasoning, llm.FlagNoReasoning},
			{"tools", llm.FlagTools, llm.FlagNoTools},
			{"vision", llm.FlagVision, llm.FlagNoVision},
		} {
			if has[f.capability] {
				flags = append(flags, f.yes)
			} else {
				flags = append(flags, f.no)
			}
		}
	}
	if f := show.Details.Family; f == "gptoss" || f == "gpt-oss" {
		// Its server takes levels for this family alone, whose models always think.
		flags = append(flags, llm.FlagThinkingLevel, llm.FlagNoThinkingOff)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ability == nil {
		o.ability = map[string]llm.Flags{}
	}
	o.ability[key] = flags
	return flags
}

func (o *ollama) ask(ctx context.Context, method, path string, body, into any) error {
	o.mu.Lock()
	base := o.base
	o.mu.Unlock()
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
		return fmt.Errorf("Ollama does not answer at %s: start it (ollama serve), or install it from its site", base)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("Ollama at %s answered %s to %s", base, resp.Status, path)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 8<<20)).Decode(into); err != nil {
		return fmt.Errorf("what answers at %s is not Ollama: %w", base, err)
	}
	return nil
}

// ollamaHost reads OLLAMA_HOST as Ollama does: a host, host:port or URL. A
// server's "any address" is this computer for a client.
func ollamaHost(h string) string {
	h = strings.TrimSpace(h)
	if !strings.Contains(h, "://") {
		h = "http://" + h
	}
	u, err := url.Parse(strings.TrimSuffix(h, "/"))
	if err != nil || u.Hostname() == "" {
		return ollamaDefault
	}
	host, port := u.Hostname(), u.Port()
	if host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = map[string]string{"http": "11434", "https": "443"}[u.Scheme]
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host + ":" + port + u.Path
}
