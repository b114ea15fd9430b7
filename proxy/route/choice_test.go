package route

import (
	"context"
	"slices"
	"testing"
	"time"

	"keytray/proxy/llm"
)

// order is who is asked when all fail, with what the rows would say.
func order(t *testing.T, names []string, s func([]Choice) llm.Target) (asked []string, notes []llm.Note) {
	t.Helper()
	var all []Choice
	for _, name := range names {
		all = append(all, Choice{ask(func(ctx context.Context) {
			asked, notes = append(asked, name), append(notes, llm.NoteOf(ctx))
		}), "p", name})
	}
	if _, err := s(all).Do(t.Context(), &llm.Request{}); err != busy {
		t.Fatal(err)
	}
	return asked, notes
}

// ask is a target that tells of being asked, and fails.
type ask func(context.Context)

func (a ask) Do(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
	a(ctx)
	return nil, busy
}

func TestCheapest(t *testing.T) {
	costs := map[string]llm.Pico{"dear": 900, "cheap": 10, "free": 0, "same": 10}
	asked, notes := order(t, []string{"dear", "unknown", "cheap", "same", "free"}, func(all []Choice) llm.Target {
		return Cheapest{all, func(_ *llm.Request, c Choice) (llm.Pico, bool) { p, ok := costs[c.Model]; return p, ok }}
	})
	if want := []string{"free", "cheap", "same", "dear", "unknown"}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
	if notes[0] != (llm.Note{Reason: "cheapest of 5", Instead: "p/dear"}) || notes[3] != (llm.Note{Reason: "next cheapest, as p/same failed (overloaded)"}) || notes[4].Reason != "no price known, as p/dear failed (overloaded)" {
		t.Errorf("notes %+v", notes)
	}
}

func TestFastest(t *testing.T) {
	speeds := map[string]struct {
		first time.Duration
		speed float64
	}{
		"slow start": {3 * time.Second, 200}, // 5 s
		"slow":       {time.Second, 40},      // 11 s
		"short":      {2 * time.Second, 0},   // answers too short to measure more
	}
	asked, notes := order(t, []string{"slow", "slow start", "short", "new"}, func(all []Choice) llm.Target {
		return Fastest{all, func(c Choice) (time.Duration, float64) { s := speeds[c.Model]; return s.first, s.speed }}
	})
	if want := []string{"new", "short", "slow start", "slow"}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
	if notes[0].Reason != "fastest: not measured yet" || notes[3].Reason != "fastest: 11s for a usual answer, as p/slow start failed (overloaded)" {
		t.Errorf("notes %+v", notes)
	}
}

func BenchmarkCheapest(b *testing.B) {
	s := Cheapest{[]Choice{{now{}, "p", "a"}, {now{}, "p", "b"}, {now{}, "p", "c"}}, func(_ *llm.Request, c Choice) (llm.Pico, bool) { return llm.Pico(c.Model[0]), true }}
	for b.Loop() {
		_, _ = s.Do(b.Context(), &llm.Request{})
	}
}

func BenchmarkFastest(b *testing.B) {
	s := Fastest{[]Choice{{now{}, "p", "a"}, {now{}, "p", "b"}}, func(c Choice) (time.Duration, float64) { return time.Duration(c.Model[0]), 1 }}
	for b.Loop() {
		_, _ = s.Do(b.Context(), &llm.Request{})
	}
}
