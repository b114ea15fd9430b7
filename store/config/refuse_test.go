package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

type refusal struct {
	text string
	want []string // line:column: path: message, or the start of it
}

func refusals() []refusal {
	return []refusal{
		// names of settings
		{"listne: x\n", []string{"1:1: listne: is not a setting; did you mean listen?"}},
		{"Active: auto\n", []string{"1:1: Active: is not a setting; did you mean active?"}},
		{"standins: {}\n", []string{"1:1: standins: is not a setting; did you mean stand_ins?"}},
		{"upstream_proxy: x\n", []string{"1:1: upstream_proxy: is not a setting; known here: listen, listen_beyond_loopback, active, providers,"}},
		{"active: auto\nactive: offline\n", []string{"2:1: active: is set twice, first on line 1; keep one of them"}},
		{"providers: {a: {}, a: {}}\n", []string{"1:20: providers.a: is set twice, first on line 1"}},
		// listen
		{"listen: 5397\n", []string{"1:9: listen: is a number where host:port is wanted; such as 127.0.0.1:5397"}},
		{"listen: 127.0.0.1\n", []string{"1:9: listen: is not host:port"}},
		{"listen: http://127.0.0.1:5397\n", []string{"1:9: listen: is not host:port"}},
		{"listen: 127.0.0.1:0\n", []string{"1:9: listen: has a bad port"}},
		{"listen: 127.0.0.1:70000\n", []string{"1:9: listen: has a bad port"}},
		{"listen: '127.0.0.1:'\n", []string{"1:9: listen: has a bad port"}},
		{"listen: :5397\n", []string{"1:9: listen: can be reached from other machines; listen on 127.0.0.1:5397, or add listen_beyond_loopback: true"}},
		{"listen: 0.0.0.0:5397\n", []string{"1:9: listen: can be reached from other machines"}},
		{"listen: 192.168.1.5:5397\nlisten_beyond_loopback: false\n", []string{"1:9: listen: can be reached from other machines"}},
		{"listen: '[::]:5397'\n", []string{"1:9: listen: can be reached from other machines"}},
		{"listen: '[::ffff:10.0.0.1]:5397'\n", []string{"1:9: listen: can be reached from other machines"}},
		{"listen: myhost:5397\nlisten_beyond_loopback: true\n", []string{"1:9: listen: has a host that is neither an address nor localhost"}},
		{"listen: [::1]\n", []string{"1:9: listen: is a list where text is wanted; put quotes around text that starts with a bracket"}},
		{"listen: ''\n", []string{"1:9: listen: is empty; give a value or remove the setting"}},
		{"listen_beyond_loopback: yes\n", []string{"1:25: listen_beyond_loopback: is text where true or false is wanted; YAML's yes, no, on and off are text"}},
		// active
		{"active: Some Thing\n", []string{"1:9: active: is neither auto, offline, a provider nor a route"}},
		{"active: 4\n", []string{"1:9: active: is a number where text is wanted; put it in quotes"}},
		// providers
		{"providers: [openai]\n", []string{"1:12: providers: is a list where a table of names and values is wanted"}},
		{"providers: {Lab: {}}\n", []string{"1:13: providers.Lab: is not a good provider id; use lower-case letters"}},
		{"providers: {a/b: {}}\n", []string{"1:13: providers.a/b: is not a good provider id"}},
		{"providers: {auto: {}}\n", []string{"1:13: providers.auto: is not a good provider id; auto is a position of the switch"}},
		{"providers: {lab: http://x}\n", []string{"1:18: providers.lab: is text where a table of names and values is wanted"}},
		{"providers:\n  lab:\n    dialect: chatt\n", []string{"3:14: providers.lab.dialect: is not chat, responses, messages, gemini, ollama or converse; did you mean chat?"}},
		{"providers:\n  lab:\n    dialct: chat\n", []string{"3:5: providers.lab.dialct: is not a setting; did you mean dialect?"}},
		{"providers:\n  lab: {base_url: lab.example}\n", []string{"2:19: providers.lab.base_url: does not start with http:// or https://"}},
		{"providers:\n  lab: {base_url: 'ftp://lab.example'}\n", []string{"2:19: providers.lab.base_url: does not start with http:// or https://"}},
		{"providers:\n  lab: {base_url: 'https://'}\n", []string{"2:19: providers.lab.base_url: names no host"}},
		{"providers:\n  lab: {base_url: 'https://a:99999/'}\n", []string{"2:19: providers.lab.base_url: has a bad port"}},
		{"providers:\n  lab: {base_url: 'https://a b/'}\n", []string{"2:19: providers.lab.base_url: is not a web address"}},
		{"providers:\n  lab: {base_url: 'https://u:SECRET@a/'}\n", []string{"2:19: providers.lab.base_url: holds a user or password"}},
		{"providers:\n  lab: {base_url: 'https://a/?key=SECRET'}\n", []string{"2:19: providers.lab.base_url: holds a query"}},
		{"providers:\n  lab: {base_url: 'https://a/#SECRET'}\n", []string{"2:19: providers.lab.base_url: holds a fragment"}},
		{"providers:\n  lab: {base_url: 'https://SECRET:SECRET/%zz'}\n", []string{"2:19: providers.lab.base_url: is not a web address"}},
		{"providers:\n  lab: {key_env: sk-SECRET}\n", []string{"2:18: providers.lab.key_env: is not the name of an environment variable; give a name such as LAB_KEY, never the key"}},
		{"providers:\n  lab: {api_key: SECRET}\n", []string{"2:9: providers.lab.api_key: keys are not kept in this file; remove it and store the key with: keytray keys add"}},
		{"providers:\n  lab: {models: qwen3}\n", []string{"2:17: providers.lab.models: is text where a list is wanted; put it in brackets: [a, b]"}},
		{"providers:\n  lab: {models: [a, 4.1, a, {b: c}, '', 'x y', /z]}\n", []string{
			"2:21: providers.lab.models[1]: is a number where text is wanted; put it in quotes",
			"2:26: providers.lab.models[2]: is in the list twice",
			"2:29: providers.lab.models[3]: is a table of names and values where the name of a model is wanted",
			"2:37: providers.lab.models[4]: is empty",
			"2:41: providers.lab.models[5]: is not the name of a model",
			"2:48: providers.lab.models[6]: has a slash with nothing beside it",
		}},
		{"providers:\n  lab: {off: 1}\n", []string{"2:14: providers.lab.off: is a number where true or false is wanted"}},
		{"providers:\n  azure:\n    region: evil.com/x\n    project: 5\n    profile: a\n    resource: [r]\n    deployments: {o3: {}}\n", []string{
			"3:13: providers.azure.region: is not one word",
			"4:14: providers.azure.project: is a number where text is wanted",
			"6:15: providers.azure.resource: is a list where text is wanted",
			"7:23: providers.azure.deployments.o3: is a table of names and values where the name of a model is wanted",
		}},
		{"providers:\n  lab:\n    headers:\n      Authorization: Bearer SECRET\n      X-Api-Key: SECRET\n      'bad name': x\n      Host: x\n      X-A: 1\n      X-B: b\n      x-b: c\n      X-C: \"a\\nb\"\n", []string{
			"4:7: providers.lab.headers.Authorization: is how a key is sent, and keys are not kept in this file",
			"5:7: providers.lab.headers.X-Api-Key: is how a key is sent",
			"6:7: providers.lab.headers.bad name: is not the name of a header",
			"7:7: providers.lab.headers.Host: is set by Keytray for every call",
			"8:12: providers.lab.headers.X-A: is a number where text is wanted",
			"10:7: providers.lab.headers.x-b: is set twice",
			"11:12: providers.lab.headers.X-C: holds a control character",
		}},
		{"providers: {lab: {prices: {m: {inputs: 1}}}}\n", []string{"1:32: providers.lab.prices.m.inputs: is not a setting; did you mean input?"}},
		{"providers: {lab: {prices: {m: {input: -1}}}}\n", []string{"1:39: providers.lab.prices.m.input: is negative"}},
		{"providers: {lab: {prices: {m: {input: free}}}}\n", []string{"1:39: providers.lab.prices.m.input: is text where an amount in US dollars is wanted"}},
		{"providers: {lab: {prices: {m: {}}}}\n", []string{"1:31: providers.lab.prices.m: names no price; give US dollars for a million tokens"}},
		{"providers: {lab: {prices: {/m: {input: 1}}}}\n", []string{"1:28: providers.lab.prices./m: has a slash with nothing beside it"}},
		{"providers: {lab: {discount: 20}}\n", []string{"1:29: providers.lab.discount: is a number where a share is wanted; write a share such as 20%"}},
		{"providers: {lab: {discount: 120%}}\n", []string{"1:29: providers.lab.discount: is more than 100%"}},
		{"providers: {lab: {discount: a fifth}}\n", []string{"1:29: providers.lab.discount: is not a share"}},
		{"ledger: {keep_days: 0}\n", []string{"1:21: ledger.keep_days: is no number of days"}},
		{"ledger: {keep_days: 30d}\n", []string{"1:21: ledger.keep_days: is no number of days; write a whole number"}},
		{"ledger: {detail: none}\n", []string{"1:18: ledger.detail: is not full or counts"}},
		{"prices: {update: hourly}\n", []string{"1:18: prices.update: is not asked or weekly"}},
		// without_token
		{"without_token: locl\n", []string{"1:16: without_token: is not refuse, local or any; did you mean local?"}},
		{"without_token: true\n", []string{"1:16: without_token: is not refuse, local or any"}},
		// routes
		{"routes: {auto: a/b}\n", []string{"1:10: routes.auto: is not a good route name; auto is a position of the switch"}},
		{"routes: {a/b: c}\n", []string{"1:10: routes.a/b: is not a good route name"}},
		{"routes: {a: }\n", []string{"1:10: routes.a: names no model"}},
		{"routes: {a: {}}\n", []string{"1:13: routes.a: names no model"}},
		{"routes: {a: [b, c]}\n", []string{"1:13: routes.a: is a list where a model or a strategy is wanted; write a model, or a strategy such as {fallback:"}},
		{"routes: {a: {race: [b, c], bar: 1}}\n", []string{"1:28: routes.a.bar: is no setting of race; it belongs to smart"}},
		{"routes: {a: {race: [b, c], after: soon}}\n", []string{"1:35: routes.a.after: is not a length of time; write a number and a unit"}},
		{"routes: {a: {race: [b], judge: [c]}}\n", []string{"1:25: routes.a.judge: is a second strategy in one place; nest it: {race: [{judge: [...]}]}"}},
		{"routes: {a: {smart: [b], bar: 3}}\n", []string{"1:31: routes.a.bar: is not a part of one; write a number from 0 to 1"}},
		{"routes: {a: {balance: {b: 0}}}\n", []string{"1:27: routes.a.balance.b: is no weight; write a whole number from 1 on"}},
		{"routes: {a: {cache: [b, c]}}\n", []string{"1:21: routes.a.cache: keeps the answers of one target; put a strategy inside"}},
		{"routes: {a: {by: b}}\n", []string{"1:13: routes.a: names no model"}},
		{"routes: {a: {cheapest: [b], only: [Open AI]}}\n", []string{"1:36: routes.a.only[0]: is not a provider's id"}},
		{"routes: {a: {fallback: [b, b]}}\n", []string{"1:28: routes.a.fallback[1]: is in the list twice"}},
		{"routes: {a: {falback: [b]}}\n", []string{"1:14: routes.a.falback: is not a setting; did you mean fallback?"}},
		{"routes: {a: {whatever: [b]}}\n", []string{"1:14: routes.a.whatever: is not a setting; known strategies: fallback, balance"}},
		{"routes: {a: {fallback: []}}\n", []string{"1:24: routes.a.fallback: names no model"}},
		{"routes: {a: {fallback: }}\n", []string{"1:14: routes.a.fallback: names no model"}},
		{"routes: {a: {fallback: b}}\n", []string{"1:24: routes.a.fallback: is text where a list is wanted"}},
		{"routes: {a: a}\n", []string{"1:13: routes.a: leads back to itself (a to a); name a provider's model as provider/model"}},
		{"routes:\n  a: {fallback: [x/y, b]}\n  b: a\n  c: b\n", []string{
			"2:6: routes.a: leads back to itself (a to b to a)", "3:6: routes.b: leads back to itself (b to a to b)",
		}},
		{"providers: {lab: {}}\nroutes: {lab: a/b}\n", []string{"2:15: routes.lab: has the name of a provider"}},
		// budgets and tools
		{"budget: 5\n", []string{"1:9: budget: is a number where a table of names and values is wanted"}},
		{"budget: {day: $5}\n", []string{"1:15: budget.day: is text where an amount in US dollars is wanted; write a number such as 5 or 0.50"}},
		{"budget: {day: -1, month: 1_0}\n", []string{"1:15: budget.day: is negative", "1:26: budget.month: is not an amount in US dollars"}},
		{"budget: {day: 0x10, month: .inf}\n", []string{"1:15: budget.day: is not an amount", "1:28: budget.month: is not an amount"}},
		{"budget: {day: 2000000}\n", []string{"1:15: budget.day: is more than 1000000 US dollars; remove the limit to have none"}},
		{"budget: {day: 0.0000000000001}\n", []string{"1:15: budget.day: is not an amount"}},
		{"budget: {at_limit: stop}\n", []string{"1:20: budget.at_limit: is not block or offline"}},
		{"budget: {week: 3}\n", []string{"1:10: budget.week: is not a setting; known here: day, month or at_limit"}},
		{"tools: {/x: {}}\n", []string{"1:9: tools./x: is not a good tool name"}},
		{"tools: {codex: {budget: {day: x}}}\n", []string{"1:31: tools.codex.budget.day: is text where an amount"}},
		// ledger, origins, stand_ins
		{"ledger: {sync: always}\n", []string{"1:16: ledger.sync: is not normal or full"}},
		{"origins: ['*', 'https://*.a']\n", []string{"1:11: origins[0]: would let any page call with your keys", "1:16: origins[1]: would let any page"}},
		{"origins: [example.com, 'https://a/', 'https://u@a', 'https://A', 'https://a:0', 'null', 'https://a?b']\n", []string{
			"1:11: origins[0]: is not an origin",
			"1:24: origins[1]: has more or less than a scheme, a host and a port",
			"1:38: origins[2]: has more or less",
			"1:53: origins[3]: has capital letters",
			"1:66: origins[4]: has more or less",
			"1:81: origins[5]: is not an origin",
			"1:89: origins[6]: has more or less",
		}},
		{"stand_ins: {openai: {large: 5}}\n", []string{"1:29: stand_ins.openai.large: is a number where text is wanted"}},
		{"stand_ins: {openai: {medium: x}}\n", []string{"1:22: stand_ins.openai.medium: is not a setting; known here: large or small"}},
		{"stand_ins: {openai: {}}\n", []string{"1:21: stand_ins.openai: names no model"}},
		// columns are characters
		{"providers: {lab: {models: [é, é]}}\n", []string{"1:31: providers.lab.models[1]: is in the list twice"}},
		{"\ufeffbugdet: {}\r\nactiv: x\r\n", []string{"1:1: bugdet: is not a setting; did you mean budget?", "2:1: activ: is not a setting; did you mean active?"}},
	}
}

func TestRefused(t *testing.T) {
	for _, c := range refusals() {
		t.Run(strings.TrimSpace(c.text), func(t *testing.T) {
			cfg, err := Parse("f", []byte(c.text))
			var got Problems
			if !errors.As(err, &got) {
				t.Fatalf("got %+v and %v", cfg, err)
			}
			if len(got) != len(c.want) {
				t.Fatalf("got\n%v\nwant\n%v", got, strings.Join(c.want, "\n"))
			}
			for i, p := range got {
				if !strings.HasPrefix(p.Error(), "f:"+c.want[i]) {
					t.Errorf("got  %v\nwant f:%s", p, c.want[i])
				}
				if strings.Contains(p.Error(), "SECRET") {
					t.Errorf("a secret is told: %v", p)
				}
			}
		})
	}
}

func TestManyProblems(t *testing.T) {
	_, err := Parse("f", []byte("z: 1\n"+strings.Repeat("providers: {}\n", 30)))
	var got Problems
	if !errors.As(err, &got) || len(got) != mostProblems+1 {
		t.Fatalf("got %v", err)
	}
	if last := got[mostProblems].Error(); last != "f: and 10 more problems" {
		t.Errorf("last is %q", last)
	}
	var one Problem
	if !errors.As(err, &one) || one.Path != "z" {
		t.Errorf("first is %+v", one)
	}
}

// Who judges or writes is called as well, and may be a route.
func TestJudgesAreCounted(t *testing.T) {
	var b strings.Builder
	b.WriteString("routes:\n  r0: a/b\n")
	for i := 1; i <= 12; i++ {
		fmt.Fprintf(&b, "  r%d: {race: [{judge: [c/d, e/f], by: r%d}, {blend: [c/d, e/f], by: r%d}]}\n", i, i-1, i-1)
	}
	if _, err := Parse("x", []byte(b.String())); err == nil || !strings.Contains(err.Error(), "leads to more than 1000 models") {
		t.Error(err)
	}
}

// Routes that double with each level are refused at once, and so is what leads
// through many others back to itself.
func TestRoutesStayFinite(t *testing.T) {
	var b strings.Builder
	b.WriteString("routes:\n  r0: a/b\n")
	for i := 1; i <= 60; i++ {
		fmt.Fprintf(&b, "  r%d: {race: [r%d, {fallback: [r%d, c/d]}]}\n", i, i-1, i-1)
	}
	_, err := Parse("x", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "routes.r9: leads to more than 1000 models") || strings.Count(err.Error(), "\n") != 0 {
		t.Error(err)
	}
	few, _, _ := strings.Cut(b.String(), "  r9:")
	if _, err := Parse("x", []byte(few)); err != nil {
		t.Error(err)
	}
	_, err = Parse("x", []byte(strings.Replace(b.String(), "r0: a/b", "r0: r60", 1)))
	if err == nil || !strings.Contains(err.Error(), "leads back to itself") {
		t.Error(err)
	}
}
