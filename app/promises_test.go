package app

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// makers are the built-in providers of each dialect that is called.
var makers = map[proxytest.Dialect]struct{ id, prefix, env string }{
	proxytest.Chat:     {"openai", "/v1", "OPENAI_API_KEY"},
	proxytest.Messages: {"anthropic", "/v1", "ANTHROPIC_API_KEY"},
	proxytest.Gemini:   {"google", "/v1beta", "GEMINI_API_KEY"},
	proxytest.Ollama:   {"ollama", "", "UNUSED"},
}

// lab starts a Keytray whose built-in provider of a dialect is p, and returns
// what its models' names begin with. Its key is the canary, from the
// environment.
func lab(t *testing.T, d proxytest.Dialect, p *proxytest.Provider) (*house, string) {
	t.Helper()
	m := makers[d]
	yaml := "providers:\n  " + m.id + ": {base_url: " + proxytest.Start(t, p).URL + m.prefix + "}\n"
	return open(t, yaml, m.env+"="+canary), m.id + "/"
}

// Promise 2: the client's bytes and the provider's go through as they are.
func TestSameDialectIsBytes(t *testing.T) {
	p := proxytest.NewByModel()
	h, _ := lab(t, proxytest.Chat, p)
	direct := proxytest.Start(t, proxytest.NewByModel())
	for _, stream := range []string{"", `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`} {
		for _, model := range []string{"text", "tools", "think"} {
			body := `{ "model" : "openai/` + model + `", "messages":[{"role":"user","content":"é\u00e9 hi"}], "x_unknown": [1, 2.50, {"b":1,"a":2}]`
			if stream != "" {
				body += "," + stream
			}
			body += " }"
			got := h.do("POST", "/v1/chat/completions", body)
			// Asked for usage on our own account, a provider says "usage":null in
			// each frame; only the extra frame is ours to take away again.
			asked := strings.Replace(body, "openai/"+model, model, 1)
			own := stream == `"stream":true`
			if own {
				asked = strings.Replace(asked, stream, stream+`,"stream_options":{"include_usage":true}`, 1)
			}
			want := post(t, direct.URL+"/v1/chat/completions", asked)
			if own {
				i := strings.LastIndex(want[:strings.LastIndex(want, "data: ")], "data: ")
				want = want[:i] + "data: [DONE]\n\n"
			}
			if got.status != 200 || stable(got.body) != stable(want) {
				t.Errorf("%s %s: %d\n got %s\nwant %s", model, stream, got.status, got.body, want)
			}
			sent := string(p.Last().Body)
			sent = strings.Replace(sent, `"`+model+`"`, `"openai/`+model+`"`, 1)
			if strings.Contains(body, "stream") && !strings.Contains(body, "include_usage") {
				if !strings.Contains(sent, `"include_usage":true`) { // I20
					t.Errorf("usage was not asked for: %s", sent)
				}
				sent = strings.Replace(sent, `"stream_options":{"include_usage":true},`, "", 1)
			}
			if sent != body {
				t.Errorf("sent %s\nfor  %s", sent, body)
			}
		}
	}
}

// stable takes what differs from call to call out of an answer: ids and times.
func stable(s string) string {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if strings.Contains(part, `"created":`) || strings.Contains(part, `"id":"chatcmpl`) {
			continue
		}
		out = append(out, part)
	}
	return strings.Join(out, ",")
}

func post(t *testing.T, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := rec.Body.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return rec.Body.String()
}

// Promises 1 and 4: a key goes to its provider alone, and every attempt, good
// or refused, has a row with a cost.
func TestTheKeyGoesToItsProviderAlone(t *testing.T) {
	for _, d := range []proxytest.Dialect{proxytest.Chat, proxytest.Messages, proxytest.Gemini} {
		t.Run(string(d), func(t *testing.T) {
			p := proxytest.New(
				proxytest.Script{},
				proxytest.Script{Fail: &proxytest.Fail{Status: 401, EchoKey: true}},
				proxytest.Script{Fail: &proxytest.Fail{Status: 429, RetryAfter: 7, EchoKey: true}},
				proxytest.Script{Fault: proxytest.FaultInside, Fail: &proxytest.Fail{EchoKey: true}},
			)
			h, id := lab(t, d, p)
			var all []reply
			for range 4 {
				all = append(all, h.chat(id+"text", ""))
			}
			if k := p.Requests()[0].Key; k != canary {
				t.Errorf("the provider got the key %q", k)
			}
			for _, seen := range p.Requests() {
				for name := range seen.Header { // K7
					if v := seen.Header.Get(name); strings.Contains(v, "kt-test") || name == "Cookie" || name == "X-Forwarded-For" {
						t.Errorf("the provider saw %s: %s", name, v)
					}
				}
			}
			if all[0].status != 200 || all[1].status != 401 || all[2].status != 429 || all[2].header.Get("Retry-After") != "7" || all[3].status < 400 {
				t.Errorf("answers %d %d %d (%s) %d", all[0].status, all[1].status, all[2].status, all[2].header.Get("Retry-After"), all[3].status)
			}
			rows := h.rows()
			if len(rows) != 4 {
				t.Fatalf("%d rows", len(rows))
			}
			for i, row := range rows[1:] {
				if row.Status != ledger.StatusError || row.CostPico == nil || *row.CostPico != 0 || row.Error == "" {
					t.Errorf("row %d: %+v", i+1, row)
				}
			}
			if rows[0].CostPico != nil || rows[0].CostKind != ledger.CostUnpriced {
				t.Errorf("an unknown model costs %v %s", rows[0].CostPico, rows[0].CostKind)
			}
			for _, r := range all {
				mustNotHold(t, "an answer", r.body)
				for k := range r.header {
					mustNotHold(t, k, r.header.Get(k))
				}
			}
			for _, r := range rows {
				b, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				mustNotHold(t, "a row", string(b))
			}
			mustNotHold(t, "the log", h.log.String())
			if err := h.App.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(h.home, "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				mustNotHold(t, f, string(b))
			}
		})
	}
}

func mustNotHold(t *testing.T, where, s string) {
	t.Helper()
	if strings.Contains(s, canary) {
		t.Errorf("the key is in %s", where)
	}
}

// Promise 5, J6: a client that stops, stops the provider, and the row says so.
func TestStoppingTheClientStopsTheProvider(t *testing.T) {
	for _, d := range proxytest.Dialects() {
		t.Run(string(d), func(t *testing.T) {
			step := make(chan struct{}, 100)
			for range 5 {
				step <- struct{}{}
			}
			p := proxytest.New(proxytest.Script{
				Parts: proxytest.Parts(proxytest.Text("one ", "two ", "three ", "four ", "five ", "six ", "seven ")), Step: step,
			})
			h, id := lab(t, d, p)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			addr, _ := h.Addr()
			req, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/v1/chat/completions", strings.NewReader(chatBody(id+"text", `"stream":true`)))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer kt-test")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			in := bufio.NewReader(resp.Body)
			for line := ""; !strings.Contains(line, `"content":"one `); {
				if line, err = in.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			cancel()
			limit, stop := context.WithTimeout(t.Context(), time.Second)
			defer stop()
			if _, err := p.Last().AwaitCancel(limit); err != nil {
				t.Fatalf("the provider was not stopped: %v", err)
			}
			row := h.awaitRow(1)
			if row.Status != ledger.StatusAborted || row.Usage.Input == 0 || row.Usage.Output == 0 {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// awaitRow waits until n rows have ended, and returns the last.
func (h *house) awaitRow(n int) Row {
	h.t.Helper()
	changed, cancel := h.Subscribe()
	defer cancel()
	limit := time.After(10 * time.Second)
	for {
		ended := 0
		rows := h.rows()
		for _, r := range rows {
			if r.Status != ledger.StatusRunning {
				ended++
			}
		}
		if ended >= n {
			return rows[len(rows)-1]
		}
		select {
		case <-changed:
		case <-limit:
			h.t.Fatalf("%d of %d rows ended", ended, n)
		}
	}
}

// Promise 7, K1, K3: strangers are turned away before anything is read or sent.
func TestStrangersAreTurnedAway(t *testing.T) {
	p := proxytest.New()
	h, _ := lab(t, proxytest.Chat, p)
	body := chatBody("openai/text", "")
	for name, c := range map[string]struct {
		status int
		header []string
	}{
		"foreign origin":    {403, []string{"Origin", "https://evil.com"}},
		"null origin":       {403, []string{"Origin", "null"}},
		"rebound host":      {403, []string{"Host", "evil.com:5397"}},
		"cross-site image":  {403, []string{"Sec-Fetch-Site", "cross-site"}},
		"wrong token":       {401, []string{"Authorization", "Bearer nope"}},
		"wrong x-api-key":   {401, []string{"Authorization", "", "X-Api-Key", "nope"}},
		"no token, a cloud": {401, []string{"Authorization", ""}},
	} {
		r := h.do("POST", "/v1/chat/completions", body, c.header...)
		if r.status != c.status || r.header.Get("Access-Control-Allow-Origin") != "" || r.field(t, "error", "message") == "" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	pre := h.do("OPTIONS", "/v1/chat/completions", "", "Origin", "https://evil.com", "Access-Control-Request-Method", "POST")
	if pre.status != 403 {
		t.Errorf("a foreign preflight got %d", pre.status)
	}
	if n := len(p.Requests()); n != 0 {
		t.Errorf("%d requests went out", n)
	}
	for _, header := range [][]string{{"X-Api-Key", "kt-test", "Authorization", ""}, {"X-Goog-Api-Key", "kt-test", "Authorization", ""}} {
		if r := h.do("POST", "/v1/chat/completions", body, header...); r.status != 200 {
			t.Errorf("%v: %d", header, r.status)
		}
	}
	if r := h.do("POST", "/v1/chat/completions?key=kt-test", body, "Authorization", ""); r.status != 200 {
		t.Errorf("?key=: %d", r.status)
	}
}

// Promise 6: nothing is dialled offline but this computer, and redirects end.
func TestOfflineAndRedirects(t *testing.T) {
	other := proxytest.New()
	elsewhere := proxytest.Start(t, other)
	p := proxytest.New(proxytest.Script{Fault: proxytest.FaultRedirect, Header: http.Header{"Location": {elsewhere.URL}}})
	h, _ := lab(t, proxytest.Chat, p)
	if r := h.chat("openai/text", ""); r.status != 502 || !strings.Contains(r.body, "redirect") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if len(other.Requests()) != 0 {
		t.Error("the redirect was followed")
	}
	far := open(t, "active: offline\n"+provider("far", "chat", "http://198.51.100.7/v1"), "LAB_KEY="+canary)
	before := far.network.Dials()
	if r := far.chat("far/text", ""); r.status != 403 || !strings.Contains(r.body, "offline") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if n := far.network.Dials() - before; n != 0 {
		t.Errorf("%d dials while offline", n)
	}
}

// Promise 9: a bad edit changes nothing; a good one holds for the next call.
func TestSettingsApplyToTheNextCall(t *testing.T) {
	one, two := proxytest.New(), proxytest.New()
	a, b := proxytest.Start(t, one), proxytest.Start(t, two)
	yaml := "providers:\n" +
		"  one: {dialect: chat, base_url: " + a.URL + "/v1, key_env: LAB_KEY, models: [text]}\n" +
		"  two: {dialect: chat, base_url: " + b.URL + "/v1, key_env: LAB_KEY, models: [text]}\n"
	h := open(t, yaml, "LAB_KEY="+canary)
	if r := h.chat("text", ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if err := h.Use("two"); err != nil {
		t.Fatal(err)
	}
	if r := h.chat("one/text", ""); r.status != 200 || r.header.Get("Keytray-Target") != "two/text" {
		t.Errorf("%d %s", r.status, r.header.Get("Keytray-Target"))
	}
	if n, m := len(one.Requests()), len(two.Requests()); n != 1 || m != 1 {
		t.Errorf("one got %d requests, two %d", n, m)
	}
	if err := h.Use("three"); err == nil {
		t.Error("the switch went to a provider that does not exist")
	}
	changed, cancel := h.Subscribe()
	defer cancel()
	bad := "active: two\n" + yaml + "budget: {day: [}\n"
	if err := os.WriteFile(filepath.Join(h.home, "config.yaml"), []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	limit := time.After(10 * time.Second)
	for h.Status().State != Attention {
		select {
		case <-changed:
		case <-limit:
			t.Fatal("the bad edit was not noticed")
		}
	}
	if p := h.Status().Problems[0]; p.About != "config" || !strings.Contains(p.Message, "line 5") {
		t.Errorf("problem %+v", p)
	}
	if r := h.chat("one/text", ""); r.header.Get("Keytray-Target") != "two/text" {
		t.Errorf("after the bad edit %s answers", r.header.Get("Keytray-Target"))
	}
}
