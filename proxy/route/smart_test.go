package route

import (
	"context"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func TestSmart(t *testing.T) {
	size := map[string]float64{"small": 1, "middle": 2, "large": 3}
	quality := map[string]float64{"small": 0.35, "middle": 0.6, "large": 0.9}
	prompt := func(text string, tools bool) *llm.Prompt {
		p := &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Text: text}}}}}
		if tools {
			p.Tools = []llm.Tool{{Name: "t"}}
		}
		return p
	}
	image := prompt("what?", false)
	image.Messages[0].Blocks = append(image.Messages[0].Blocks, llm.Block{Kind: llm.Image})
	for _, c := range []struct {
		name   string
		bar    float64
		prompt *llm.Prompt
		want   string // in the order asked
		says   string
	}{
		{"a short question", 0.5, prompt("hi", false), "small middle large", "smart: chat of about 0 tokens needs 0.30, this has 0.35"},
		{"code", 0.5, prompt("```x```", false), "middle large small", "smart: code of about 1 tokens needs 0.55, this has 0.60"},
		{"an agent", 0.6, prompt("hi", true), "large middle small", "smart: agent"},
		{"nobody is good enough", 1, prompt("hi", true), "large middle small", "needs 1.00, this has 0.90"},
		{"only some see", 0.1, image, "middle large", "smart: vision"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked []string
			var notes []llm.Note
			var all []Choice
			for _, name := range []string{"large", "small", "middle"} {
				all = append(all, Choice{ask(func(ctx context.Context) { asked, notes = append(asked, name), append(notes, llm.NoteOf(ctx)) }), "p", name})
			}
			s := Smart{
				Choices: all, Bar: c.bar, Size: func(c Choice) float64 { return size[c.Model] },
				Quality: func(c Choice, _ string) float64 { return quality[c.Model] },
				Fits:    func(c Choice, l Look) bool { return !l.Images || c.Model != "small" },
			}
			if _, err := s.Do(t.Context(), (&llm.Request{}).Derive(c.prompt, false)); err != busy {
				t.Fatal(err)
			}
			if strings.Join(asked, " ") != c.want || !strings.Contains(notes[0].Reason, c.says) {
				t.Errorf("asked %v because %q", asked, notes[0].Reason)
			}
			if at := slices.Index(asked, "large"); notes[at].Instead != "" || at != 0 && notes[0].Instead != "p/large" {
				t.Errorf("notes %+v", notes)
			}
		})
	}
	none := Smart{Choices: []Choice{{now{}, "p", "a"}}, Fits: func(Choice, Look) bool { return false }}
	if _, err := none.Do(t.Context(), question(false)); llm.AsError(err).Code != "nobody_fits" {
		t.Error(err)
	}
}

func BenchmarkSmart(b *testing.B) {
	s := Smart{
		Choices: []Choice{{now{}, "p", "a"}, {now{}, "p", "b"}, {now{}, "p", "c"}}, Bar: 0.5, Size: func(c Choice) float64 { return float64(c.Model[0]) },
		Quality: func(Choice, string) float64 { return 0.5 }, Fits: func(Choice, Look) bool { return true },
	}
	r := question(false)
	for b.Loop() {
		_, _ = s.Do(b.Context(), r)
	}
}
