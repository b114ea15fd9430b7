package openai

import (
	"fmt"
	"strings"
	"testing"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// settings reads a body whose fields are all of the common ones.
func settings(t *testing.T, body string) (*Settings, *llm.Error) {
	t.Helper()
	s := &Settings{Prompt: &llm.Prompt{}}
	bad := field.Object("body", []byte(body), func(key string, v []byte) *llm.Error {
		known, err := s.Read(key, v)
		if !known {
			t.Errorf("%s is not known", key)
		}
		return err
	})
	return s, bad
}

func TestSettings(t *testing.T) {
	s, err := settings(t, `{"temperature":0,"top_p":0.5,"top_k":3,"frequency_penalty":1,"presence_penalty":-1,"seed":7,"stop":["a","b"],
		"parallel_tool_calls":false,"user":"u","safety_identifier":"s","service_tier":"flex"}`)
	if err != nil {
		t.Fatal(err)
	}
	n := 9
	s.MaxTokens = &n
	if err := s.Settle(); err != nil {
		t.Fatal(err)
	}
	p, l := s.Prompt, &s.Prompt.Limits
	got := fmt.Sprintln(*l.Temperature, *l.TopP, *l.TopK, *l.FrequencyPenalty, *l.PresencePenalty, *l.Seed, l.Stop, *p.Choice.Parallel, p.User, p.Tier, *l.MaxTokens, p.Lost)
	if want := "0 0.5 3 1 -1 7 [a b] false u flex 9 [safety_identifier]\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	s, _ = settings(t, `{"safety_identifier":"s","stop":"x"}`)
	if err := s.Settle(); err != nil || s.Prompt.User != "s" || len(s.Prompt.Lost) > 0 || fmt.Sprint(s.Prompt.Limits.Stop) != "[x]" {
		t.Errorf("%+v %v", s.Prompt, err)
	}
	if known, err := s.Read("n", []byte("2")); known || err != nil {
		t.Errorf("n is known: %v", err)
	}
	for _, bad := range []string{`{"stop":7}`, `{"stop":[7]}`, `{"temperature":"x"}`, `{"seed":1.5}`, `{"user":[]}`} {
		name, _, _ := strings.Cut(bad[2:], `"`)
		if _, err := settings(t, bad); err == nil || !strings.HasPrefix(err.Param, name) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestChoiceRead(t *testing.T) {
	tools := []llm.Tool{{Name: "f"}, {Name: "g"}}
	name := func(v []byte) string { return field.Unquote(v) }
	for _, c := range []struct {
		choice  string // a word, or the inside of allowed_tools
		tools   []llm.Tool
		want    string
		refused string
	}{
		{`"auto"`, tools, "auto f g", ""},
		{`"any"`, tools, "any f g", ""},
		{`"required"`, nil, "unset", ""}, // A26
		{`"perhaps"`, tools, "", "tool_choice"},
		{`7`, tools, "", "tool_choice"},
		{`{"mode":"required","tools":["g"]}`, tools, "any g", ""},
		{`{"mode":"auto","tools":[""]}`, tools, "", "at[0]"},
	} {
		s := Settings{Prompt: &llm.Prompt{Tools: append([]llm.Tool(nil), c.tools...)}}
		known, err := s.Choice([]byte(c.choice))
		if known == (c.choice[0] == '{') {
			t.Errorf("%s: known %v", c.choice, known)
		}
		if !known {
			err = s.Allow("at", []byte(c.choice), name)
		}
		if err == nil {
			err = s.Settle()
		}
		if c.refused != "" {
			if err == nil || err.Param != c.refused {
				t.Errorf("%s: %v", c.choice, err)
			}
			continue
		}
		got := map[llm.ChoiceMode]string{llm.ChooseUnset: "unset", llm.ChooseAuto: "auto", llm.ChooseAny: "any"}[s.Prompt.Choice.Mode]
		for _, tool := range s.Prompt.Tools {
			got += " " + tool.Name
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %s %v, want %s", c.choice, got, err, c.want)
		}
	}
	s := Settings{Prompt: &llm.Prompt{Tools: tools, Choice: llm.Choice{Mode: llm.ChooseNamed, Name: "h"}}}
	if err := s.Settle(); err == nil || err.Param != "tool_choice" {
		t.Errorf("a tool that is not there is chosen: %v", err)
	}
}
