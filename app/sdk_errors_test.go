package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// J9: a provider's refusal keeps its status, and is one that OpenAI's client
// knows. Nothing is charged for it.
func TestSDKErrors(t *testing.T) {
	for _, x := range []struct {
		status     int
		retryAfter string
		kind       string // chat's own bytes aside
	}{
		{400, "", "invalid_request_error"},
		{401, "", "authentication_error"},
		{403, "", "permission_error"},
		{404, "", "invalid_request_error"},
		{429, "7", "rate_limit_error"},
		{500, "", "server_error"},
		{503, "7", "server_error"},
		{529, "7", "server_error"},
	} {
		fail := &proxytest.Fail{Status: x.status}
		if x.retryAfter != "" {
			fail.RetryAfter = 7
		}
		eachUpstream(t, []proxytest.Script{{Fail: fail}}, func(t *testing.T, c caseOf) {
			for _, streamed := range []bool{false, true} {
				var err error
				if streamed {
					_, _, err = c.gather(c.params("hi"))
				} else {
					_, err = c.client.Chat.Completions.New(t.Context(), c.params("hi"))
				}
				var refused *openai.Error
				if !errors.As(err, &refused) {
					t.Fatalf("%d: %v", x.status, err)
				}
				if refused.StatusCode != x.status || refused.Message == "" || refused.Response.Header.Get("Retry-After") != x.retryAfter {
					t.Errorf("%d: status %d, Retry-After %q, %s", x.status, refused.StatusCode, refused.Response.Header.Get("Retry-After"), refused.RawJSON())
				}
				if c.dialect != proxytest.Chat && refused.Type != x.kind {
					t.Errorf("%d: type %q, want %q: %s", x.status, refused.Type, x.kind, refused.RawJSON())
				}
				row := c.last()
				if row.Status != ledger.StatusError || row.HTTPStatus != x.status || row.Error == "" || row.CostPico == nil || *row.CostPico != 0 || row.Streamed != streamed {
					t.Errorf("%d: row %+v", x.status, row)
				}
			}
		})
	}
}

// J6: closing the client's stream stops the provider; the row says what was
// used so far.
func TestSDKClose(t *testing.T) {
	scripts := []proxytest.Script{{
		Parts: proxytest.Parts(proxytest.Text("one ", "two ", "three ")), Fault: proxytest.FaultStall, After: 4,
	}}
	eachUpstream(t, scripts, func(t *testing.T, c caseOf) {
		stream := c.client.Chat.Completions.NewStreaming(t.Context(), withUsage(c.params("hi")))
		text := ""
		for !strings.Contains(text, "one ") && stream.Next() {
			if chunk := stream.Current(); len(chunk.Choices) > 0 {
				text += chunk.Choices[0].Delta.Content
			}
		}
		if text == "" || stream.Err() != nil {
			t.Fatalf("%q, %v", text, stream.Err())
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.provider.Last().AwaitCancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		row := c.awaitRow(1)
		if row.Status != ledger.StatusAborted || row.Usage.Input == 0 || row.Usage.Output == 0 || row.CostPico == nil {
			t.Errorf("row %+v", row)
		}
		if wanted := (*row.CostPico > 0); wanted != (c.cost > 0) || (c.cost > 0) != (row.CostKind == ledger.CostEstimated) {
			t.Errorf("cost %s %s", picoText(row.CostPico), row.CostKind)
		}
	})
}

// The client finds the models that can be asked for, and one by its name.
func TestSDKModels(t *testing.T) {
	p := proxytest.NewByModel()
	h, _ := lab(t, proxytest.Chat, p)
	client := h.sdk()
	page, err := client.Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range page.Data {
		seen[m.ID] = true
	}
	if !seen["openai/gpt-5"] || !seen["demo/echo"] || seen["anthropic/claude-haiku-5-5"] {
		t.Errorf("models %v", seen)
	}
	one, err := client.Models.Get(t.Context(), "openai/gpt-5")
	if err != nil || one.ID != "openai/gpt-5" || one.OwnedBy != "openai" {
		t.Errorf("%+v, %v", one, err)
	}
	var refused *openai.Error
	if _, err = client.Models.Get(t.Context(), "openai/none"); !errors.As(err, &refused) || refused.StatusCode != 404 || refused.Message == "" {
		t.Errorf("%v", err)
	}
}

// told is an error of the client with what the server said; by itself it
// names the status alone.
func told(err error) string {
	var refused *openai.Error
	if errors.As(err, &refused) {
		return refused.Error() + " " + refused.RawJSON()
	}
	return fmt.Sprint(err)
}
