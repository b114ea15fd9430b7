package app

import (
	"net/http"
	"strings"
	"testing"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// wantCost checks an attempt's cost: exact zero where nothing was answered,
// else something, as an estimate. Ollama's is zero whatever happens.
func (c caseOf) wantCost(row Row, free bool) {
	c.t.Helper()
	kind := ledger.CostEstimated
	if free || c.cost == 0 {
		kind = ledger.CostExact
	}
	if row.CostPico == nil || (*row.CostPico == 0) != (kind == ledger.CostExact) || row.CostKind != kind {
		c.t.Errorf("cost %s %s, want it to be %s: %+v", picoText(row.CostPico), row.CostKind, kind, row)
	}
	if !free && row.Usage.Input == 0 {
		c.t.Errorf("usage %+v", row.Usage)
	}
}

// J9: a provider that answers with something else before it has said a word is
// refused as such, whole and streamed; the row says why, and is true.
func TestProvidersThatDoNotAnswer(t *testing.T) {
	for _, x := range []struct {
		name    string
		script  proxytest.Script
		status  int // 0: that of a 5xx
		http    int // in the row
		mention string
		row     ledger.Status
		paid    bool
	}{
		{name: "a page", script: proxytest.Script{Fault: proxytest.FaultHTML}, status: 502, http: 502},
		{name: "a page as 200", script: raw("text/html", "<html><body>Sign in</body></html>"), status: 502, http: 200},
		{name: "nothing", script: proxytest.Script{Fault: proxytest.FaultEmpty}, status: 502, http: 200, mention: "empty"},
		{name: "an error as 200", script: proxytest.Script{Fault: proxytest.FaultInside, Fail: &proxytest.Fail{EchoKey: true}}, http: 200, mention: "Incorrect API key"},
		{name: "white space without end", script: proxytest.Script{Fault: proxytest.FaultBomb}, status: 502, http: 200},
		{name: "other JSON", script: raw("application/json", `{"ok":true}`), status: 502, http: 200},
		{name: "compressed in an unknown way", script: raw("application/json", "\x0b\x02\x80hi\x03", "Content-Encoding", "br"), status: 502, http: 200, mention: "br"},
		{name: "says gzip and is not", script: raw("application/json", "{}", "Content-Encoding", "gzip"), status: 502, http: 200},
		{name: "an error that is no JSON", script: withStatus(418, raw("text/plain", "no coffee")), status: 418, http: 418, mention: "no coffee"},
		{name: "an error without a body", script: withStatus(500, raw("", "")), status: 500, http: 500},
	} {
		t.Run(x.name, func(t *testing.T) {
			eachUpstream(t, []proxytest.Script{x.script}, func(t *testing.T, c caseOf) {
				for _, more := range []string{"", `"stream":true`} {
					r := c.chat(c.asked, more)
					status := x.status
					if status == 0 && r.status >= 500 {
						status = r.status
					}
					r.wantRefused(t, status, x.mention)
					mustNotHold(t, "the answer", r.body)
					row := c.last()
					if row.Status != ledger.StatusError || row.HTTPStatus != x.http || row.Error == "" || row.Streamed != (more != "") {
						t.Errorf("row %+v", row)
					}
					mustNotHold(t, "the row", row.Error)
					c.wantCost(row, true)
				}
				if n := len(c.rows()); n != 2 {
					t.Errorf("%d rows", n)
				}
			})
		})
	}
}

// raw is an answer byte by byte, as 200.
func raw(kind, body string, header ...string) proxytest.Script {
	h := http.Header{}
	if kind != "" {
		h.Set("Content-Type", kind)
	}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return proxytest.Script{Raw: &proxytest.Raw{Header: h, Pieces: [][]byte{[]byte(body)}}}
}

func withStatus(status int, s proxytest.Script) proxytest.Script {
	s.Raw.Status = status
	return s
}

// An answer without a choice is no answer, but its tokens were used.
func TestAnswerWithoutChoices(t *testing.T) {
	p := proxytest.New(proxytest.Script{Fault: proxytest.FaultNoAnswer})
	h, _ := lab(t, proxytest.Chat, p)
	for _, more := range []string{"", `"stream":true`} {
		h.chat("openai/gpt-5", more).wantRefused(t, 502)
		row := h.last()
		if row.Status != ledger.StatusError || row.Usage.Input != 12 || row.Usage.Output != 7 || row.CostPico == nil || *row.CostPico != 85e6 {
			t.Errorf("%q: row %+v", more, row)
		}
	}
}

// What is odd and still an answer goes through, whole and streamed, to a
// client that checks each chunk.
func TestOddAnswers(t *testing.T) {
	const want = "Grüße, привет, こんにちは 🎹."
	parts := proxytest.Parts(proxytest.Text("Grüße, ", "привет, ", "こんにちは", " 🎹", "."))
	for _, x := range []struct {
		name   string
		script proxytest.Script
		not    proxytest.Dialect
		sums   bool // a client that adds up what every chunk states gets more
	}{
		{name: "cut in runes", script: proxytest.Script{Regroup: proxytest.InRunes}},    // J2
		{name: "byte by byte", script: proxytest.Script{Regroup: proxytest.ByBytes(1)}}, // J2, H13
		{name: "by seven bytes", script: proxytest.Script{Regroup: proxytest.ByBytes(7)}},
		{name: "at once", script: proxytest.Script{Regroup: proxytest.AtOnce}},
		{name: "other line ends", script: proxytest.Script{CRLF: true}},
		{name: "no space after data:", script: proxytest.Script{Tight: true}},
		{name: "pings", script: proxytest.Script{Ping: 1}}, // B9
		{name: "usage with the reason", script: proxytest.Script{ChatUsage: proxytest.UsageInline}},
		{name: "usage all along", script: proxytest.Script{ChatUsage: proxytest.UsageEvery}, sums: true},
		{name: "gzip", script: proxytest.Script{Fault: proxytest.FaultGzip}}, // J3
		{name: "gzip without a label", script: proxytest.Script{Fault: proxytest.FaultGzipHidden}},
		{name: "zstd", script: proxytest.Script{Fault: proxytest.FaultZstd}},
		{name: "gzip, byte by byte", script: proxytest.Script{Fault: proxytest.FaultGzip, Regroup: proxytest.ByBytes(1)}},
		{name: "labelled as text", script: proxytest.Script{Fault: proxytest.FaultType}},
		{name: "a frame of 4 MiB", script: proxytest.Script{Fault: proxytest.FaultLarge}},
		{name: "no [DONE]", script: proxytest.Script{Fault: proxytest.FaultNoDone}},
		// Google has no last frame but the one with a reason and the usage, and text after it is kept.
		{name: "more after the end", script: proxytest.Script{Fault: proxytest.FaultTrailing}, not: proxytest.Gemini}, // D11
	} {
		t.Run(x.name, func(t *testing.T) {
			x.script.Parts = parts
			eachUpstream(t, []proxytest.Script{x.script}, func(t *testing.T, c caseOf) {
				if c.dialect == x.not {
					t.Skip("see the table")
				}
				whole, err := c.client.Chat.Completions.New(t.Context(), c.params("hi"))
				if err != nil {
					t.Fatal(told(err))
				}
				if got := strings.TrimRight(whole.Choices[0].Message.Content, " "); got != want || whole.Choices[0].FinishReason != "stop" || whole.Usage.TotalTokens != 19 {
					t.Errorf("whole %.300s", whole.RawJSON())
				}
				c.wantGood(c.last(), false)
				sum, _, err := c.gather(withUsage(c.params("hi")))
				if err != nil || len(sum.Choices) != 1 {
					t.Fatal(len(sum.Choices), told(err))
				}
				if got := strings.TrimRight(sum.Choices[0].Message.Content, " "); got != want || sum.Choices[0].FinishReason != "stop" || sum.Usage.TotalTokens != 19 && !x.sums {
					t.Errorf("streamed %.300q %s %+v", got, sum.Choices[0].FinishReason, sum.Usage)
				}
				c.wantGood(c.last(), true)
			})
		})
	}
}

// Usage that nobody states is estimated; usage of zero is zero (I6).
func TestUsageThatIsMissing(t *testing.T) {
	eachUpstream(t, []proxytest.Script{{NoUsage: true}}, func(t *testing.T, c caseOf) {
		for _, more := range []string{"", `"stream":true,"stream_options":{"include_usage":true}`} {
			if r := c.chat(c.asked, more); r.status != 200 || strings.Contains(r.body, `"prompt_tokens":`) && c.dialect != proxytest.Ollama {
				t.Errorf("%d %s", r.status, r.body)
			}
			row := c.last()
			if row.Status != ledger.StatusOK {
				t.Errorf("row %+v", row)
			}
			if c.dialect == proxytest.Ollama {
				continue // which leaves zeros out, and is free
			}
			c.wantCost(row, false)
			if row.Usage.Output == 0 {
				t.Errorf("usage %+v", row.Usage)
			}
		}
	})
	for _, d := range []proxytest.Dialect{proxytest.Chat, proxytest.Messages} {
		h, prefix := lab(t, d, proxytest.New(proxytest.Script{Usage: &proxytest.Usage{}}))
		for _, u := range upstreams {
			if u.dialect != d {
				continue
			}
			if r := h.chat(prefix+u.model, ""); r.status != 200 {
				t.Errorf("%d %s", r.status, r.body)
			}
			if row := h.last(); row.CostPico == nil || *row.CostPico != 0 || row.CostKind != ledger.CostExact || row.Usage.Input != 0 {
				t.Errorf("%s: row %+v", d, row)
			}
		}
	}
}

// J3: zstd that does not say so, cut anywhere.
func TestHiddenZstd(t *testing.T) {
	const answer = `{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":7}}`
	all := []byte(packed(t, "zstd", 0, answer))
	for at := 1; at < 8; at++ {
		p := proxytest.New(proxytest.Script{Raw: &proxytest.Raw{Header: http.Header{"Content-Type": {"application/json"}}, Pieces: [][]byte{all[:at], all[at:]}}})
		h, _ := lab(t, proxytest.Chat, p)
		if r := h.chat("openai/gpt-5", ""); r.status != 200 || r.body != answer {
			t.Errorf("cut at %d: %d %s", at, r.status, r.body)
		}
		if row := h.last(); row.Usage.Input != 12 || row.Usage.Output != 7 {
			t.Errorf("cut at %d: row %+v", at, row)
		}
	}
}
