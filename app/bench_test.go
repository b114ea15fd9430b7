package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keytray/proxy/proxytest"
	"keytray/store/keys"
)

// taker is a client that takes everything.
type taker struct {
	header http.Header
	status int
}

func (t *taker) Header() http.Header         { return t.header }
func (t *taker) WriteHeader(status int)      { t.status = status }
func (t *taker) Write(b []byte) (int, error) { return len(b), nil }
func (t *taker) FlushError() error           { return nil }

// BenchmarkCall is a call through all of Keytray, its row committed, to a
// provider over loopback, without a client's socket: as the tool asked, and
// with each thing that a setting adds.
func BenchmarkCall(b *testing.B) {
	server := proxytest.Start(b, proxytest.NewFast(proxytest.Chat, 200))
	provider := "providers: {lab: {dialect: chat, base_url: " + server.URL + "/v1, key_env: LAB_KEY, models: [m, n]}}\n"
	for _, c := range []struct{ name, settings, model string }{
		{"whole", "", "lab/m"},
		{"bare name", "", "m"},
		{"budget", "budget: {day: 5}\n", "lab/m"},
		{"fallback", "routes: {safe: {fallback: [lab/m, lab/n]}}\n", "safe"},
		{"nested", "routes: {deep: {fallback: [{balance: [lab/m, {cheapest: [lab/n, lab/m]}]}, lab/n]}}\n", "deep"},
		{"cached", "routes: {kept: {cache: lab/m}}\n", "kept"},
	} {
		b.Run(c.name, func(b *testing.B) {
			home := b.TempDir()
			if err := os.WriteFile(filepath.Join(home, "config.yaml"), []byte(provider+c.settings), 0o600); err != nil {
				b.Fatal(err)
			}
			vars := map[string]string{"KEYTRAY_HOME": home, "OLLAMA_HOST": "127.0.0.1:1", "KEYTRAY_TOKEN": "kt-test", "LAB_KEY": "sk-lab-0123456789"}
			a, err := Open(b.Context(), Options{Serve: true, Keychain: &keys.Memory{}, Getenv: func(k string) string { return vars[k] }})
			if err != nil {
				b.Fatal(err)
			}
			defer a.Close()
			<-a.read
			body := `{"model":"` + c.model + `","messages":[{"role":"user","content":"` + strings.Repeat("all work and no play ", 10) + `"}]}`
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(body))
				r.Host, r.Header = "localhost:5397", http.Header{"Authorization": {"Bearer kt-test"}, "Content-Type": {"application/json"}}
				w := &taker{header: http.Header{}}
				if a.ServeHTTP(w, r); w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
		})
	}
}
