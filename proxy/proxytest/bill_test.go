package proxytest

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestBills checks that the bill grows with each frame in every dialect, and ends with what was stated.
func TestBills(t *testing.T) {
	words := Parts(Text("one ", "two ", "three \""))
	const text = 4 + 4 + 8 // the quote is sent with a backslash
	usage := &Usage{Input: 21, Output: 9}
	for _, d := range Dialects() {
		for _, stream := range []bool{true, false} {
			for _, x := range []struct {
				name   string
				script Script
				text   int64
				done   bool
				stated bool
			}{
				{"whole", Script{Parts: words, Usage: usage, ChatUsage: UsageAlways}, text, true, true},
				{"nothing stated", Script{Parts: words, NoUsage: true}, text, true, false},
				{"refused", Script{Fail: &Fail{Status: 500}}, 0, false, false},
				{"empty", Script{Fault: FaultEmpty}, 0, false, false},
			} {
				p := New(x.script)
				s := Start(t, p)
				body := `{"model":"m","stream":true}`
				if !stream {
					body = `{"model":"m","stream":false}`
				}
				resp, err := http.Post(s.URL+d.Path("m", stream), "application/json", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				seen := p.Last()
				<-seen.Done()
				all := seen.Bills()
				last := all[len(all)-1]
				if all[0] != (Bill{Asked: int64(len(body))}) {
					t.Errorf("%s %v, %s: begins with %+v", d, stream, x.name, all[0])
				}
				if last.Text != x.text || last.Done != x.done || (last.Usage != nil) != x.stated {
					t.Errorf("%s %v, %s: ends with %+v", d, stream, x.name, last)
				}
				if x.stated && (last.Usage.Input != 21 || last.Usage.Output != 9) {
					t.Errorf("%s %v, %s: states %+v", d, stream, x.name, *last.Usage)
				}
				if stream && x.done && len(all) < 5 {
					t.Errorf("%s, %s: %d steps", d, x.name, len(all))
				}
			}
		}
	}
}
