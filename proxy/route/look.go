package route

import (
	"strings"

	"keytray/proxy/llm"
)

// Look is what a cheap first look at a request tells of it.
type Look struct {
	Tokens    int  // of the prompt, roughly
	Turns     int  // messages
	Tools     bool // tools may be called
	Images    bool
	Documents bool
	Code      bool // there is code in it
	Reasoning bool // thought was asked for
}

// longPrompt is from how many tokens on a prompt is long.
const longPrompt = 30_000

// LookAt looks at a prompt, at its text only as far as it must.
func LookAt(p *llm.Prompt) Look {
	l := Look{Turns: len(p.Messages), Tools: len(p.Tools) > 0}
	l.Reasoning = p.Reasoning.Effort == "high" || p.Reasoning.Effort == "xhigh" || p.Reasoning.Effort == "max" ||
		p.Reasoning.Budget != nil && *p.Reasoning.Budget > 8000
	bytes := 0
	see := func(b llm.Block) {
		bytes += len(b.Text)
		switch b.Kind {
		case llm.Image:
			l.Images = true
			bytes += 4 * 1000 // what a picture usually comes to
		case llm.Document:
			l.Documents = true
			bytes += len(b.Media.Data) / 10
		}
		l.Code = l.Code || hasCode(b.Text)
	}
	for _, b := range p.System {
		bytes += len(b.Text)
	}
	for _, m := range p.Messages {
		for _, b := range m.Blocks {
			see(b)
			for _, c := range b.Content {
				see(c)
			}
		}
	}
	l.Tokens = bytes / 4
	return l
}

func hasCode(s string) bool {
	s = s[:min(len(s), 20_000)]
	if strings.Contains(s, "```") {
		return true
	}
	hits := 0
	for _, sign := range [...]string{"func ", "def ", "class ", "import ", "return ", "();", " => ", "#include", "</", "SELECT "} {
		if strings.Contains(s, sign) {
			hits++
		}
	}
	return hits >= 3
}

// Task is a word for the kind of request, for what models are good at: vision,
// agent, reasoning, code, long or chat.
func (l Look) Task() string {
	switch {
	case l.Images:
		return "vision"
	case l.Tools:
		return "agent"
	case l.Reasoning:
		return "reasoning"
	case l.Code:
		return "code"
	case l.Tokens > longPrompt:
		return "long"
	default:
		return "chat"
	}
}
