package llm

import (
	"errors"
	"slices"
	"testing"
)

func TestClientTools(t *testing.T) {
	search, now := Tool{Kind: Hosted, Name: WebSearch}, Tool{Name: "now"}
	for _, x := range []struct {
		name   string
		prompt Prompt
		left   int
		lost   []string
		param  string
	}{
		{"none", Prompt{}, 0, nil, ""},
		{"own", Prompt{Tools: []Tool{now}}, 1, nil, ""},
		{"both", Prompt{Tools: []Tool{search, now}}, 1, []string{"tools: web_search"}, ""},
		{"hosted alone", Prompt{Tools: []Tool{search}}, 0, nil, "tools"},
		{"hosted forced", Prompt{Tools: []Tool{search, now}, Choice: Choice{Mode: ChooseNamed, Name: WebSearch}}, 0, nil, "tool_choice"},
		{"own forced", Prompt{Tools: []Tool{search, now}, Choice: Choice{Mode: ChooseNamed, Name: "now"}}, 1, []string{"tools: web_search"}, ""},
	} {
		var c Call
		before := len(x.prompt.Tools)
		got, err := c.ClientTools(&x.prompt)
		var e *Error
		if errors.As(err, &e) != (x.param != "") || e != nil && (e.Param != x.param || e.Kind != BadRequest) {
			t.Errorf("%s: %v", x.name, err)
		}
		if err == nil && len(got.Tools) != x.left || !slices.Equal(c.Lost, x.lost) || len(x.prompt.Tools) != before {
			t.Errorf("%s: %+v, lost %q", x.name, got, c.Lost)
		}
	}
}
