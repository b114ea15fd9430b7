package app

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed is the plan of the house: what each package may import from this
// module. "dir/*" stands for every package below dir.
var allowed = map[string][]string{
	"assets":                    {},
	"assets/generate":           {},
	"proxy/llm":                 {},
	"proxy/sse":                 {},
	"store/config":              {},
	"store/keys":                {},
	"store/ledger":              {},
	"app/ui/chart":              {},
	"app/report":                {"proxy/llm"},
	"app/connect":               {},
	"proxy/dialect/field":       {"proxy/llm"},
	"proxy/dialect/refusal":     {},
	"proxy/dialect/splice":      {"proxy/llm", "proxy/sse"},
	"proxy/dialect/schemas":     {"proxy/llm", "proxy/sse", "proxy/dialect/field"},
	"proxy/dialect/openai":      {"proxy/llm", "proxy/sse", "proxy/dialect/field", "proxy/dialect/refusal", "proxy/dialect/schemas"},
	"proxy/dialect/chat":        {"proxy/llm", "proxy/sse", "proxy/dialect/field", "proxy/dialect/openai", "proxy/dialect/splice"},
	"proxy/dialect/messages":    {"proxy/llm", "proxy/sse", "proxy/dialect/field", "proxy/dialect/refusal", "proxy/dialect/schemas", "proxy/dialect/splice", "proxy/dialect/turns"},
	"proxy/dialect/gemini":      {"proxy/llm", "proxy/sse", "proxy/dialect/field", "proxy/dialect/refusal", "proxy/dialect/splice"},
	"proxy/dialect/ollama":      {"proxy/llm", "proxy/sse", "proxy/dialect/field", "proxy/dialect/refusal"},
	"proxy/dialect/embed":       {"proxy/llm", "proxy/sse", "proxy/dialect/field", "proxy/dialect/openai"},
	"proxy/dialect/verbatim":    {"proxy/llm", "proxy/sse", "proxy/dialect/field"},
	"proxy/dialect/converse":    {"proxy/llm", "proxy/sse", "proxy/dialect/field", "proxy/dialect/refusal", "proxy/dialect/schemas", "proxy/dialect/turns"},
	"proxy/dialect/responses":   {"proxy/llm", "proxy/sse", "proxy/dialect/field", "proxy/dialect/openai", "proxy/dialect/splice"},
	"proxy/dialect/turns":       {"proxy/llm", "proxy/sse"},
	"proxy/dialect/dialecttest": {"proxy/llm", "proxy/sse"},
	"proxy/dialect/pairs":       {},
	"proxy/route":               {"proxy/llm"},
	"proxy/catalog":             {"proxy/llm"},
	"proxy/upstream":            {"proxy/llm", "proxy/sse"},
	"proxy/vault":               {"proxy/llm"},
	"proxy/proxytest":           {},
	"proxy/proxytest/play":      {"proxy/proxytest"},
	"proxy/proxytest/bench":     {"proxy/proxytest"},
	"proxy":                     {"proxy/llm", "proxy/dialect/*"},
	"app":                       {"assets", "proxy", "proxy/*", "store/*", "app/connect", "app/report"},
	"app/view":                  {"app"},
	"app/ui":                    {"app", "app/view", "app/ui/chart", "assets"},
	"app/cli":                   {"app", "app/view"},
	"":                          {"app", "app/ui", "app/cli"},
}

// only names the rooms that an outside module may be used in, and why.
var only = map[string][]string{
	"fyne.io/":                      {"app/ui", "app/ui/chart"}, // drawing stays in one room
	"github.com/mattn/go-sqlite3":   {"store/ledger"},           // one SQLite, one writer
	"github.com/zalando/go-keyring": {"store/keys"},             // the only way to a secret
	"github.com/gorilla/mux":        {"proxy"},                  // the only front door
	"github.com/fsnotify/fsnotify":  {"store/config"},
	"github.com/spf13/cobra":        {"app/cli"},
	"github.com/coder/websocket":    {"proxy", "proxy/upstream"}, // a client's socket, and a provider's
}

// driver is the only package part that needs a display's libraries.
const driver = "fyne.io/fyne/v2/app"

func TestLayers(t *testing.T) {
	const module = "keytray"
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		may, known := allowed[room]
		if !known {
			t.Errorf("%s is in no plan: add it to allowed, with what it may import", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if inner, ok := strings.CutPrefix(imp, module+"/"); ok && !permits(may, inner) {
				t.Errorf("%s may not import %s: arrows point down only", room, inner)
			}
			for outside, rooms := range only {
				if (imp == strings.TrimSuffix(outside, "/") || strings.HasPrefix(imp, strings.TrimSuffix(outside, "/")+"/")) && !slices.Contains(rooms, room) {
					t.Errorf("%s may not import %s: only %s may", room, imp, strings.Join(rooms, " and "))
				}
			}
		}
	}
}

func permits(may []string, inner string) bool {
	for _, m := range may {
		if m == inner {
			return true
		}
		if dir, all := strings.CutSuffix(m, "/*"); all && strings.HasPrefix(inner, dir+"/") {
			return true
		}
	}
	return false
}

// TestDriver guards that only driver.go of app/ui needs a display's libraries.
func TestDriver(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-tags", "nogui", "-deps", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if slices.Contains(strings.Fields(string(out)), driver) {
		t.Errorf("a build with -tags nogui contains %s", driver)
	}
}
