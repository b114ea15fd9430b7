package upstream

import (
	"io"
	"strings"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

// null is a Recorder that keeps nothing.
type null struct{}

func (null) Begin(*llm.Attempt) error { return nil }
func (null) Finish(*llm.Attempt)      {}

// BenchmarkLeaf is one call over loopback, without ledger and front door.
func BenchmarkLeaf(b *testing.B) {
	server := proxytest.Start(b, proxytest.NewFast(proxytest.Chat, 200))
	n := NewNetwork()
	defer n.Close()
	n.Allow([]string{strings.TrimPrefix(server.URL, "http://")})
	l := &Leaf{Model: llm.Model{Provider: "lab", Name: "m1"}, Outbound: chat.Dialect{}, Base: server.URL + "/v1", Network: n, Record: null{}}
	large := `{"model":"asked","messages":[{"role":"user","content":"` + strings.Repeat("word and word, ", 70_000) + `"}]}`
	for name, r := range map[string]*llm.Request{"whole": request(b, false), "stream200": request(b, true), "prompt1MB": requestOf(b, large)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp, err := l.Do(b.Context(), r)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := resp.Body.(io.WriterTo).WriteTo(io.Discard); err != nil {
					b.Fatal(err)
				}
				if err := resp.Body.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
