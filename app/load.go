package app

import (
	"context"
	"net/http"

	ollamadialect "keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// loads is the target of a call in Ollama's dialect that only asks for a model
// in memory: one that runs elsewhere is always ready, so nobody is called, and
// there is no row. A model in Ollama itself is no such case.
func loads(r *llm.Request, model func() llm.Model, out llm.Outbound) (llm.Target, bool) {
	why, ok := ollamadialect.Loads(r)
	if !ok {
		return nil, false
	}
	m := model()
	if out != nil && out.Copies(&llm.Call{Model: m}, r) {
		return nil, false
	}
	return ready{m, why}, true
}

// ready says that a model is loaded, or no longer.
type ready struct {
	model llm.Model
	why   llm.Why
}

// Do answers r; see llm.Target.
func (t ready) Do(_ context.Context, r *llm.Request) (*llm.Response, error) {
	return &llm.Response{
		Outbound: demoOutbound{}, Call: &llm.Call{Model: t.model, Stream: r.Stream}, Status: http.StatusOK,
		Header: http.Header{}, Stream: r.Stream, Body: http.NoBody,
		Target: t.model.Provider + "/" + t.model.Name, Attempts: r.Attempts(),
		Decoded: []llm.Event{{Kind: llm.Start, Name: t.model.Name}, {Kind: llm.Stop, Why: t.why}},
	}, nil
}
