package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func at(day string) time.Time {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return t
}

func TestReadCSV(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []Charge
	}{
		"openai costs by line item": {
			"start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id\n" +
				"1793836800,1793923200,2026-11-05T00:00:00+00:00,2026-11-06T00:00:00+00:00,0.5,usd,\"gpt-4o-2024-08-06, input\",,org-x\n" +
				"1793836800,1793923200,2026-11-05T00:00:00+00:00,2026-11-06T00:00:00+00:00,0.25,usd,\"gpt-4o-2024-08-06, output\",,org-x\n" +
				"1793923200,1794009600,2026-11-06T00:00:00+00:00,2026-11-07T00:00:00+00:00,,,,,\n" + // a day without charges
				"1794009600,1794096000,2026-11-07T00:00:00+00:00,2026-11-08T00:00:00+00:00,0.0720540000000000,usd,,,org-x\n",
			[]Charge{{at("2026-11-05"), "gpt-4o-2024-08-06", Model, false, 750_000_000_000}, {at("2026-11-07"), "", Other, false, 72_054_000_000}},
		},
		"anthropic costs": {
			"usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,inference_geo,speed,api_key_id,api_key_status\n" +
				"2026-08-04,Claude Haiku 4.5,Default,demo,message,≤ 200k,input_no_cache,0.05,0.06,token,not_available,,k,active\n" +
				"2026-08-04,Claude Haiku 4.5,Default,demo,message,≤ 200k,output,0.02,0.02,token,not_available,,k,active\n" +
				"2026-08-04,Claude Haiku 4.5,Default,demo,batch,≤ 200k,output,0.01,0.02,token,not_available,,k,active\n" +
				"2026-08-04,,Default,demo,,,,0.10,0.10,web_search,,,k,active\n",
			[]Charge{
				{at("2026-08-04"), "Claude Haiku 4.5", Model, true, 10_000_000_000},
				{at("2026-08-04"), "Claude Haiku 4.5", Model, false, 70_000_000_000},
				{at("2026-08-04"), "web search", Tool, false, 100_000_000_000},
			},
		},
		"openrouter activity, a line for each call": {
			"generation_id,created_at,cost_total,cost_web_search,cost_cache,byok_usage_inference,tokens_prompt,model_permaslug,provider_name\n" +
				"gen-1,2026-06-28 03:46:57.713,0.0123,0,0,0,10389,openai/gpt-oss-120b,X\n" +
				"gen-2,2026-06-28 23:59:59.999,0.0007,0,0,0,10,openai/gpt-oss-120b,X\n",
			[]Charge{{at("2026-06-28"), "openai/gpt-oss-120b", Model, false, 13_000_000_000}},
		},
		"a mark, semicolons, another order, decimal commas, quotes, CRLF, a total": {
			"\xef\xbb\xbf\"Cost\";\"Model Name\";Date\r\n\"1.234,50\";\"a \"\"b\"\"\";2026-11-01\r\n0,5;x;2026-11-02\r\nTotal;;1.235,00\r\n",
			[]Charge{{at("2026-11-01"), `a "b"`, Model, false, 1_234_500_000_000_000}, {at("2026-11-02"), "x", Model, false, 500_000_000_000}},
		},
		"tabs, credits and no line end": {
			"day\tmodel\tusd\n2026-11-01\tpromo credit\t-5\n2026-11-01\tgpt-5\t$1,000",
			[]Charge{{at("2026-11-01"), "gpt-5", Model, false, 1_000_000_000_000_000}, {at("2026-11-01"), "promo credit", Credit, false, -5_000_000_000_000}},
		},
		"no model column": {
			"date,amount\n2026-11-01,0.5\n\n2026-11-01,0.5\n",
			[]Charge{{at("2026-11-01"), "", Other, false, 1_000_000_000_000}},
		},
		"a short line has no amount": {"model,day,usd\nx\nx,2026-11-01,1\n", []Charge{{at("2026-11-01"), "x", Model, false, 1_000_000_000_000}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadCSV(strings.NewReader(c.text))
			if err != nil || !reflect.DeepEqual(got.Charges, c.want) {
				t.Errorf("got %v, %v\nwant %v", got, err, c.want)
			}
		})
	}
}

func TestReadCSVRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":               "empty",
		"a,b,c\n1,2,3\n": "the first line names a, b, c",
		"date,model,input_tokens\n2026-11-01,x,5\n":    "export the costs instead",
		"date,usd\nsoon,1\n":                           `line 2: date: "soon" is no day`,
		"date,usd\n2026-11-01,1\n2026-11-02,lots\n":    `line 3: usd: "lots" is no amount`,
		"date,usd,currency\n2026-11-01,1,eur\n":        "line 2: it is in EUR",
		"date,usd\n2026-11-01,9e6\n2026-11-01,9e6\n":   "too large to add up",
		"\xff\xfed\x00a\x00":                           "UTF-16",
		"PK\x03\x04xlsx":                               "spreadsheet",
		"date,usd\x00":                                 "no text",
		"date,usd\n,1\n":                               "the day is missing",
		"date,model,usd\n2026-11-01,x,1\n11/05/26,x,1": "line 3",
	} {
		if got, err := ReadCSV(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", text, got, err, want)
		}
	}
	if _, err := ReadCSV(io.MultiReader(strings.NewReader("date,usd\n"), failing{})); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a broken read: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// lines is a file that is made as it is read.
type lines struct {
	left int
	line []byte
	rest []byte
}

func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.left == 0 {
			return 0, io.EOF
		}
		l.left--
		l.rest = l.line
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// A huge file is not held in memory; a quote that is never closed neither.
func TestReadCSVStreams(t *testing.T) {
	line := bytes.Repeat([]byte("gen-1,2026-06-28 03:46:57.713,0.000001,openai/gpt-oss-120b\n"), 1000)
	file := io.MultiReader(strings.NewReader("generation_id,created_at,cost_total,model_permaslug\n"), &lines{left: 300, line: line})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got, err := ReadCSV(file)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if err != nil || len(got.Charges) != 1 || got.Charges[0].Pico != 300_000*1_000_000 {
		t.Fatalf("%v, %v", got, err)
	}
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 4<<20 {
		t.Errorf("a file of %d MB left %d bytes behind", 300*len(line)>>20, kept)
	}
	open := io.MultiReader(strings.NewReader("date,usd\n2026-11-01,\"1"), &lines{left: 1 << 30, line: []byte("2026-11-01,1\n")})
	if _, err := ReadCSV(open); !errors.Is(err, errLine) {
		t.Errorf("an open quote: %v", err)
	}
	names := strings.Builder{}
	names.WriteString("date,model,usd\n")
	for i := range limitNames + 1 {
		fmt.Fprintf(&names, "2026-11-01,m%d,1e-6\n", i)
	}
	if _, err := ReadCSV(strings.NewReader(names.String())); err == nil || !strings.Contains(err.Error(), "no cost report") {
		t.Errorf("too many names: %v", err)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("date,model,usd\n2026-11-01,gpt-5,1.25\n")
	f.Add("\xef\xbb\xbfday;cost\n2026-11-01;\"1.234,5\"\n")
	f.Add("start_time,amount_value,line_item\n1793836800,0.5,\"a, input\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ReadCSV(strings.NewReader(text))
		if (r == nil) == (err == nil) {
			t.Fatalf("%v, %v", r, err)
		}
		if r != nil {
			for _, c := range r.Charges {
				if !c.Day.Equal(dayOf(c.Day)) || c.Day.Year() < 2015 {
					t.Fatalf("%q has the day %v", text, c.Day)
				}
			}
		}
	})
}
