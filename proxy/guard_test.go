package proxy

import (
	"net/http"
	"strings"
	"testing"
)

// unread fails the test when anybody reads it.
type unreadBody struct{ t *testing.T }

func (u unreadBody) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, http.ErrBodyReadAfterClose
}

// Promise 7, K1: whose name stands in Host.
func TestHosts(t *testing.T) {
	d := &desk{}
	h, _ := door(d, func(o *Options) { o.Host = func(host string) bool { return host == "box.lan" } })
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:5397": 200, "127.0.0.2:5397": 200, "127.255.255.254": 200,
		"localhost": 200, "LocalHost:5397": 200, "localhost.": 200, "localhost.:5397": 200, "foo.localhost": 200, "foo.localhost:80": 200,
		"[::1]": 200, "[::1]:5397": 200, "[::ffff:127.0.0.1]:5397": 200,
		"box.lan": 200, "BOX.lan:5397": 200,
		"": 403, "evil.com": 403, "evil.com:5397": 403, "127.0.0.1.evil.com": 403, "localhost.evil.com": 403, "evillocalhost": 403,
		"127.0.0.1@evil.com": 403, "evil.com:127.0.0.1": 403, "sub.box.lan": 403,
		"2130706433": 403, "0x7f000001": 403, "0177.0.0.1": 403, "127.1": 403, "0.0.0.0:5397": 403, "[::]:5397": 403,
		"192.168.1.7:5397": 403, "[::ffff:10.0.0.1]": 403, "[fe80::1]:5397": 403, "evil.com:80.localhost": 403, "[localhost": 200,
	} {
		for _, path := range []string{"/v1/models", "/healthz"} {
			if w := call(h, "GET", path, "", "Host", host); w.Code != want {
				t.Errorf("%s as %q: %d, want %d", path, host, w.Code, want)
			}
		}
	}
}

// K1: who may call from a browser, on any route.
func TestOrigins(t *testing.T) {
	d := &desk{}
	h, _ := door(d, func(o *Options) { o.Origin = func(origin string) bool { return origin == "https://app.example" } })
	for name, c := range map[string]struct {
		header []string
		status int
		allow  string
	}{
		"a program":              {nil, 200, ""},
		"typed by hand":          {[]string{"Sec-Fetch-Site", "none"}, 200, ""},
		"a page of ours":         {[]string{"Sec-Fetch-Site", "same-origin"}, 200, ""},
		"an image of a page":     {[]string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		"a page on another port": {[]string{"Sec-Fetch-Site", "same-site"}, 403, ""},
		"a foreign page":         {[]string{"Origin", "https://evil.com"}, 403, ""},
		"a local file":           {[]string{"Origin", "null"}, 403, ""},
		"a page on localhost":    {[]string{"Origin", "http://localhost:5397"}, 403, ""},
		"a longer name":          {[]string{"Origin", "https://app.example.evil.com"}, 403, ""},
		"an app that is named":   {[]string{"Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"}, 200, "https://app.example"},
	} {
		for _, at := range [][2]string{{"GET", "/v1/models"}, {"GET", "/v1/models/x"}, {"GET", "/healthz"}, {"POST", "/v1/chat/completions"}, {"GET", "/nowhere"}, {"PUT", "/v1/models"}} {
			before := d.calls()
			w := call(h, at[0], at[1], hello, c.header...)
			if ok := w.Code != 403; ok != (c.status == 200) || w.Header().Get("Access-Control-Allow-Origin") != c.allow {
				t.Errorf("%s, %s: %d, allows %q", name, at, w.Code, w.Header().Get("Access-Control-Allow-Origin"))
			}
			if c.status == 403 && d.calls() != before {
				t.Errorf("%s reached a target", name)
			}
			if c.allow != "" && w.Header().Get("Vary") != "Origin" {
				t.Errorf("%s: Vary %q", name, w.Header().Get("Vary"))
			}
		}
	}
}

// A browser asks first, without a token.
func TestPreflight(t *testing.T) {
	h, _ := door(&desk{}, func(o *Options) { o.Origin = func(origin string) bool { return origin == "https://app.example" } })
	ask := func(origin string) (int, http.Header) {
		w := call(h, "OPTIONS", "/v1/chat/completions", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Authorization", "")
		return w.Code, w.Header()
	}
	code, hd := ask("https://app.example")
	if code != 204 || hd.Get("Access-Control-Allow-Origin") != "https://app.example" ||
		!strings.Contains(hd.Get("Access-Control-Allow-Headers"), "Authorization") || !strings.Contains(hd.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("%d %v", code, hd)
	}
	for _, origin := range []string{"https://evil.com", "null"} {
		if code, hd := ask(origin); code != 403 || hd.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", origin, code, hd)
		}
	}
	if w := call(h, "OPTIONS", "/v1/chat/completions", "", "Origin", "https://app.example"); w.Code != 405 {
		t.Errorf("OPTIONS that is no preflight: %d", w.Code)
	}
}

// K3: where a token may stand, and which one counts.
func TestTokens(t *testing.T) {
	d := &desk{list: []Model{{ID: "m"}}}
	access := Refuse
	h, _ := door(d, func(o *Options) { o.Without = func() Access { return access } })
	for name, c := range map[string]struct {
		query  string
		header []string
		refuse int // by access
		local  int
		any    int
	}{
		"bearer":                  {"", []string{"Authorization", "Bearer kt-good"}, 200, 200, 200},
		"bearer, lower case":      {"", []string{"Authorization", "bearer  kt-good "}, 200, 200, 200},
		"x-api-key":               {"", []string{"X-Api-Key", "kt-good"}, 200, 200, 200},
		"x-goog-api-key":          {"", []string{"X-Goog-Api-Key", "kt-good"}, 200, 200, 200},
		"key in the query":        {"?key=kt-good", nil, 200, 200, 200},
		"two, the second is good": {"", []string{"Authorization", "Bearer sk-other", "X-Api-Key", "kt-good"}, 200, 200, 200},
		"two, the first is good":  {"?key=nope", []string{"Authorization", "Bearer kt-good"}, 200, 200, 200},
		"a wrong one":             {"", []string{"Authorization", "Bearer kt-goo"}, 401, 401, 200},
		"a wrong one in a query":  {"?key=nope", nil, 401, 401, 200},
		"a good one as Basic":     {"", []string{"Authorization", "Basic kt-good"}, 401, 200, 200},
		"an empty bearer":         {"", []string{"Authorization", "Bearer "}, 401, 200, 200},
		"none":                    {"", nil, 401, 200, 200},
	} {
		for a, want := range map[Access]int{Refuse: c.refuse, Local: c.local, Any: c.any} {
			access = a
			before := d.calls()
			header := append([]string{"Authorization", ""}, c.header...)
			w := call(h, "POST", "/v1/chat/completions"+c.query, hello, header...)
			if w.Code != want {
				t.Errorf("%s, access %d: %d %s", name, a, w.Code, w.Body)
				continue
			}
			if want == 401 {
				if _, code := problem(t, w); !strings.HasSuffix(code, "_api_key") || d.calls() != before {
					t.Errorf("%s: code %q, %d calls", name, code, d.calls()-before)
				}
				continue
			}
			r := d.last(t)
			known := strings.Contains(strings.Join(append(c.header, c.query), " "), "kt-good") && !strings.Contains(name, "Basic")
			if known != (r.Tool == "tool") || r.LocalOnly != (!known && a == Local) {
				t.Errorf("%s, access %d: tool %q, local only %v", name, a, r.Tool, r.LocalOnly)
			}
		}
	}
	access = Local
	if w := call(h, "GET", "/v1/models", "", "Authorization", ""); w.Code != 200 || strings.Contains(w.Body.String(), `"m"`) {
		t.Errorf("models without a token: %d %s", w.Code, w.Body)
	}
}

// Nothing of a stranger's body is read.
func TestStrangersAreNotRead(t *testing.T) {
	h, _ := door(&desk{})
	for _, header := range [][2]string{{"Origin", "https://evil.com"}, {"Authorization", "Bearer nope"}, {"Sec-Fetch-Site", "cross-site"}} {
		r, err := http.NewRequest("POST", "http://127.0.0.1:5397/v1/chat/completions", unreadBody{t})
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer kt-good")
		r.Header.Set(header[0], header[1])
		w := &plain{header: http.Header{}}
		h.ServeHTTP(w, r)
		if w.status != 401 && w.status != 403 {
			t.Errorf("%v: %d", header, w.status)
		}
	}
}

func TestPaused(t *testing.T) {
	d := &desk{}
	paused := true
	h, _ := door(d, func(o *Options) { o.Paused = func() bool { return paused } })
	w := call(h, "POST", "/v1/chat/completions", hello)
	if _, code := problem(t, w); w.Code != 503 || code != "paused" || d.calls() != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := call(h, "POST", "/v1/chat/completions", hello, "Authorization", "Bearer nope"); w.Code != 401 {
		t.Errorf("a stranger learns %d", w.Code)
	}
	if w := call(h, "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("healthz %d", w.Code)
	}
	paused = false
	if w := call(h, "POST", "/v1/chat/completions", hello); w.Code != 200 {
		t.Errorf("resumed: %d", w.Code)
	}
}
