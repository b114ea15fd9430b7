package config

import (
	"regexp"
	"strings"
	"testing"
)

var example = regexp.MustCompile(`(?m)^  # `)

// uncommented turns the indented comments of a file into settings.
func uncommented(text string) string { return example.ReplaceAllString(text, "  ") }

type editCase struct {
	name          string
	do            func(*Edit) error
	before, after string
}

func edits() []editCase {
	lab := Provider{ID: "lab", Dialect: "chat", BaseURL: "http://127.0.0.1:8000/v1"}
	active := func(to string) func(*Edit) error { return func(e *Edit) error { return e.SetActive(to) } }
	provider := func(p Provider) func(*Edit) error { return func(e *Edit) error { return e.SetProvider(p) } }
	removed := func(id string) func(*Edit) error { return func(e *Edit) error { return e.RemoveProvider(id) } }
	route := func(r Route) func(*Edit) error { return func(e *Edit) error { return e.SetRoute(r) } }
	return []editCase{
		{"a value", active("lab"), "# top\n\nactive:   auto   # mine\nlisten: 127.0.0.1:1\n", "# top\n\nactive:   lab   # mine\nlisten: 127.0.0.1:1\n"},
		{"the same value", active("auto"), "active:   \"auto\" #\n", "active:   \"auto\" #\n"},
		{"single quotes", active("lab"), "active: 'auto'\n", "active: 'lab'\n"},
		{"double quotes", active("lab"), "active: \"auto\" # x", "active: \"lab\" # x"},
		{"after an accent", active("lab"), "# é\n\"active\": auto # é\n", "# é\n\"active\": lab # é\n"},
		{"no value", active("lab"), "active: # none\nlisten: 127.0.0.1:1\n", "active: lab # none\nlisten: 127.0.0.1:1\n"},
		{"null", active("lab"), "active: ~ # none\n", "active: lab # none\n"},
		{"block text", active("lab"), "active: >-\n  auto\n\n# after\nlisten: 127.0.0.1:1\n", "active: lab\n\n# after\nlisten: 127.0.0.1:1\n"},
		{"value on the next line", active("lab"), "active:\n  auto # x\n", "active: lab # x\n"},
		{"value below a comment", active("lab"), "active: # y\n  auto # x\n", "active: # y\n  lab # x\n"},
		{"empty file", active("lab"), "", "active: lab\n"},
		{"comments alone", active("lab"), "# hello", "# hello\nactive: lab\n"},
		{"no line end", active("lab"), "listen: 127.0.0.1:1", "listen: 127.0.0.1:1\nactive: lab\n"},
		{"crlf", active("lab"), "listen: 127.0.0.1:1\r\n# x\r\nactive: auto # y\r\n", "listen: 127.0.0.1:1\r\n# x\r\nactive: lab # y\r\n"},
		{"crlf, new", active("lab"), "listen: 127.0.0.1:1\r\n", "listen: 127.0.0.1:1\r\nactive: lab\r\n"},
		{"byte order mark", active("lab"), "\ufeffactive: auto\n", "\ufeffactive: lab\n"},
		{"byte order mark alone", active("lab"), "\ufeff", "\ufeffactive: lab\n"},
		{"flow file", active("lab"), "{listen: 127.0.0.1:1} # x\n", "{listen: 127.0.0.1:1, active: lab} # x\n"},
		{"text that needs quotes", active("true"), "active: auto\n", "active: \"true\"\n"},

		{"first provider", provider(lab), "providers:\n  # none yet\n\nactive: auto\n", "providers:\n  lab: {dialect: chat, base_url: http://127.0.0.1:8000/v1}\n  # none yet\n\nactive: auto\n"},
		{"no section", provider(lab), "active: auto # x\n# end\n", "active: auto # x\n# end\nproviders:\n  lab: {dialect: chat, base_url: http://127.0.0.1:8000/v1}\n"},
		{"empty brackets", provider(Provider{ID: "a", Off: true}), "providers: { } # x\n", "providers: {a: {off: true} } # x\n"},
		{"written null", provider(Provider{ID: "a", Off: true}), "providers: null # x\n", "providers: {a: {off: true}} # x\n"},
		{"one more", provider(Provider{ID: "b", Off: true}), "providers:\n    a: {off: true} # a\n    # after a\n\nroutes:\n", "providers:\n    a: {off: true} # a\n    b: {off: true}\n    # after a\n\nroutes:\n"},
		{"one more in brackets", provider(Provider{ID: "b", Off: true}), "providers: {\n  a: {off: true}, # a\n}\n", "providers: {\n  a: {off: true}, b: {off: true}, # a\n}\n"},
		{
			"fields of a block", provider(Provider{ID: "lab", Dialect: "messages", BaseURL: "https://new.example", KeyEnv: "LAB"}),
			"providers:\n  lab: # the lab\n    base_url: https://old.example # old\n    # speaks\n    dialect: chat\n    off: true # for now\n  b: {}\n",
			"providers:\n  lab: # the lab\n    base_url: https://new.example # old\n    # speaks\n    dialect: messages\n    key_env: LAB\n  b: {}\n",
		},
		{
			"prices", provider(Provider{ID: "lab", Prices: []ModelPrice{{"m", []Rate{{"input", 1_200_000_000_000}}}}, Discount: 200_000}),
			"providers:\n  lab: # the lab\n    off: true\n",
			"providers:\n  lab: # the lab\n    prices: {m: {input: 1.2}}\n    discount: \"20%\"\n",
		},
		{
			"fields in brackets", provider(Provider{ID: "lab", Dialect: "messages", Models: []string{"m", "no"}}),
			"providers: {lab: {off: true, dialect: chat, base_url: 'https://a'}, b: {}}\n",
			"providers: {lab: {dialect: messages, models: [m, \"no\"]}, b: {}}\n",
		},
		{
			"items", provider(Provider{ID: "lab", Models: []string{"a", "x", "c", "d"}}),
			"providers:\n  lab:\n    models:\n      - a # first\n      - b # second\n      - c # third\n  z:\n",
			"providers:\n  lab:\n    models:\n      - a # first\n      - x # second\n      - c # third\n      - d\n  z:\n",
		},
		{
			"fewer items", provider(Provider{ID: "lab", Models: []string{"a", "c"}}),
			"providers:\n  lab:\n    models:\n    - a # first\n    - b # second\n    # about c\n    - c\n",
			"providers:\n  lab:\n    models:\n    - a # first\n    # about c\n    - c\n",
		},
		{"item in brackets", provider(Provider{ID: "lab", Models: []string{"a", "c"}}), "providers: {lab: {models: [a,  'b' ]}}\n", "providers: {lab: {models: [a,  'c' ]}}\n"},
		{"settings", provider(Provider{ID: "azure", Settings: []Setting{{"resource", "r"}, {"api_version", "2024-10-21"}}, Deployments: []Deployment{{"o3", "my-o3"}}}), "providers:\n  lab:\n", "providers:\n  lab:\n  azure: {resource: r, api_version: \"2024-10-21\", deployments: {o3: my-o3}}\n"},
		{"headers", provider(Provider{ID: "lab", Headers: []Header{{"X-A", "b: 'c' #"}}}), "providers:\n  lab:\n", "providers:\n  lab: {headers: {X-A: \"b: 'c' #\"}}\n"},

		{"remove", removed("a"), "providers:\n  # about a\n  a: {off: true} # a\n  # about b\n  b:\n    off: true\n", "providers:\n  # about a\n  # about b\n  b:\n    off: true\n"},
		{"remove a block", removed("b"), "providers:\n  a: {}\n  b: # x\n    # y\n    off: true # z\n  # end\n\nactive: auto\n", "providers:\n  a: {}\n  # end\n\nactive: auto\n"},
		{"remove the only one", removed("a"), "providers:\n  a: {}\nactive: auto\n", "providers:\nactive: auto\n"},
		{"remove the last line", removed("b"), "providers:\n  a: {}\n  b:", "providers:\n  a: {}\n"},
		{"remove what is not there", removed("x"), "providers:\n  a: {}\n", "providers:\n  a: {}\n"},
		{"remove first in brackets", removed("a"), "providers: {a: {off: true}, b: {}}\n", "providers: {b: {}}\n"},
		{"remove last in brackets", removed("b"), "providers: {a: {off: true}, b: {}}\n", "providers: {a: {off: true}}\n"},
		{"remove only in brackets", removed("b"), "providers: {b: {}}\n", "providers: {}\n"},
		{"remove between lines", removed("b"), "providers: {\n  a: {}, # a, b\n  b: {} # b\n}\n", "providers: {\n  a: {} # a, b\n   # b\n}\n"},

		{"a route", route(Route{Name: "q", Target: Target{Model: "a/b"}}), "routes:\n  # e\n", "routes:\n  q: a/b\n  # e\n"},
		{"route to strategy", route(Route{Name: "q", Target: Target{Strategy: Fallback, Of: []Target{{Model: "a/b"}, {Model: "c:d"}}}}), "routes:\n  q: a/b # why\n", "routes:\n  q: {fallback: [a/b, c:d]} # why\n"},
		{"strategy to route", route(Route{Name: "q", Target: Target{Model: "a/b"}}), "routes:\n  q:\n    fallback:\n      - c # why\n  r: d\n", "routes:\n  q: a/b # why\n  r: d\n"},
		{"route with dots", route(Route{Name: "gpt-6.1", Target: Target{Model: "4"}}), "routes: {}\n", "routes: {gpt-6.1: \"4\"}\n"},
		{"remove a route", func(e *Edit) error { return e.RemoveRoute("q") }, "routes: {q: a, r: b}\n", "routes: {r: b}\n"},

		{"listen", func(e *Edit) error { return e.SetListen("[::1]:80") }, "listen: 127.0.0.1:1 # x\n", "listen: \"[::1]:80\" # x\n"},
		{"beyond", func(e *Edit) error { return e.SetListenBeyondLoopback(true) }, "active: auto\n", "active: auto\nlisten_beyond_loopback: true\n"},
		{"not beyond", func(e *Edit) error { return e.SetListenBeyondLoopback(false) }, "listen_beyond_loopback: true # oh\nactive: auto\n", "active: auto\n"},
		{"without a token", func(e *Edit) error { return e.SetWithoutToken(TokenRefuse) }, "without_token: any # !\n", "without_token: refuse # !\n"},
		{"sync", func(e *Edit) error { return e.SetLedgerSync(SyncFull) }, "ledger: {sync: normal} # x\n", "ledger: {sync: full} # x\n"},
		{"days", func(e *Edit) error { return e.SetKeepDays(90) }, "ledger:\n  sync: normal # x\n", "ledger:\n  sync: normal # x\n  keep_days: 90\n"},
		{"other days", func(e *Edit) error { return e.SetKeepDays(30) }, "ledger: {keep_days: 90} # x\n", "ledger: {keep_days: 30} # x\n"},
		{"no days", func(e *Edit) error { return e.SetKeepDays(0) }, "ledger:\n  sync: full\n  keep_days: 90\n", "ledger:\n  sync: full\n"},
		{"detail", func(e *Edit) error { return e.SetLedgerDetail(DetailCounts) }, "active: auto\n", "active: auto\nledger: {detail: counts}\n"},
		{"price update", func(e *Edit) error { return e.SetPriceUpdate(UpdateWeekly) }, "prices:\n  update: asked # x\n", "prices:\n  update: weekly # x\n"},
		{"sync, new", func(e *Edit) error { return e.SetLedgerSync(SyncFull) }, "active: auto\n", "active: auto\nledger: {sync: full}\n"},
		{"origins", func(e *Edit) error { return e.SetOrigins([]string{"http://localhost:3000"}) }, "origins: []\n", "origins: [http://localhost:3000]\n"},
		{"no origins", func(e *Edit) error { return e.SetOrigins(nil) }, "origins:\n  - http://localhost:3000\nactive: auto\n", "active: auto\n"},
		{"budget", func(e *Edit) error {
			return e.SetBudget(Budget{Day: usd(5e12), Month: usd(1_500_000_000_000), AtLimit: LimitBlock})
		}, "budget:\n  # day: 1\nactive: auto\n", "budget:\n  day: 5\n  month: 1.5\n  # day: 1\nactive: auto\n"},
		{"less budget", func(e *Edit) error { return e.SetBudget(Budget{Month: usd(0)}) }, "budget: {day: 5, month: 50, at_limit: offline} # x\n", "budget: {month: 0} # x\n"},
		{"no budget", func(e *Edit) error { return e.SetBudget(Budget{}) }, "active: auto\n", "active: auto\n"},
		{"a tool", func(e *Edit) error {
			return e.SetTool(Tool{Name: "Claude Code", Budget: Budget{Day: usd(1e12), AtLimit: LimitOffline}})
		}, "tools:\n", "tools:\n  \"Claude Code\": {budget: {day: 1, at_limit: offline}}\n"},
		{"a tool without", func(e *Edit) error { return e.SetTool(Tool{Name: "a"}) }, "tools:\n  a:\n    budget: {day: 5}\n", "tools:\n  a:\n"},
		{"no tool", func(e *Edit) error { return e.RemoveTool("a") }, "tools:\n  a: {} # x\n", "tools:\n"},
		{"stand-in", func(e *Edit) error { return e.SetStandIn(StandIn{"openai", "big", "tiny"}) }, "stand_ins:\n  openai: {large: x} # x\n", "stand_ins:\n  openai: {large: big, small: tiny} # x\n"},
		{"no stand-in", func(e *Edit) error { return e.SetStandIn(StandIn{Provider: "openai"}) }, "stand_ins:\n  openai: {large: x} # x\n", "stand_ins:\n"},
		{
			"several", func(e *Edit) error {
				for _, err := range []error{e.SetActive("lab"), e.SetProvider(lab), e.SetRoute(Route{Name: "q", Target: Target{Model: "lab/a"}})} {
					if err != nil {
						return err
					}
				}
				return nil
			},
			"active: auto\n", "active: lab\nproviders:\n  lab: {dialect: chat, base_url: http://127.0.0.1:8000/v1}\nroutes: {q: lab/a}\n",
		},
	}
}

func TestEdits(t *testing.T) {
	for _, c := range edits() {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Parse("f", []byte(c.before)); err != nil {
				t.Fatalf("before: %v", err)
			}
			e := &Edit{doc: document{file: "f", raw: []byte(c.before)}}
			if err := c.do(e); err != nil {
				t.Fatal(err)
			}
			if got := string(e.doc.raw); got != c.after {
				t.Errorf("got\n%s\nwant\n%s", got, c.after)
			}
			if _, err := Parse("f", e.doc.raw); err != nil {
				t.Errorf("after: %v", err)
			}
			// The same edit again changes nothing.
			if err := c.do(e); err != nil || string(e.doc.raw) != c.after {
				t.Errorf("again: %v\n%s", err, e.doc.raw)
			}
		})
	}
}

// TestFirstFileEdited turns every knob of the file that the first start writes; each comment stays.
func TestFirstFileEdited(t *testing.T) {
	for _, text := range []string{first, strings.ReplaceAll(first, "\n", "\r\n"), uncommented(first)} {
		for _, c := range edits() {
			e := &Edit{doc: document{file: "f", raw: []byte(text)}}
			if err := c.do(e); err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if _, _, err := e.doc.tree(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			for _, comment := range comments([]byte(text)) {
				if !strings.Contains(string(e.doc.raw), comment) {
					t.Errorf("%s: comment %q is gone", c.name, comment)
				}
			}
		}
	}
}
