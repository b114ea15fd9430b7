package openai

import (
	"encoding/json"
	"strconv"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// MaxKey is how long OpenAI takes a prompt_cache_key.
const MaxKey = 64

// Request writes the body of a request, field by field. A dialect's encoder is
// made with one.
type Request struct {
	Call   *llm.Call
	Prompt *llm.Prompt
	Flags  llm.Flags
	Buf    []byte
}

// Begin opens the body with the name of the model, in a buffer that seldom has
// to grow.
func (r *Request) Begin() {
	r.Buf = make([]byte, 0, size(r.Prompt))
	r.Buf = sse.AppendString(append(r.Buf, `{"model":`...), r.Call.Model.Name)
}

func size(p *llm.Prompt) int {
	n := 1024
	add := func(blocks []llm.Block) {
		for i := range blocks {
			b := &blocks[i]
			n += 96 + len(b.Text) + len(b.Text)/16 + len(b.Media.Data) + len(b.Media.URL) + len(b.Opaque)
			for j := range b.Content {
				n += 64 + len(b.Content[j].Text) + len(b.Content[j].Media.Data)
			}
		}
	}
	add(p.System)
	for i := range p.Messages {
		n += 64
		add(p.Messages[i].Blocks)
	}
	for i := range p.Tools {
		n += 128 + len(p.Tools[i].Description) + len(p.Tools[i].Schema) + len(p.Tools[i].Raw)
	}
	return n + len(p.Format.Schema)
}

// Key begins a field that is not its object's first.
func (r *Request) Key(k string) { r.Buf = append(append(append(r.Buf, `,"`...), k...), '"', ':') }

// Str writes a field that is a string.
func (r *Request) Str(k, s string) {
	r.Key(k)
	r.Buf = sse.AppendString(r.Buf, s)
}

// Int writes a field that is a whole number.
func (r *Request) Int(k string, n int64) {
	r.Key(k)
	r.Buf = strconv.AppendInt(r.Buf, n, 10)
}

// Bool writes a field that is true or false.
func (r *Request) Bool(k string, b bool) {
	r.Key(k)
	r.Buf = strconv.AppendBool(r.Buf, b)
}

// Number writes a number that is set. It keeps an explicit zero (A25), and
// drops what models with the flag reject (A24).
func (r *Request) Number(k string, f *float64, rejected string) {
	switch {
	case f == nil:
		return
	case r.Flags.Has(rejected):
		r.Call.Lose(k + ": this model takes none")
		return
	}
	b, err := json.Marshal(*f)
	if err != nil { // NaN, which no JSON body can have held
		return
	}
	r.Key(k)
	r.Buf = append(r.Buf, b...)
}

// Samplers writes temperature and top_p, which some models reject, and some
// once they are told to think (A24).
func (r *Request) Samplers(effort string) {
	l := &r.Prompt.Limits
	if r.Flags.Has(llm.FlagNoSampledThought) && effort != "" && effort != "none" {
		if l.Temperature != nil {
			r.Call.Lose("temperature: this model takes none while it thinks")
		}
		if l.TopP != nil {
			r.Call.Lose("top_p: this model takes none while it thinks")
		}
		return
	}
	r.Number("temperature", l.Temperature, llm.FlagNoSampling)
	r.Number("top_p", l.TopP, llm.FlagNoSampling)
}

// MaxTokens is how long the answer may be, and no longer than the model writes.
func (r *Request) MaxTokens() (n int, set bool) {
	if r.Prompt.Limits.MaxTokens == nil {
		return 0, false
	}
	n = *r.Prompt.Limits.MaxTokens
	if most := r.Call.Model.MaxOutput; most > 0 && n > most {
		r.Call.Lose("max_tokens: this model writes at most " + strconv.Itoa(most))
		n = most
	}
	return n, true
}

// Effort maps a budget to an effort (C5), which the dialect calls as. It is ""
// for nothing to be sent. Thinking turned off is "none" only for models that
// are known to think: others reject the field.
func (r *Request) Effort(as string) string {
	effort := r.Prompt.Reasoning.Effort
	if budget := r.Prompt.Reasoning.Budget; effort == "" && budget != nil {
		switch n := *budget; {
		case n < 0:
		case n == 0:
			if r.Flags.Has(llm.FlagReasoning) {
				effort = "none"
			}
		default:
			effort = effortOf(n)
			if !r.Flags.Has(llm.FlagNoReasoning) {
				r.Call.Lose("thinking budget: sent as " + as + " " + effort)
			}
		}
	}
	switch {
	case effort == "":
		return ""
	case r.Flags.Has(llm.FlagNoReasoning):
		if effort != "none" {
			r.Call.Lose("reasoning_effort: this model does not think")
		}
		return ""
	}
	return r.Call.TakenEffort(effort)
}

func effortOf(budget int) string {
	switch {
	case budget <= 4096:
		return "low"
	case budget <= 16384:
		return "medium"
	}
	return "high"
}

// User writes whom the answer is for.
func (r *Request) User() {
	if r.Prompt.User != "" {
		r.Str("user", r.Call.TakenUser(r.Prompt.User))
	}
}

// Tier writes the service tier.
func (r *Request) Tier() {
	switch tier := r.Prompt.Tier; tier {
	case "":
	case "auto", "default", "flex", "priority", "scale":
		r.Str("service_tier", tier)
	case "standard_only", "standard": // Anthropic's and Google's words
		r.Str("service_tier", "default")
	default:
		r.Call.Lose("service_tier: " + tier)
	}
}
