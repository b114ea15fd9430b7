package report

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// pagesOf answers each path with its pages in turn, and keeps what was asked.
type pagesOf struct {
	pages map[string][]string
	asked []string
}

func (p *pagesOf) get(_ context.Context, path string, query url.Values) ([]byte, error) {
	ask, err := url.QueryUnescape(query.Encode())
	if err != nil {
		return nil, err
	}
	p.asked = append(p.asked, path+"?"+ask)
	left := p.pages[path]
	if len(left) == 0 {
		return nil, errors.New("no such page")
	}
	p.pages[path] = left[1:]
	return []byte(left[0]), nil
}

func fetch(id string, p *pagesOf) (*Report, error) {
	return Sources()[id].Fetch(context.Background(), p.get, at("2026-11-04"), at("2026-11-06"))
}

func TestFetchOpenAI(t *testing.T) {
	cost := func(start int, line, amount, more string) string {
		return fmt.Sprintf(`{"object":"page","data":[{"object":"bucket","start_time":%d,"end_time":%d,"results":[{"object":"organization.costs.result","amount":{"value":%s,"currency":"usd"},"line_item":%s,"project_id":null}]}],%s}`,
			start, start+86400, amount, line, more)
	}
	p := &pagesOf{pages: map[string][]string{
		"/organization/costs": {
			cost(1793750400, `"gpt-4o-2024-08-06, input"`, `0.06`, `"has_more":true,"next_page":"page_2"`),
			cost(1793836800, `"gpt-4o-2024-08-06, output"`, `"1.5e-05"`, `"has_more":true,"next_page":"page_3"`),
			cost(1793836800, `null`, `0.1`, `"has_more":false,"next_page":null`),
		},
		"/organization/usage/completions": {
			`{"data":[{"start_time":1793750400,"results":[{"model":"gpt-4o-2024-08-06","num_model_requests":3,"input_tokens":100,"input_cached_tokens":40,"output_tokens":20},{"model":null,"num_model_requests":1}]}],"has_more":false,"next_page":null}`,
		},
	}}
	got, err := fetch("openai", p)
	want := &Report{
		Charges: []Charge{
			{at("2026-11-04"), "gpt-4o-2024-08-06", Model, false, 60_000_000_000},
			{at("2026-11-05"), "", Other, false, 100_000_000_000},
			{at("2026-11-05"), "gpt-4o-2024-08-06", Model, false, 15_000_000},
		},
		Used: []Used{{at("2026-11-04"), "gpt-4o-2024-08-06", 3, 100, 20}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	if want := []string{
		"/organization/costs?bucket_width=1d&end_time=1793923200&group_by[]=line_item&limit=180&start_time=1793750400",
		"/organization/costs?bucket_width=1d&end_time=1793923200&group_by[]=line_item&limit=180&page=page_2&start_time=1793750400",
		"/organization/costs?bucket_width=1d&end_time=1793923200&group_by[]=line_item&limit=180&page=page_3&start_time=1793750400",
		"/organization/usage/completions?bucket_width=1d&end_time=1793923200&group_by[]=model&limit=31&start_time=1793750400",
	}; !reflect.DeepEqual(p.asked, want) {
		t.Errorf("asked %q", p.asked)
	}
}

func TestFetchAnthropic(t *testing.T) {
	p := &pagesOf{pages: map[string][]string{
		"/organizations/cost_report": {
			`{"data":[{"starting_at":"2026-11-04T00:00:00Z","ending_at":"2026-11-05T00:00:00Z","results":[
				{"amount":"123.45","currency":"USD","cost_type":"tokens","description":"Claude Sonnet 4 Usage - Input Tokens","model":"claude-sonnet-4-20250514","service_tier":"standard","token_type":"uncached_input_tokens","workspace_id":null},
				{"amount":"0.5","currency":"USD","cost_type":"tokens","description":"x","model":"claude-sonnet-4-20250514","service_tier":"batch","token_type":"output_tokens"}]}],"has_more":true,"next_page":"page_x"}`,
			`{"data":[{"starting_at":"2026-11-05T00:00:00Z","ending_at":"2026-11-06T00:00:00Z","results":[
				{"amount":"10","currency":"USD","cost_type":"web_search","description":"Web Search Usage","model":null,"service_tier":null},
				{"amount":"7","currency":"USD","cost_type":"session_usage","description":"Something new","model":null}]}],"has_more":false,"next_page":null}`,
		},
		"/organizations/usage_report/messages": {
			`{"data":[{"starting_at":"2026-11-04T00:00:00Z","results":[{"model":"claude-sonnet-4-20250514","uncached_input_tokens":100,"cache_creation":{"ephemeral_1h_input_tokens":10,"ephemeral_5m_input_tokens":5},"cache_read_input_tokens":200,"output_tokens":50,"server_tool_use":{"web_search_requests":10}}]}],"has_more":false,"next_page":null}`,
		},
	}}
	got, err := fetch("anthropic", p)
	want := &Report{
		Charges: []Charge{
			{at("2026-11-04"), "claude-sonnet-4-20250514", Model, true, 5_000_000_000},
			{at("2026-11-04"), "claude-sonnet-4-20250514", Model, false, 1_234_500_000_000},
			{at("2026-11-05"), "Something new", Other, false, 70_000_000_000},
			{at("2026-11-05"), "web search", Tool, false, 100_000_000_000},
		},
		Used: []Used{{at("2026-11-04"), "claude-sonnet-4-20250514", 0, 315, 50}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	if want := "/organizations/cost_report?bucket_width=1d&ending_at=2026-11-06T00:00:00Z&group_by[]=description&limit=31&page=page_x&starting_at=2026-11-04T00:00:00Z"; p.asked[1] != want {
		t.Errorf("asked %q", p.asked)
	}
}

func TestFetchOpenRouter(t *testing.T) {
	line := `{"date":"%s","model":"openai/gpt-4.1","model_permaslug":"openai/gpt-4.1-2025-04-14","endpoint_id":"e","provider_name":"OpenAI","usage":%s,"byok_usage_inference":0.012,"requests":5,"prompt_tokens":50,"completion_tokens":125,"reasoning_tokens":25}`
	p := &pagesOf{pages: map[string][]string{"/activity": {`{"data":[` +
		fmt.Sprintf(line, "2026-11-04", "0.015") + "," + fmt.Sprintf(line, "2026-11-04", "5e-7") + "," + fmt.Sprintf(line, "2026-10-01", "9") + `]}`}}}
	got, err := fetch("openrouter", p)
	want := &Report{
		Charges: []Charge{{at("2026-11-04"), "openai/gpt-4.1", Model, false, 15_000_500_000}},
		Used:    []Used{{at("2026-11-04"), "openai/gpt-4.1", 10, 100, 250}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
}

func TestFetchNonsense(t *testing.T) {
	bucket := `{"start_time":1793750400,"results":[{"amount":{"value":%s,"currency":"%s"},"line_item":"m, input"}]}`
	endless := make([]string, 3)
	for i := range endless {
		endless[i] = `{"data":[],"has_more":true,"next_page":"again"}`
	}
	for name, c := range map[string]struct {
		id, path string
		pages    []string
		want     string
	}{
		"html":             {"openai", "/organization/costs", []string{"<html>"}, "cannot be read"},
		"no data":          {"openai", "/organization/costs", []string{`{"object":"page"}`}, "is no report"},
		"an array":         {"openai", "/organization/costs", []string{`[]`}, "cannot be read"},
		"another currency": {"openai", "/organization/costs", []string{`{"data":[` + fmt.Sprintf(bucket, "1", "eur") + `]}`}, "in EUR"},
		"no amount":        {"openai", "/organization/costs", []string{`{"data":[` + fmt.Sprintf(bucket, `"much"`, "usd") + `]}`}, "no amount of money"},
		"a list as amount": {"openai", "/organization/costs", []string{`{"data":[` + fmt.Sprintf(bucket, `[1]`, "usd") + `]}`}, "no amount of money"},
		"too much":         {"openai", "/organization/costs", []string{`{"data":[` + fmt.Sprintf(bucket, "1e300", "usd") + `]}`}, "no amount of money"},
		"no day":           {"openai", "/organization/costs", []string{`{"data":[{"results":[]}]}`}, "it has no day"},
		"circles":          {"openai", "/organization/costs", endless, "goes in circles"},
		"more nowhere":     {"anthropic", "/organizations/cost_report", []string{`{"data":[],"has_more":true,"next_page":null}`}, "and not where"},
		"no start":         {"anthropic", "/organizations/cost_report", []string{`{"data":[{"results":[]}]}`}, "starting_at"},
		"router, no data":  {"openrouter", "/activity", []string{`{"error":{}}`}, "is no report"},
		"router, no day":   {"openrouter", "/activity", []string{`{"data":[{"date":"x","usage":1}]}`}, "is no day"},
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := fetch(c.id, &pagesOf{pages: map[string][]string{c.path: c.pages}}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v; want %q", r, err, c.want)
			}
		})
	}
	// The costs stand without the counts, but not when nobody waits any more.
	costs := map[string][]string{"/organization/costs": {`{"data":[` + fmt.Sprintf(bucket, "1", "usd") + `]}`}}
	r, err := fetch("openai", &pagesOf{pages: costs})
	if err != nil || len(r.Charges) != 1 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "no such page") {
		t.Errorf("without counts: %+v, %v", r, err)
	}
	_, err = Sources()["openai"].Fetch(context.Background(), func(_ context.Context, path string, _ url.Values) ([]byte, error) {
		if path == "/organization/costs" {
			return []byte(`{"data":[]}`), nil
		}
		return nil, context.Canceled
	}, at("2026-11-04"), at("2026-11-06"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
