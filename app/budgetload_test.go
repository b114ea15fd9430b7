package app

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// atOnce is how many calls come at once.
const atOnce = 200

// rush sends that many calls at once, of all dialects, streamed and whole. The provider answers none of them before
// each has come to it or was refused; so all that were let through are under way together.
func rush(t *testing.T, h *house, model string, gate chan struct{}, arrived <-chan struct{}) []reply {
	t.Helper()
	all := allTongues(t)
	replies := make([]reply, atOnce)
	refused := make(chan struct{}, atOnce)
	var calls sync.WaitGroup
	for n := range atOnce {
		calls.Go(func() {
			x := all[n%len(all)]
			r, err := h.try(t.Context(), "POST", x.path(model, n%2 == 0), fmt.Sprintf(x.body, model, "hello", n%2 == 0))
			if err != nil {
				t.Error(err)
			}
			replies[n] = r
			refused <- struct{}{}
		})
	}
	for range atOnce { // each has come somewhere
		select {
		case <-refused:
		case <-arrived:
		}
	}
	close(gate)
	calls.Wait()
	return replies
}

// metered is a provider whose answers cost what is expected of them, times a factor.
func metered(gate, arrived chan struct{}, factor int64) *proxytest.Provider {
	return &proxytest.Provider{Choose: func(s *proxytest.Seen) proxytest.Script {
		arrived <- struct{}{}
		return proxytest.Script{Step: gate, Usage: &proxytest.Usage{Input: int64(len(s.Body)+3) / 4 * factor, Output: usualOutput * factor}}
	}}
}

// I19: however many calls come at once, a budget is passed by no more than the last call that was let through, where
// calls cost what is expected of them, and by no more than those under way where they cost more. Who is refused is told
// by whom, how much and until when, in their own dialect.
func TestBudgetsUnderLoad(t *testing.T) {
	const each = 500 * 1_500_000 // pico-USD that the answer of gpt-3.5-turbo is expected to cost, its prompt apart
	for _, x := range []struct {
		name, yaml, who string
		factor          int64
	}{
		{"in all", "budget: {day: 0.008}\n", "all tools together", 1},
		{"the month", "budget: {month: 0.008}\n", "all tools together", 1},
		{"the tool", "tools: {env: {budget: {day: 0.008}}}\n", "tool env", 1},
		{"the provider", "", "provider openai", 1},
		{"the key", "", "key openai/OPENAI_API_KEY", 1},
		{"dearer than expected", "budget: {day: 0.008}\n", "all tools together", 20},
	} {
		t.Run(x.name, func(t *testing.T) {
			gate, arrived := make(chan struct{}), make(chan struct{}, atOnce)
			p := metered(gate, arrived, x.factor)
			own := ""
			switch x.name {
			case "the provider":
				own = ", budget: {day: 0.008}"
			case "the key":
				own = ", keys: {OPENAI_API_KEY: {budget: {day: 0.008}}}"
			}
			yaml := fmt.Sprintf("%sproviders:\n  openai: {base_url: %s/v1%s}\n", x.yaml, proxytest.Start(t, p).URL, own)
			h := open(t, yaml, "OPENAI_API_KEY="+canary)
			const limit = 8_000_000_000
			through, blocked := 0, 0
			for n, r := range rush(t, h, "openai/gpt-3.5-turbo", gate, arrived) {
				if r.status == 200 {
					through++
					continue
				}
				blocked++
				said := allTongues(t)[n%len(allTongues(t))]
				var told hearing
				if err := told.add(said, []byte(r.body)); err != nil || r.status != 402 {
					t.Fatalf("%s: %d %s %v", said.dialect, r.status, r.body, err)
				}
				for _, word := range []string{"for " + x.who + " is used up", "budget of 0.0080 USD", "begins anew on ", "USD so far"} {
					if !strings.Contains(told.told, word) {
						t.Errorf("%s: %q is not told in %s", said.dialect, word, told.told)
					}
				}
			}
			if n := len(p.Requests()); n != through || through+blocked != atOnce {
				t.Errorf("%d calls were answered, %d refused, and the provider had %d", through, blocked, n)
			}
			var spent, dearest int64
			for _, r := range h.rows() {
				spent += *r.CostPico
				dearest = max(dearest, *r.CostPico)
				if r.Status == ledger.StatusError && (*r.CostPico != 0 || r.HTTPStatus != 0) {
					t.Errorf("a call that was refused: %+v", r)
				}
			}
			expected := int64(each)
			// The limit is reached by what is expected of those under way, and the last of them may pass it.
			if most := limit/expected + 1; int64(through) > most || through == 0 {
				t.Errorf("%d calls were let through, at most %d fit", through, most)
			}
			if over := spent - limit; x.factor == 1 && over > dearest {
				t.Errorf("the limit of %s was passed by %s, and a call costs %s", llm.Pico(limit), llm.Pico(over), llm.Pico(dearest))
			}
			if len(h.rows()) != atOnce {
				t.Errorf("%d rows", len(h.rows()))
			}
			if r := h.chat("openai/gpt-3.5-turbo", ""); spent >= limit && r.status != 402 {
				t.Errorf("afterwards: %d %s", r.status, r.body)
			}
		})
	}
}

// A budget whose at_limit says offline: what may not be paid for is answered by Ollama, and nobody sees an error.
func TestAtLimitOfflineUnderLoad(t *testing.T) {
	for _, where := range []string{"all", "key"} {
		t.Run(where, func(t *testing.T) {
			gate, arrived := make(chan struct{}), make(chan struct{}, atOnce)
			cloud := metered(gate, arrived, 1)
			local := &proxytest.Provider{Models: []string{"small"}}
			all, own := "budget: {day: 0.008, at_limit: offline}\n", ""
			if where == "key" {
				all, own = "", ", keys: {OPENAI_API_KEY: {budget: {day: 0.008, at_limit: offline}}}"
			}
			yaml := fmt.Sprintf("%sproviders:\n  openai: {base_url: %s/v1%s}\n  ollama: {base_url: %s}\n", all, proxytest.Start(t, cloud).URL, own, proxytest.Start(t, local).URL)
			h := open(t, yaml, "OPENAI_API_KEY="+canary)
			paid, free := 0, 0
			for n, r := range rush(t, h, "openai/gpt-3.5-turbo", gate, arrived) {
				switch target := r.header.Get("Keytray-Target"); {
				case r.status == 200 && target == "ollama/small:latest":
					free++
				case r.status == 200 && target == "openai/gpt-3.5-turbo":
					paid++
				default:
					t.Errorf("call %d: %d %s %s", n, r.status, target, r.body)
				}
			}
			if paid == 0 || paid > 11 || paid+free != atOnce {
				t.Errorf("%d were paid for, %d were free", paid, free)
			}
			var spent int64
			for _, r := range h.rows() {
				if r.Provider == "ollama" && *r.CostPico != 0 {
					t.Errorf("Ollama costs %s", picoText(r.CostPico))
				}
				spent += *r.CostPico
			}
			if one := spent / int64(max(paid, 1)); spent > 8_000_000_000+one {
				t.Errorf("spent %d", spent)
			}
		})
	}
}
