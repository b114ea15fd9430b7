package app

import (
	"net/http"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
)

// local tells whether a model is local: it is called at an address of this
// computer, be that a built-in provider's or one of config.yaml, and is not known
// to be passed on from there, as Ollama does with the models of its cloud. name
// is "" of a call that names no model.
//
// While the switch stands on offline, local models answer and no others. A caller
// without a token may use local models too, but no key: so those of a server that
// takes one (see takesKey) are not for it.
func (t *table) local(p catalog.Provider, name string) (bool, error) {
	if !isLoopback(t.app.baseURL(p)) || p.PassesOn(name) {
		return false, nil
	}
	if p.ID != ollamaProvider {
		return true, nil
	}
	if _, err := t.app.ollama.list(t.app.ctx); err != nil { // who knows where the model runs
		return false, &llm.Error{Kind: llm.Unreachable, Status: http.StatusBadGateway, Message: err.Error(), Cause: err}
	}
	if name == "" {
		return true, nil
	}
	remote, there := t.app.ollama.remote(name)
	if !there { // Ollama knows models by more names than it lists
		return false, t.nobody(name)
	}
	return !remote, nil
}

// takesKey tells whether calls of a provider are signed, or would be.
func (a *App) takesKey(p catalog.Provider) bool {
	return needsKey(p) || p.Auth.Header != "" && len(a.ring.Cached(p.ID)) > 0
}
