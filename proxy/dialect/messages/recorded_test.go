package messages

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Every recorded answer is read to its end, by Tally and by DecodeResponse
// alike, and its counts are those on the wire.
func TestRecorded(t *testing.T) {
	count := map[string]int{}
	for _, r := range dialecttest.Recordings(t, "anthropic-messages") {
		switch {
		case strings.Contains(r.Name, "_embed__"):
			count["embedding, not a message"]++
		case r.Status > 299:
			count["errors"]++
			if e := (Dialect{}).DecodeError(r.Status, nil, r.Body); e.Kind != llm.NotFound || e.Message == "" || e.Message[0] == '{' {
				t.Errorf("%s: %+v", r.Name, e)
			}
		case r.Stream:
			count["streams"]++
			recordedStream(t, r.Name, r.Body)
		default:
			count["whole"]++
			recordedWhole(t, r.Name, r.Body)
		}
	}
	t.Log(count)
}

func recordedStream(t *testing.T, name string, body []byte) {
	call := &llm.Call{Stream: true}
	tally, _ := dialecttest.Weigh(t, Dialect{}, call, body)
	var wire usage
	for f, err := range sse.Frames(bytes.NewReader(body), sse.Events) {
		if err != nil {
			t.Fatal(name, err)
		}
		e := event{Usage: &wire, Message: &message{Usage: &wire}} // later counts replace earlier ones
		if err := json.Unmarshal(f.Data, &e); err != nil {
			t.Fatal(name, err)
		}
	}
	stop := lastEvent(t, name, Dialect{}.DecodeResponse(call, bytes.NewReader(body)))
	check(t, name, &tally, stop, &wire)
}

func recordedWhole(t *testing.T, name string, body []byte) {
	call := &llm.Call{}
	tally, _ := dialecttest.Weigh(t, Dialect{}, call, body)
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(name, err)
	}
	stop := lastEvent(t, name, Dialect{}.DecodeResponse(call, bytes.NewReader(body)))
	check(t, name, &tally, stop, m.Usage)

	// B13: the same answer as a stream says the same.
	whole, err := told(Dialect{}.DecodeResponse(call, bytes.NewReader(body)))
	if err != nil {
		t.Fatal(name, err)
	}
	streamed, err := told(Dialect{}.DecodeResponse(&llm.Call{Stream: true}, strings.NewReader(streamOf(t, body))))
	if err != nil || whole != streamed {
		t.Errorf("%s: %v: streamed\n%s\nwhole\n%s", name, err, streamed, whole)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lastEvent(t *testing.T, name string, events llm.Events) llm.Event {
	t.Helper()
	var last llm.Event
	for e, err := range events {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		last = e
	}
	if last.Kind != llm.Stop {
		t.Errorf("%s: no Stop", name)
	}
	return last
}

func check(t *testing.T, name string, tally *llm.Tally, stop llm.Event, wire *usage) {
	t.Helper()
	if !tally.Good || !tally.Done || tally.Err != nil || tally.Why == "" || tally.Model == "" {
		t.Errorf("%s: %+v", name, tally)
	}
	if stop.Why != tally.Why || stop.Tier != tally.Tier || stop.Usage == nil || !reflect.DeepEqual(*stop.Usage, tally.Usage) {
		t.Errorf("%s: decoded %+v %+v, tallied %+v", name, stop, stop.Usage, tally)
	}
	u := tally.Usage
	value := func(p *int64) int64 {
		if p == nil {
			return 0
		}
		return *p
	}
	if u.Input != value(wire.Input) || u.Output != value(wire.Output) || u.CacheRead != value(wire.CacheRead) ||
		u.CacheWrite5m+u.CacheWrite1h != value(wire.CacheWrite) || u.Reasoning > u.Output {
		t.Errorf("%s: %+v is not what the wire says: %s", name, u, mustJSON(t, wire))
	}
}

// streamOf cuts a whole answer into the events of a stream.
func streamOf(t *testing.T, body []byte) string {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	var blocks []map[string]json.RawMessage
	if err := json.Unmarshal(m["content"], &blocks); err != nil {
		t.Fatal(err)
	}
	end := fmt.Sprintf(`{"type":"message_delta","delta":{"stop_reason":%s,"stop_details":%s},"usage":%s}`, m["stop_reason"], orNull(m["stop_details"]), m["usage"])
	m["content"], m["stop_reason"], m["stop_details"] = []byte("[]"), []byte("null"), []byte("null")
	events := []string{`{"type":"message_start","message":` + string(mustJSON(t, m)) + `}`}
	for i, b := range blocks {
		delta := func(kind, field string, v []byte) {
			events = append(events, fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":%q,%q:%s}}`, i, kind, field, v))
		}
		begin := len(events)
		events = append(events, "")
		switch kind := field.Unquote(b["type"]); kind {
		case "text":
			var cites []json.RawMessage
			_ = json.Unmarshal(b["citations"], &cites)
			for _, c := range cites {
				delta("citations_delta", "citation", c)
			}
			inOne(b["text"], func(v []byte) { delta("text_delta", "text", v) })
			b["text"] = []byte(`""`)
			delete(b, "citations")
		case "thinking":
			inOne(b["thinking"], func(v []byte) { delta("thinking_delta", "thinking", v) })
			delta("signature_delta", "signature", b["signature"])
			b["thinking"], b["signature"] = []byte(`""`), []byte(`""`)
		case "tool_use", "server_tool_use":
			if input := turns.Compact(b["input"]); input != "{}" {
				inOne(mustJSON(t, input), func(v []byte) { delta("input_json_delta", "partial_json", v) })
			}
			b["input"] = []byte("{}")
		}
		events[begin] = fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, mustJSON(t, b))
		events = append(events, fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, i))
	}
	events = append(events, end, stopEvent)
	for i := range events {
		events[i] = turns.Compact([]byte(events[i])) // a frame is one line
	}
	return sseOf(events...)
}

func orNull(b []byte) []byte {
	if b == nil {
		return []byte("null")
	}
	return b
}

// inOne gives the JSON string v away, unless it is empty, in one piece: told compares pieces.
func inOne(v []byte, give func([]byte)) {
	if len(v) > 2 {
		give(v)
	}
}
