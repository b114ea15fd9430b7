package messages

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// randomPrompt is any sequence of messages, however odd.
func randomPrompt(r *rand.Rand) *llm.Prompt {
	p := &llm.Prompt{}
	ids := []string{"a", "b", "c|1", "c_1", ""}
	texts := []string{"", " ", "one", "two\n"}
	for range r.IntN(9) {
		m := llm.Message{Role: []llm.Role{llm.User, llm.Assistant, llm.System}[r.IntN(3)]}
		for range r.IntN(4) {
			b := txt(texts[r.IntN(len(texts))])
			switch k := r.IntN(5); {
			case k == 0 && m.Role == llm.Assistant, k == 1 && m.Role == llm.Assistant:
				b = calls(ids[r.IntN(len(ids))], "f."+strconv.Itoa(r.IntN(3)), []string{"", "{}", "{", `{"a":1}`}[r.IntN(4)])
			case k == 2 && m.Role == llm.Assistant:
				b = llm.Block{Kind: llm.Thinking, Text: "t", Opaque: "s", Origin: []string{name, "chat"}[r.IntN(2)]}
			case k < 3 && m.Role == llm.User:
				b = result(ids[r.IntN(len(ids))], b)
			}
			b.Cache = []string{"", "", "5m"}[r.IntN(3)]
			m.Blocks = append(m.Blocks, b)
		}
		p.Messages = append(p.Messages, m)
	}
	if r.IntN(2) == 0 {
		p.Tools = []llm.Tool{fn("f.1", noProps), fn("f_1", `{}`)}
	}
	p.Choice.Mode = llm.ChoiceMode(r.IntN(4))
	p.Reasoning.Effort = []string{"", "none", "high"}[r.IntN(3)]
	if r.IntN(3) == 0 {
		p.Format = llm.Format{Kind: llm.FormatSchema, Name: "f.1", Schema: json.RawMessage(noProps)}
	}
	return p
}

// Whatever a client sends, Anthropic gets a conversation of its own rules:
// turns alternate from the user's on, every call has one result at the start
// of the next turn, ids are unique, texts are not white, tools are declared.
func TestEncodeRequestIsAlwaysLegal(t *testing.T) {
	flags := []llm.Flags{nil, {llm.FlagNoPrefill, llm.FlagThinkingAdaptive, llm.FlagNoSampling, llm.FlagJSONSchema}, {llm.FlagThinkingBudget}}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := randomPrompt(r)
		call := &llm.Call{Model: llm.Model{Name: "m", Flags: flags[r.IntN(len(flags))]}}
		body, err := Dialect{}.EncodeRequest(call, p)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if why := illegal(body, call.Model.Flags); why != "" {
			in, _ := json.Marshal(p)
			t.Fatalf("seed %d: %s\n%s\nfrom\n%s", seed, why, body, in)
		}
	}
}

func illegal(body []byte, flags llm.Flags) string {
	var b struct {
		Messages []struct {
			Role    string
			Content []struct {
				Type, Text, ID, Name string
				Use                  string `json:"tool_use_id"`
				Input                json.RawMessage
			}
		}
		Tools []struct {
			Name string
		}
		Choice struct{ Type, Name string } `json:"tool_choice"`
		Think  struct{ Type string }       `json:"thinking"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return err.Error()
	}
	tools, ids := map[string]bool{}, map[string]bool{}
	for _, t := range b.Tools {
		if tools[t.Name] || toolNames.Safe(t.Name) != t.Name {
			return "tool name " + t.Name
		}
		tools[t.Name] = true
	}
	if b.Choice.Type != "" && len(tools) == 0 || b.Choice.Name != "" && !tools[b.Choice.Name] {
		return "an orphan tool_choice"
	}
	if (b.Choice.Type == "any" || b.Choice.Type == "tool") && (b.Think.Type == "adaptive" || b.Think.Type == "enabled") {
		return "thinking while a tool is forced"
	}
	if strings.Count(string(body), `"cache_control"`) > maxMarks {
		return "too many cache marks"
	}
	var open []string
	for i, m := range b.Messages {
		if want := []string{"user", "assistant"}[i%2]; m.Role != want || len(m.Content) == 0 {
			return "turn " + strconv.Itoa(i) + " is " + m.Role
		}
		waiting := open
		open = nil
		for k, c := range m.Content {
			switch c.Type {
			case "text":
				if strings.TrimSpace(c.Text) == "" {
					return "white text"
				}
			case "tool_use":
				if ids[c.ID] || toolNames.Safe(c.ID) != c.ID || c.ID == "" || len(c.Input) == 0 || c.Input[0] != '{' || len(tools) == 0 {
					return "call " + c.ID
				}
				ids[c.ID] = true
				open = append(open, c.ID)
			case "tool_result":
				if k >= len(waiting) || waiting[k] != c.Use {
					return "result " + c.Use
				}
			}
			if k < len(waiting) && c.Type != "tool_result" {
				return "a call without result"
			}
		}
		if last := m.Content[len(m.Content)-1]; m.Role == "assistant" && last.Type == "thinking" {
			return "a turn ends in thinking"
		}
		if len(m.Content) < len(waiting) {
			return "calls without results"
		}
	}
	if len(open) > 0 || len(b.Messages) == 0 {
		return "calls at the end, or no message"
	}
	if len(b.Messages)%2 == 0 && flags.Has(llm.FlagNoPrefill) {
		return "prefill"
	}
	return ""
}
