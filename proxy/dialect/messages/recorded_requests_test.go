package messages_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
)

// Every recorded request is read, or refused for a reason that names its
// field, and what was read is sent on in every dialect.
func TestRecordedRequests(t *testing.T) {
	count, lost := map[string]int{}, map[string]int{}
	for _, folder := range []string{"anthropic-messages", "count-tokens"} {
		for _, recorded := range dialecttest.Recordings(t, folder) {
			body := recorded.Request
			if !strings.Contains(string(body), `"messages"`) || strings.Contains(recorded.Name, "bedrock") && folder == "count-tokens" {
				count["not of this dialect"]++
				continue
			}

			if !json.Valid(body) {
				t.Errorf("%s is not JSON", recorded.Name)
			}
			r := &llm.Request{Raw: body, Inbound: messages.Dialect{}, Header: http.Header{"Anthropic-Version": {"2023-06-01"}}}
			p, err := r.Prompt()
			if err != nil {
				e := llm.AsError(err)
				count["refused: "+e.Param]++
				if e.Kind != llm.BadRequest || e.Param == "" || !strings.Contains(string(body), `"file_id"`) {
					t.Errorf("%s: %v", recorded.Name, err)
				}
				continue
			}
			count["read"]++
			for _, l := range p.Lost {
				lost[l]++
			}
			for _, out := range outbounds {
				b, err := out.EncodeRequest(&llm.Call{Model: llm.Model{Name: "m"}}, p)
				switch {
				case err != nil && llm.AsError(err).Kind == llm.BadRequest:
					count[out.Name()+" refuses: "+llm.AsError(err).Message]++
				case err != nil || !json.Valid(b):
					t.Errorf("%s to %s: %v", recorded.Name, out.Name(), err)
				default:
					count[out.Name()]++
				}
			}
		}
	}
	for k, n := range count {
		t.Log(n, k)
	}
	t.Log("lost: ", lost)
}
