package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/tidwall/gjson"
)

// http [-until PATTERN] METHOD PATH [-t TOKEN|@FILE] [BODY] calls the started
// serve, again and again until the answer matches; the status and the body come to
// be the script's output.
func request(ts *testscript.TestScript, _ bool, args []string) {
	re := regexp.MustCompile("")
	if args[0] == "-until" {
		re, args = regexp.MustCompile(args[1]), args[2:]
	}
	repeat(ts, re, func() string {
		r := call(newRequest(ts, args))
		ts.Check(r.err)
		_, _ = io.WriteString(ts.Stdout(), r.said)
		return r.said
	})
}

// begin PROVIDER METHOD PATH... is http, but goes on when the call has reached
// the provider, which holds it. See ended.
func begin(ts *testscript.TestScript, _ bool, args []string) {
	w, req := of(ts), newRequest(ts, args[1:])
	w.pending = make(chan reply, 1)
	go func() { w.pending <- call(req) }()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	select {
	case <-w.providers[args[0]].arrived:
	case r := <-w.pending:
		ts.Fatalf("it ended: %s %v", r.said, r.err)
	case <-ctx.Done():
		ts.Fatalf("it does not arrive")
	}
}

// ended waits for the end of what begin began; it comes to be the output.
func ended(ts *testscript.TestScript, _ bool, _ []string) {
	r := <-of(ts).pending
	ts.Check(r.err)
	_, _ = io.WriteString(ts.Stdout(), r.said)
}

// reply is the end of a call.
type reply struct {
	said string
	err  error
}

func newRequest(ts *testscript.TestScript, args []string) *http.Request {
	method, path, token, body := args[0], args[1], "", ""
	args = args[2:]
	if len(args) > 1 && args[0] == "-t" {
		token, args = args[1], args[2:]
		if file, ok := strings.CutPrefix(token, "@"); ok {
			token = strings.TrimSpace(ts.ReadFile(file))
		}
	}
	if len(args) > 0 {
		body = args[0]
	}
	req, err := http.NewRequest(method, ts.Getenv("URL")+path, strings.NewReader(body))
	ts.Check(err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req
}

func call(req *http.Request) reply {
	resp, err := (&http.Client{Timeout: soon}).Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{fmt.Sprintf("%d %s\n%s\n", resp.StatusCode, resp.Header.Get("Content-Type"), b), err}
}

// keychain COUNT wants that many items in the keychain.
func keychain(ts *testscript.TestScript, _ bool, args []string) {
	w := of(ts)
	w.mu.Lock()
	defer w.mu.Unlock()
	if strconv.Itoa(len(w.values)) != args[0] {
		ts.Fatalf("the keychain has %d items, not %s", len(w.values), args[0])
	}
}

// exits CODE COMMAND... wants this exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		code = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// until PATTERN COMMAND... repeats a command until its output matches.
func until(ts *testscript.TestScript, _ bool, args []string) {
	repeat(ts, regexp.MustCompile(args[0]), func() string {
		ts.Check(ts.Exec(args[1], args[2:]...))
		return ts.ReadFile("stdout")
	})
}

// repeat does something until what it gives matches.
func repeat(ts *testscript.TestScript, re *regexp.Regexp, do func() string) {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !re.MatchString(do()) {
		select {
		case <-again.C:
		case <-ctx.Done():
			ts.Fatalf("it never says %q", re)
		}
	}
}

// line is line n of the output, counted from 1, or from the end below 0.
func line(ts *testscript.TestScript, n string) string {
	all := strings.Split(strings.TrimRight(ts.ReadFile("stdout"), "\n"), "\n")
	i, err := strconv.Atoi(n)
	ts.Check(err)
	if i < 0 {
		i += len(all) + 1
	}
	if i < 1 || i > len(all) {
		ts.Fatalf("there are %d lines", len(all))
	}
	if !gjson.Valid(all[i-1]) {
		ts.Fatalf("line %s is no JSON: %s", n, all[i-1])
	}
	return all[i-1]
}

// json LINE PATH WANT compares one value of a JSON line, as it is written.
func jsonAt(ts *testscript.TestScript, neg bool, args []string) {
	got := gjson.Get(line(ts, args[0]), args[1]).Raw
	if (got == args[2] || got == `"`+args[2]+`"`) == neg {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// fields LINE PATH NAMES wants these fields of an object, in this order.
func fields(ts *testscript.TestScript, _ bool, args []string) {
	var names []string
	gjson.Get(line(ts, args[0]), args[1]).ForEach(func(k, _ gjson.Result) bool {
		names = append(names, k.String())
		return true
	})
	if got, want := strings.Join(names, " "), strings.Join(args[2:], " "); got != want {
		ts.Fatalf("fields\n%s, want\n%s", got, want)
	}
}

// lines N wants that many lines of output.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	n := strings.Count(ts.ReadFile("stdout"), "\n")
	if strconv.Itoa(n) != args[0] {
		ts.Fatalf("%d lines, not %s", n, args[0])
	}
}

// config FILE writes config.yaml, with variables such as $lab_URL filled in.
func config(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	home := ts.Getenv("KEYTRAY_HOME")
	ts.Check(os.MkdirAll(home, 0o700))
	ts.Check(os.WriteFile(home+"/config.yaml", []byte(text), 0o600))
}
