package refusal

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// J9
func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		" upstream\n connect  ":   "upstream connect",
		"no <b>page</b> &amp; so": "no <b>page</b> &amp; so",
		"<html><head><title>502 Bad\n Gateway &amp; so</title></head><body>nginx</body></html>": "502 Bad Gateway & so",
		"\n<!doctype html><HTML><Title lang=en>Bad":                                             "Bad",
		"<!doctype html><style>p{}</style><p>Busy &amp; <b>closed</b></p>":                      "Busy & closed",
		"<title> </title><script>x<y</script>Oh":                                                "Oh",
		"a\xffb":                                                                                "a\ufffdb",
	} {
		if got := Plain([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for _, s := range []string{strings.Repeat("é", 5000), "x" + strings.Repeat("é", 5000), "<p>" + strings.Repeat("é ", 70<<10)} {
		got := Plain([]byte(s))
		if len(got) > Longest+len("…") || !strings.HasSuffix(got, "…") || !utf8.ValidString(got) {
			t.Errorf("%d bytes became %d: %q", len(s), len(got), got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		seconds, ms string
		want        time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{"1.5", "", 1500 * time.Millisecond},
		{"7", "250", 250 * time.Millisecond},
		{"7", "0", 7 * time.Second},
		{"7", "x", 7 * time.Second},
		{"-3", "", 0},
		{"NaN", "", 0},
		{"soon", "", 0},
		{"1e30", "", 1e9 * time.Second},
		{"Sat, 21 Nov 2026 12:01:00 GMT", "", time.Minute},
		{"Sat, 21 Nov 2026 11:00:00 GMT", "", 0},
	} {
		h := http.Header{"Retry-After": {c.seconds}, "Retry-After-Ms": {c.ms}}
		if got := RetryAfter(h, now); got != c.want {
			t.Errorf("%q %q: %v, want %v", c.seconds, c.ms, got, c.want)
		}
	}
	if got := Clock(http.Header{"Date": {"Sat, 21 Nov 2026 12:00:00 GMT"}}); !got.Equal(now) {
		t.Errorf("the provider's clock says %v", got)
	}
	before := time.Now()
	if got := Clock(nil); got.Before(before) || got.After(time.Now()) {
		t.Errorf("without a date it is %v", got)
	}
}
