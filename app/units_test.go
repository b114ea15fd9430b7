package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keytray/store/ledger"
)

const unitPrices = `, prices: {dall-e-3: {per_image: 0.04}, whisper-1: {per_minute: 0.006}, tts-1: {per_1m_characters: 15}, ranker: {per_1k_searches: 2}}`

// unitCalls are calls whose answers tell no tokens, one of each measure.
var unitCalls = []struct {
	path, model, more, answer string
	usage                     Usage
	cost                      int64  // at the prices above
	price                     string // as its row has it
}{
	{"/images/generations", "dall-e-3", `"prompt":"a cat","n":2`, `{"created":1,"data":[{"b64_json":"aGk="},{"url":"https://x.test/[1]"}]}`, Usage{Images: 2}, 80_000_000_000, `"per_image":"0.04"`},
	{"/audio/transcriptions", "whisper-1", "", `{"text":"hello","usage":{"type":"duration","seconds":90.5}}`, Usage{AudioMS: 90_500}, 9_050_000_000, `"per_minute":"0.006"`},
	{"/audio/speech", "tts-1", `"input":"Grüße, \u4f60\u597d","voice":"alloy"`, "sound", Usage{Characters: 9}, 135_000_000, `"per_1m_characters":"15"`},
	{"/rerank", "ranker", `"query":"q","documents":["a"]`, `{"results":[],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":3}}}`, Usage{Searches: 3}, 6_000_000_000, `"per_1k_searches":"2"`},
}

func unitHouse(t *testing.T, prices string) *house {
	t.Helper()
	answers := map[string]string{}
	for _, c := range unitCalls {
		answers["/v1"+c.path] = c.answer
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/speech") {
			w.Header().Set("Content-Type", "audio/mpeg")
		}
		fmt.Fprint(w, answers[r.URL.Path])
	}))
	t.Cleanup(s.Close)
	return open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1"+prices+"}\n", "OPENAI_API_KEY="+canary)
}

func (h *house) unitCall(path, model, more string) {
	h.t.Helper()
	body, kind := `{"model":"openai/`+model+`",`+more+`}`, "application/json"
	if more == "" {
		kind = "multipart/form-data; boundary=B"
		body = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nopenai/" + model + "\r\n--B--\r\n"
	}
	if r := h.do("POST", "/v1"+path, body, "Content-Type", kind); r.status != 200 {
		h.t.Errorf("%s: %d %s", path, r.status, r.body)
	}
}

// Pictures, sound, spoken text and rankings are counted, and priced where the
// user says what one costs; a new price reaches calls from before.
func TestUnitsArePriced(t *testing.T) {
	h := unitHouse(t, unitPrices)
	for _, c := range unitCalls {
		h.unitCall(c.path, c.model, c.more)
		row := h.last()
		if row.Usage != c.usage || !strings.Contains(row.Price, c.price) {
			t.Errorf("%s: %+v at %s", c.path, row.Usage, row.Price)
		}
		wantCost(t, row, c.cost, ledger.CostExact)
	}
	priced := h.catalog.Load()

	h = unitHouse(t, "")
	for _, c := range unitCalls {
		h.unitCall(c.path, c.model, c.more)
		row := h.last()
		if row.Usage != c.usage {
			t.Errorf("%s: %+v", c.path, row.Usage)
		}
		wantCost(t, row, 0, ledger.CostUnpriced) // never 0
		if now, ok := reprice(priced, row); !ok || *now.CostPico != c.cost {
			t.Errorf("%s: priced anew %v %s", c.path, ok, picoText(now.CostPico))
		}
	}
	sum, err := h.Since(t.Context(), time.Time{})
	if err != nil || sum.Usage != (Usage{Images: 2, AudioMS: 90_500, Characters: 9, Searches: 3}) || sum.Unpriced != 4 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// A raw call of such an endpoint is counted as well.
func TestUnitsOfRawCalls(t *testing.T) {
	h := unitHouse(t, unitPrices)
	for _, c := range unitCalls {
		if c.more == "" {
			continue // what is in a form streams through unread
		}
		if r := h.do("POST", "/p/openai/v1"+c.path, `{"model":"`+c.model+`",`+c.more+`}`); r.status != 200 {
			t.Errorf("%s: %d %s", c.path, r.status, r.body)
		}
		wantCost(t, h.last(), c.cost, ledger.CostExact)
	}
}

// A provider that only embeds and ranks is no position of the switch.
func TestNoSwitchToRankers(t *testing.T) {
	h := open(t, "", "VOYAGE_API_KEY="+canary, "OPENAI_API_KEY="+canary)
	if h.isChoice("voyageai") || !h.isChoice("openai") {
		t.Errorf("choices %+v", h.Choices())
	}
}

// Where tokens are told they are what is billed, whatever else could be counted.
func TestTokensGoBeforeUnits(t *testing.T) {
	api := &anAPI{}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	h := open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n  voyageai: {base_url: "+s.URL+"/v1}\n  google: {base_url: "+s.URL+"/v1beta}\n",
		"OPENAI_API_KEY="+canary, "VOYAGE_API_KEY="+canary, "GEMINI_API_KEY="+canary)
	for _, c := range []struct {
		path, model, body, kind, answer string
		usage                           Usage
		cost                            int64
	}{
		{"/v1/rerank", "voyageai/rerank-2.5", `"query":"q","documents":["a"]`, "application/json", `{"data":[{"index":0}],"usage":{"total_tokens":1000},"meta":{"billed_units":{"search_units":1}}}`, Usage{Input: 1000}, 50_000_000},
		{
			"/v1/audio/speech", "openai/gpt-4o-mini-tts", `"input":"hello","voice":"alloy","stream_format":"sse"`, "text/event-stream",
			"data: {\"type\":\"speech.audio.delta\",\"audio\":\"aGk=\"}\n\ndata: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":10,\"output_tokens\":100,\"total_tokens\":110}}\n\n",
			Usage{Input: 10, AudioOutput: 100},
			1_206_000_000,
		},
		{
			"/v1beta/models/gemini-2.5-flash-image:generateContent", "google/gemini-2.5-flash-image", "", "application/json",
			`{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":1290,"totalTokenCount":1300,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}]}}`,
			Usage{Input: 10, ImageOutput: 1290},
			38_703_000_000,
		},
		{
			"/v1beta/models/gemini-2.5-flash-preview-tts:generateContent", "google/gemini-2.5-flash-preview-tts", "", "application/json",
			`{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":"audio/L16","data":"aGk="}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":100,"totalTokenCount":110,"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":100}]}}`,
			Usage{Input: 10, AudioOutput: 100},
			1_005_000_000,
		},
	} {
		api.HandleFunc("POST "+c.path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			fmt.Fprint(w, c.answer)
		})
		body := `{"model":"` + c.model + `",` + c.body + `}`
		if c.body == "" {
			body = `{"contents":[{"role":"user","parts":[{"text":"x"}]}]}`
		}
		if r := h.do("POST", c.path, body, "Content-Type", "application/json"); r.status != 200 {
			t.Errorf("%s: %d %s", c.model, r.status, r.body)
		}
		row := h.last()
		if row.Usage != c.usage {
			t.Errorf("%s: %+v", c.model, row.Usage)
		}
		wantCost(t, row, c.cost, ledger.CostExact)
	}
}

// Speech that breaks off was asked for as a whole, so its cost is an estimate.
func TestUnitsOfACutAnswer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		fmt.Fprint(w, "some")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(s.Close)
	h := open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1"+unitPrices+"}\n", "OPENAI_API_KEY="+canary)
	if _, err := h.try(t.Context(), "POST", "/v1/audio/speech", `{"model":"tts-1","input":"hello","voice":"alloy"}`); err == nil {
		t.Error("a cut answer ended well")
	}
	row := h.last()
	if row.Status != ledger.StatusCut || row.Usage.Characters != 5 {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 75_000_000, ledger.CostEstimated)
}
