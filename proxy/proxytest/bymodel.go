package proxytest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ScriptHeader chooses the script of NewByModel by name, where a client cannot change the model.
const ScriptHeader = "Proxytest-Script"

// NewByModel returns a provider whose script is chosen by the model's name, or by ScriptHeader: see
// ModelNames. What precedes the last slash and what follows a colon do not count. A name that it does
// not know gets a short text. A request that ends with a tool's result always gets text, so that a client
// that runs tools in a loop comes to an end.
func NewByModel() *Provider {
	scripts := namedScripts()
	p := &Provider{Choose: func(seen *Seen) Script {
		name := seen.Header.Get(ScriptHeader)
		if name == "" {
			name = path.Base(seen.Model)
		}
		name, _, _ = strings.Cut(name, ":")
		if status, found := strings.CutPrefix(name, "error-"); found {
			if code, err := strconv.Atoi(status); err == nil && code >= 400 && code < 600 {
				fail := &Fail{Status: code}
				if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable || code == 529 {
					fail.RetryAfter = 7
				}
				return Script{Fail: fail}
			}
		}
		s := scripts[name]
		if seen.endsWithToolResult() && s.Fault == FaultNone {
			return Script{Parts: Parts(Text("It is 18 degrees", " in Paris."))}
		}
		return s
	}}
	p.Models = ModelNames()
	return p
}

// ModelNames returns the names that NewByModel knows, sorted; besides them it knows error-STATUS for any
// status from 400 to 599.
func ModelNames() []string {
	names := []string{"error-401", "error-403", "error-404", "error-429", "error-500", "error-529"}
	for name := range namedScripts() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// pixel is a PNG of one grey pixel.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

func namedScripts() map[string]Script {
	words := make([]string, 200)
	for i := range words {
		words[i] = fmt.Sprintf("word%d ", i+1)
	}
	weather := Call("", "get_weather", `{"ci`, `ty":"Pa`, `ris"}`)
	clock := Call("", "get_time", `{"zone":`, `"Europe/Paris"}`)
	both := Parts(Text("Let me", " look."), weather, clock)
	unicode := Parts(Text("Grüße, ", "привет, ", "こんにちは", " 🎹", "."))
	image, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		panic("proxytest: " + err.Error()) // a constant
	}
	scripts := map[string]Script{
		"text":      {},
		"long":      {Parts: Parts(Text(words...)), Usage: &Usage{Input: 12, Output: 200}},
		"slow":      {Parts: Parts(Text(words[:40]...)), Every: 50 * time.Millisecond, HeaderFirst: true},
		"endless":   {Parts: Parts(Text(slices.Repeat(words, 50)...)), Every: 20 * time.Millisecond, HeaderFirst: true},
		"unicode":   {Parts: unicode},
		"json":      {Parts: Parts(Text(`{"city":`, `"Paris",`, `"degrees":18}`))},
		"think":     {Parts: Parts(Thinking("Two plus", " two is", " four."), Text("Four", ".")), Usage: &Usage{Input: 12, Output: 30, Reasoning: 20}},
		"mixed":     {Parts: Parts(Mixed("Hm.", "Four"), Text("."))},
		"tool":      {Parts: Parts(weather)},
		"tools":     {Parts: both},
		"same-tool": {Parts: Parts(weather, Call("", "get_weather", `{"city":"Rome"}`), Call("", "get_weather", `{"city":"Oslo"}`))},
		"no-args":   {Parts: Parts(Call("", "list_files"))},
		"image":     {Parts: Parts(Text("Here."), Image("image/png", image))},
		"refusal":   {Parts: Parts(Refusal("I cannot", " help with that.")), Stop: StopFilter},
		"filter":    {Parts: Parts(Text("Once upon")), Stop: StopFilter},
		"length":    {Parts: Parts(Text("Once upon")), Stop: StopLength},
		"sequence":  {Parts: Parts(Text("Once upon")), Stop: StopSequence},
		"cache":     {Usage: &Usage{Input: 6, CacheRead: 100, CacheWrite5m: 50, Output: 7}},
		"cost":      {Usage: &Usage{Input: 12, Output: 7, Cost: "0.0003287"}, ChatUsage: UsageAlways},
		"no-usage":  {NoUsage: true},
		"inline":    {ChatUsage: UsageInline},
		"choices":   {Choices: 3},
		"ping":      {Ping: 1},
		"crlf":      {CRLF: true},
		"tight":     {Tight: true},
		"bytes":     {Parts: unicode, Regroup: ByBytes(1)},
		"runes":     {Parts: unicode, Regroup: InRunes},
		"at-once":   {Regroup: AtOnce},
		"echo-key":  {Fail: &Fail{Status: http.StatusUnauthorized, EchoKey: true}},
	}
	for _, f := range []Fault{
		FaultHang, FaultHTML, FaultEmpty, FaultRedirect, FaultInside, FaultNoAnswer, FaultNoDone, FaultTrailing,
		FaultType, FaultLarge, FaultGzip, FaultGzipHidden, FaultZstd, FaultBomb,
	} {
		scripts[string(f)] = Script{Fault: f}
	}
	for _, f := range []Fault{FaultError, FaultGarbage, FaultCut, FaultFin, FaultStall} {
		scripts[string(f)] = Script{Parts: Parts(Text(words[:20]...)), Fault: f, After: 10}
	}
	return scripts
}

// endsWithToolResult says whether the request's last message is the result of a tool.
func (s *Seen) endsWithToolResult() bool {
	var body struct {
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
		Contents []struct {
			Parts []map[string]json.RawMessage
		}
	}
	if json.Unmarshal(s.Body, &body) != nil {
		return false
	}
	if n := len(body.Contents); n > 0 {
		for _, part := range body.Contents[n-1].Parts {
			if part["functionResponse"] != nil {
				return true
			}
		}
	}
	if n := len(body.Messages); n > 0 {
		last := body.Messages[n-1]
		var blocks []struct{ Type string }
		if last.Role == "tool" {
			return true
		}
		if json.Unmarshal(last.Content, &blocks) == nil {
			for _, b := range blocks {
				if b.Type == "tool_result" {
					return true
				}
			}
		}
	}
	return false
}
