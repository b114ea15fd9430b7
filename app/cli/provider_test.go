package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/tidwall/gjson"
)

// fake is a provider that speaks chat, accepts one key and counts.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	calls   map[string]int // by Authorization
	arrived chan struct{}  // one for each call that is held
	hold    chan struct{}  // nil, or closed when held calls may go on
}

// answer is 1000 tokens in and 500 out.
const answer = `{"id":"x","object":"chat.completion","created":1,"model":"%s","choices":[{"index":0,"message":{"role":"assistant","content":"from %s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500}}`

// provider [-hold] NAME KEY starts one; its base URL comes to be $NAME_URL. One
// that holds answers when it is released.
func provider(ts *testscript.TestScript, _ bool, args []string) {
	p := &fake{calls: map[string]int{}, arrived: make(chan struct{}, 10)}
	if args[0] == "-hold" {
		args, p.hold = args[1:], make(chan struct{})
	}
	name, want := args[0], "Bearer "+args[1]
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		p.mu.Lock()
		p.calls[given]++
		p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if given != want {
			w.WriteHeader(http.StatusUnauthorized)
			// Some providers repeat the key that they refuse.
			fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s","type":"invalid_request_error","code":"invalid_api_key"}}`, strings.TrimPrefix(given, "Bearer "))
			return
		}
		if reported(w, r) {
			return
		}
		if strings.HasSuffix(r.URL.Path, "/models") {
			_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"a"},{"id":"b"},{"id":"c"}]}`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if p.hold != nil {
			p.arrived <- struct{}{}
			select {
			case <-p.hold:
			case <-r.Context().Done():
				return
			}
		}
		fmt.Fprintf(w, answer, gjson.GetBytes(body, "model").String(), name)
	}))
	of(ts).providers[name] = p
	ts.Setenv(name+"_URL", p.URL+"/v1")
}

// release NAME lets the held calls of a provider go on.
func release(ts *testscript.TestScript, _ bool, args []string) {
	close(of(ts).providers[args[0]].hold)
}

// asked NAME N [KEY] wants N calls of a provider so far, all with that key.
func asked(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts).providers[args[0]]
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for given, calls := range p.calls {
		n += calls
		if len(args) > 2 && given != "Bearer "+args[2] {
			ts.Fatalf("%s was called with %d calls of another key", args[0], calls)
		}
	}
	if fmt.Sprint(n) != args[1] {
		ts.Fatalf("%s was called %d times, not %s", args[0], n, args[1])
	}
}
