package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// canned answers as OpenAI's Responses API does, from bytes made beforehand,
// each frame of a stream sent by itself.
type canned struct {
	whole  []byte
	frames [][]byte
}

func newCanned() *canned {
	const (
		head = `"id":"resp_1","object":"response","created_at":1780000000,"model":"m","status":"%s"`
		item = `{"id":"msg_1","type":"message","status":"%s","role":"assistant","content":[%s]}`
		part = `{"type":"output_text","annotations":[],"logprobs":[],"text":"%s"}`
	)
	var text bytes.Buffer
	c := &canned{}
	frame := func(kind, fields string) {
		c.frames = append(c.frames, fmt.Appendf(nil, "event: %s\ndata: {\"type\":%q,\"sequence_number\":%d,%s}\n\n", kind, kind, len(c.frames), fields))
	}
	at := `"item_id":"msg_1","output_index":0,"content_index":0,`
	began := fmt.Sprintf(`"response":{`+head+`,"output":[]}`, "in_progress")
	frame("response.created", began)
	frame("response.in_progress", began)
	frame("response.output_item.added", `"output_index":0,"item":`+fmt.Sprintf(item, "in_progress", ""))
	frame("response.content_part.added", at+`"part":`+fmt.Sprintf(part, ""))
	for range frames {
		text.WriteString(" word")
		frame("response.output_text.delta", at+`"delta":" word","logprobs":[],"obfuscation":"k3jd8s"`)
	}
	full := fmt.Sprintf(part, text.String())
	frame("response.output_text.done", at+`"logprobs":[],"text":"`+text.String()+`"`)
	frame("response.content_part.done", at+`"part":`+full)
	done := fmt.Sprintf(item, "completed", full)
	frame("response.output_item.done", `"output_index":0,"item":`+done)
	answer := func(item string) string {
		return fmt.Sprintf(`{`+head+`,"output":[%s],"usage":{"input_tokens":12,"output_tokens":200,"total_tokens":212}}`, "completed", item)
	}
	frame("response.completed", `"response":`+answer(done))
	c.whole = []byte(answer(fmt.Sprintf(item, "completed", fmt.Sprintf(part, "Hello."))))
	return c
}

func (c *canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !bytes.Contains(body, []byte(`"stream":true`)) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(c.whole)))
		_, _ = w.Write(c.whole) // the client may be gone
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	for _, f := range c.frames {
		if _, err := w.Write(f); err != nil || control.Flush() != nil {
			return
		}
	}
}
