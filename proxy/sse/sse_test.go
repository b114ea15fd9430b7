package sse

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const stream = ": hello\n\n" +
	"event: a\ndata: {\"x\":\"é\"}\n\n" +
	"data:two\r\n\r\n" +
	"data: l1\ndata: l2\ndata: l3\nid: 7\n\n" +
	"data: [DONE]\n\n"

// every way to cut the stream in two, and byte by byte: J2.
func splits(s string) map[string]func() io.Reader {
	m := map[string]func() io.Reader{"bytes": func() io.Reader { return iotest.OneByteReader(strings.NewReader(s)) }}
	for i := range len(s) {
		m[s[:i]] = func() io.Reader {
			return io.MultiReader(strings.NewReader(s[:i]), strings.NewReader(s[i:]))
		}
	}
	return m
}

func TestFrames(t *testing.T) {
	want := []string{"a|{\"x\":\"é\"}", "|two", "|l1\nl2\nl3", "|[DONE]"}
	for name, r := range splits("\xef\xbb\xbf" + stream) {
		var got []string
		for f, err := range Frames(r(), Events) {
			if err != nil {
				t.Fatal(name, err)
			}
			got = append(got, string(f.Event)+"|"+string(f.Data))
		}
		if strings.Join(got, "\x00") != strings.Join(want, "\x00") {
			t.Fatalf("split at %q: got %q, want %q", name, got, want)
		}
	}
}

func TestFramesLinesAndUnendedLast(t *testing.T) {
	for name, r := range splits("{\"a\":1}\n{\"b\":\"ü\"}\r\n{\"c\":3}") { // H13
		var got []string
		for f := range Frames(r(), Lines) {
			got = append(got, string(f.Data))
		}
		if s := strings.Join(got, " "); s != `{"a":1} {"b":"ü"} {"c":3}` {
			t.Fatalf("split at %q: %s", name, s)
		}
	}
}

func TestFramesPassesErrorsOn(t *testing.T) {
	boom := errors.New("boom")
	var last error
	n := 0
	for _, err := range Frames(io.MultiReader(strings.NewReader("data: x\n\ndata: half"), iotest.ErrReader(boom)), Events) {
		if err == nil {
			n++
		}
		last = err
	}
	if n != 1 || last != boom {
		t.Fatalf("%d frames, error %v", n, last)
	}
}

func TestTapPassesBytesAsTheyAre(t *testing.T) {
	for name, r := range splits(stream + "data: unended") {
		for _, read := range []func(*Tap) ([]byte, error){
			func(tap *Tap) ([]byte, error) { return io.ReadAll(tap) },
			func(tap *Tap) ([]byte, error) { var b bytes.Buffer; _, err := tap.WriteTo(&b); return b.Bytes(), err },
		} {
			frames := 0
			tap := &Tap{Src: r(), See: func(Frame) Verdict { frames++; return Pass }}
			got, err := read(tap)
			tap.Free()
			if err != nil || string(got) != stream+"data: unended" || frames != 6 {
				t.Fatalf("split at %q: %d frames, %v\n%q", name, frames, err, got)
			}
		}
	}
}

func TestTapDropsAndHolds(t *testing.T) {
	for name, r := range splits(stream) {
		var order []string
		tap := &Tap{Src: r()}
		tap.See = func(f Frame) Verdict {
			switch string(f.Data) {
			case "two":
				return Drop
			case "[DONE]":
				return Hold
			}
			return Pass
		}
		var out bytes.Buffer
		tap.Release = func() error {
			order = append(order, "release after "+out.String())
			return nil
		}
		tap.End = func(err error) error { order = append(order, "end "+err.Error()); return err }
		if _, err := tap.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		before := strings.Replace(strings.TrimSuffix(stream, "data: [DONE]\n\n"), "data:two\r\n\r\n", "", 1)
		want := []string{"release after " + before, "end EOF"}
		if out.String() != before+"data: [DONE]\n\n" || strings.Join(order, "|") != strings.Join(want, "|") {
			t.Fatalf("split at %q:\n%q\n%q", name, out.String(), order)
		}
	}
}

func TestTapReleaseErrorKeepsTheFrameBack(t *testing.T) {
	boom := errors.New("disk full")
	tap := &Tap{Src: strings.NewReader("data: a\n\ndata: b\n\n"), Release: func() error { return boom }}
	tap.See = func(f Frame) Verdict {
		if string(f.Data) == "b" {
			return Hold
		}
		return Pass
	}
	got, err := io.ReadAll(tap)
	if string(got) != "data: a\n\n" || err != boom {
		t.Fatalf("%q %v", got, err)
	}
}

func TestTapGrowsForALargeFrame(t *testing.T) {
	big := "data: " + strings.Repeat("x", 5*bufSize) + "\n\n"
	tap := &Tap{Src: iotest.HalfReader(strings.NewReader(big + big)), See: func(f Frame) Verdict {
		if len(f.Data) != 5*bufSize {
			t.Errorf("data of %d bytes", len(f.Data))
		}
		return Pass
	}}
	got, err := io.ReadAll(tap)
	if err != nil || string(got) != big+big {
		t.Fatal(len(got), err)
	}
}

func TestAppendString(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c\n\r\t\x00\x1f", "é日本🎉", "bad \xff utf8 \xc3", "<&>\u2028"} {
		var back, want string
		if err := json.Unmarshal(AppendString(nil, s), &back); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		b, _ := json.Marshal(s)
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		if back != want {
			t.Errorf("%q came back as %q, want %q", s, back, want)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(stream), uint8(3))
	f.Add([]byte("data: a\n\n\n\r\n\r\ndata"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		whole := frames(bytes.NewReader(b))
		parts := frames(&stepReader{b, int(step)%7 + 1})
		if whole != parts {
			t.Fatalf("whole %q, in parts %q", whole, parts)
		}
		tap := &Tap{Src: &stepReader{b, int(step)%5 + 1}, See: func(Frame) Verdict { return Pass }}
		got, err := io.ReadAll(tap)
		if err != nil || !bytes.Equal(got, bytes.TrimPrefix(b, bom)) {
			t.Fatalf("tap changed %q to %q, %v", b, got, err)
		}
	})
}

func frames(r io.Reader) string {
	var b strings.Builder
	for f, err := range Frames(r, Events) {
		if err != nil {
			return err.Error()
		}
		b.Write(f.Event)
		b.WriteByte(1)
		b.Write(f.Data)
		b.WriteByte(2)
	}
	return b.String()
}

type stepReader struct {
	b    []byte
	step int
}

func (r *stepReader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b[:min(r.step, len(r.b))])
	r.b = r.b[n:]
	return n, nil
}

func BenchmarkTap(b *testing.B) {
	frame := "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"}}]}\n\n"
	body := strings.Repeat(frame, 200)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		tap := &Tap{Src: strings.NewReader(body), See: func(Frame) Verdict { return Pass }}
		if _, err := tap.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
		tap.Free()
	}
}
