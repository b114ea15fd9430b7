package verbatim

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/llm"
)

func aForm(model string, last bool) []byte {
	m := "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + model + "\r\n"
	f := "--B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: audio/wav\r\n\r\nRIFF --B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nno\r\n--Bx\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nno\r\n"
	e := "--B\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n"
	if last {
		return []byte(e + f + m + "--B--\r\n")
	}
	return []byte(m + e + f + "--B--\r\n")
}

// The model is found wherever the form is cut into pieces, and only there.
func TestFormInPieces(t *testing.T) {
	for _, last := range []bool{false, true} {
		whole := aForm("openai/whisper-1", last)
		for step := 1; step < len(whole); step++ {
			f, err := NewForm(`multipart/form-data; boundary="B"`)
			if err != nil || f == nil {
				t.Fatal(err)
			}
			n := 0
			for {
				n = min(n+step, len(whole))
				done, err := f.Look(whole[:n])
				if err != nil {
					t.Fatal(err)
				}
				if done {
					break
				}
				if n == len(whole) {
					t.Fatalf("steps of %d: the form has no end", step)
				}
			}
			if !f.Found || f.Model != "openai/whisper-1" || string(whole[f.At[0]:f.At[1]]) != f.Model {
				t.Fatalf("steps of %d: %+v", step, f)
			}
			pieces, err := Patch(whole, f.At, "other", true)
			if err != nil || !bytes.Equal(bytes.Join(pieces, nil), aForm("other", last)) {
				t.Fatalf("%v %q", err, bytes.Join(pieces, nil))
			}
		}
	}
}

func TestFormWithoutAModel(t *testing.T) {
	f, _ := NewForm("multipart/form-data; boundary=B")
	if done, err := f.Look([]byte("--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nmodel\r\n--B--\r\n")); !done || err != nil || f.Found || !f.End {
		t.Errorf("%v %v %+v", done, err, f)
	}
	for _, bad := range []string{"--B\r\n" + strings.Repeat("x", 9000), "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + strings.Repeat("x", 9000)} {
		f, _ := NewForm("multipart/form-data; boundary=B")
		if _, err := f.Look([]byte(bad)); err == nil {
			t.Errorf("%.40s... passed", bad)
		}
	}
	if f, err := NewForm("application/json"); f != nil || err != nil {
		t.Error("JSON is a form")
	}
	if _, err := NewForm("multipart/form-data"); err == nil {
		t.Error("a form without a boundary passed")
	}
	if _, err := Patch([]byte("abc"), [2]int{0, 3}, "a\r\nb", true); err == nil {
		t.Error("a name of two lines went into a form")
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		in   string
		want llm.Usage
	}{
		{Images, `{"input_tokens":50,"output_tokens":272,"input_tokens_details":{"image_tokens":40,"text_tokens":10}}`, llm.Usage{Known: true, Input: 10, ImageInput: 40, ImageOutput: 272}},
		{Images, `{"input_tokens":5,"output_tokens":30,"output_tokens_details":{"image_tokens":20,"text_tokens":10}}`, llm.Usage{Known: true, Input: 5, ImageOutput: 20, Output: 10}},
		{Speech, `{"input_tokens":5,"output_tokens":30,"total_tokens":35}`, llm.Usage{Known: true, Input: 5, AudioOutput: 30}},
		{Transcription, `{"type":"tokens","input_tokens":30,"input_token_details":{"text_tokens":10,"audio_tokens":20},"output_tokens":4}`, llm.Usage{Known: true, Input: 10, AudioInput: 20, Output: 4}},
		{Transcription, `{"type":"duration","seconds":3}`, llm.Usage{Known: true, AudioMS: 3000}},
		{Images, `{"prompt_tokens":50,"completion_tokens":7,"input_tokens":0,"output_tokens":0}`, llm.Usage{Known: true, Input: 50, ImageOutput: 7}},
		{Rerank, `{"total_tokens":9}`, llm.Usage{Known: true, Input: 9}},
		{Rerank, `{"billed_units":{"search_units":1}}`, llm.Usage{Known: true, Searches: 1}},
		{"", `{"prompt_tokens":100,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10},"completion_tokens_details":{"reasoning_tokens":15}}`, llm.Usage{Known: true, Input: 30, CacheRead: 60, CacheWrite5m: 10, Output: 20, Reasoning: 15}},
		{"", `{"input_tokens":100,"output_tokens":20,"input_tokens_details":{"cached_tokens":60},"output_tokens_details":{"reasoning_tokens":15}}`, llm.Usage{Known: true, Input: 40, CacheRead: 60, Output: 20, Reasoning: 15}},
		{Rerank, `[]`, llm.Usage{}},
		{Images, `{"cost":-0.04}`, llm.Usage{}},
		{Images, `{"cost":0.04}`, llm.Usage{Stated: 40_000_000_000, HasStated: true}},
	} {
		if got := readUsage(c.kind, []byte(c.in)); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s\n got %+v\nwant %+v", c.in, got, c.want)
		}
	}
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		kind    Kind
		frame   string
		verdict llm.Verdict
		input   int64
		failed  bool
	}{
		{Images, `{"type":"image_generation.partial_image","b64_json":"aA=="}`, llm.Pass, 0, false},
		{Images, `{"b64_json":"aA==","type":"image_edit.completed","usage":{"input_tokens":7,"output_tokens":1}}`, llm.Last, 7, false},
		{Speech, `{"type":"speech.audio.delta","audio":"aA=="}`, llm.Pass, 0, false},
		{Speech, `{"type":"speech.audio.done","usage":{"input_tokens":7,"output_tokens":1}}`, llm.Last, 7, false},
		{Transcription, `{"type":"transcript.text.segment.done"}`, llm.Pass, 0, false},
		{Transcription, `{"type":"transcript.text.done","text":"x","usage":{"type":"tokens","input_tokens":7,"output_tokens":1}}`, llm.Last, 7, false},
		{Images, `{"type":"error","error":{"message":"no"}}`, llm.Pass, 0, true},
		{Images, `{"error":{"message":"no"}}`, llm.Pass, 0, true},
		{Images, `[DONE]`, llm.Last, 0, false},
	} {
		var t1 llm.Tally
		v := Dialect{c.kind, chat.Dialect{}}.Tally(&llm.Call{Stream: true}, &t1, []byte(c.frame))
		if v != c.verdict || t1.Usage.Input != c.input || (t1.Err != nil) != c.failed {
			t.Errorf("%s: %v %+v", c.frame, v, t1)
		}
	}
}

// I11: results are read the same wherever they are cut.
func TestResultsInPieces(t *testing.T) {
	file := "\n" + `{"id":"1","custom_id":"a","response":{"status_code":200,"body":{"model":"m","usage":{"input_tokens":5,"output_tokens":1}}}}` + "\r\n" +
		`{"custom_id":"b","response":null,"error":{"code":"x"}}` + "\n\n" + `{"custom_id":"c","response":{"status_code":400,"body":{"model":"m","usage":{"input_tokens":99}}}}` + "\n" +
		`{"custom_id":"d","response":{"status_code":200,"body":{"model":"n"}}}`
	const want = "m 5 true;n 0 false;"
	for step := 1; step <= len(file); step++ {
		got := ""
		r := Results{Each: func(model string, u llm.Usage) { got += fmt.Sprint(model, " ", u.Input, " ", u.Known, ";") }}
		for i := 0; i < len(file); i += step {
			if n, err := r.Write([]byte(file[i:min(i+step, len(file))])); err != nil || n == 0 {
				t.Fatal(n, err)
			}
		}
		if !r.Close() || got != want {
			t.Fatalf("steps of %d: %q", step, got)
		}
	}
	for _, other := range []string{"", "{}\n", `{"custom_id":"a","method":"POST","url":"/v1/x","body":{}}`, "\x1f\x8b binary", `[1]`} {
		r := Results{Each: func(string, llm.Usage) { t.Errorf("%q has results", other) }}
		_, _ = r.Write([]byte(other))
		if r.Close() {
			t.Errorf("%q was taken for results", other)
		}
	}
}

func TestKept(t *testing.T) {
	var got []string
	Kept([]byte(`{"object":"list","data":[{"id":"b1","object":"batch","output_file_id":"f2","error_file_id":null,"input_file_id":"f1"},{"id":"u","object":"upload","file":{"id":"f3","object":"file"}}]}`), func(id, object string) { got = append(got, id+" "+object) })
	if s := strings.Join(got, ","); s != "f2 batch.result,f1 file,b1 batch,f3 file,u upload" {
		t.Error(s)
	}
}

func FuzzForm(f *testing.F) {
	f.Add(aForm("m", true), 7)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		form, _ := NewForm("multipart/form-data; boundary=B")
		for n := 0; n < len(b); {
			n = min(n+max(1, step%1000), len(b))
			if done, err := form.Look(b[:n]); done || err != nil {
				break
			}
		}
		if form.Found && string(b[form.At[0]:form.At[1]]) != form.Model {
			t.Error("the model is not where it is said to be")
		}
	})
}
