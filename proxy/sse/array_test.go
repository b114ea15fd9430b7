package sse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// An array as Google streams it, and with what may stand in strings.
const array = "[{\n  \"a\": \"}]\\\"{\\\\\",\n  \"b\": [1, {\"c\": \"é\"}]\n}\n,\r\n" + `{"two":2},{"s":"\\\\\"["}` + "\n]\n"

var elements = []string{"{\n  \"a\": \"}]\\\"{\\\\\",\n  \"b\": [1, {\"c\": \"é\"}]\n}", `{"two":2}`, `{"s":"\\\\\"["}`}

func TestArrayFrames(t *testing.T) { // J2
	for name, r := range splits("\xef\xbb\xbf" + array) {
		var got []string
		for f, err := range Frames(r(), Array) {
			if err != nil {
				t.Fatal(name, err)
			}
			got = append(got, string(f.Data))
		}
		if strings.Join(got, "\x00") != strings.Join(elements, "\x00") {
			t.Fatalf("split at %q: got %q, want %q", name, got, elements)
		}
	}
}

func TestArrayTapPassesBytesAsTheyAre(t *testing.T) {
	for _, s := range []string{array, "[]", "", "[{\"a\":1", "{\"a\":1}", " [ 1, \"x\" , {} ] "} {
		for name, r := range splits(s) {
			for _, read := range []func(*Tap) ([]byte, error){
				func(tap *Tap) ([]byte, error) { return io.ReadAll(tap) },
				func(tap *Tap) ([]byte, error) { var b bytes.Buffer; _, err := tap.WriteTo(&b); return b.Bytes(), err },
			} {
				tap := &Tap{Src: r(), Framing: Array, See: func(Frame) Verdict { return Pass }}
				got, err := read(tap)
				tap.Free()
				if err != nil || string(got) != s {
					t.Fatalf("split at %q: %v\n%q, want\n%q", name, err, got, s)
				}
			}
		}
	}
}

// An element comes out as soon as it is whole, not with the next one.
func TestArrayElementsComeAtOnce(t *testing.T) {
	r, w := io.Pipe()
	tap := &Tap{Src: r, Framing: Array, See: func(Frame) Verdict { return Pass }}
	go func() { _, _ = w.Write([]byte("[{\"a\":1}")) }()
	b := make([]byte, 100)
	n, err := tap.Read(b)
	if err != nil || string(b[:n]) != `[{"a":1}` {
		t.Fatalf("%q, %v", b[:n], err)
	}
	r.Close()
}

// What is held holds what follows: the array is closed after Release.
func TestArrayHold(t *testing.T) {
	for name, r := range splits(array) {
		var order []string
		var out bytes.Buffer
		tap := &Tap{Src: r(), Framing: Array}
		tap.See = func(f Frame) Verdict {
			if string(f.Data) == elements[2] {
				return Hold
			}
			return Pass
		}
		tap.Release = func() error { order = append(order, "release after "+out.String()); return nil }
		tap.End = func(err error) error { order = append(order, "end after "+out.String()); return err }
		if _, err := tap.WriteTo(&out); err != nil {
			t.Fatal(err)
		}
		before := array[:strings.Index(array, ","+elements[2])]
		want := []string{"release after " + before, "end after " + before + "," + elements[2]}
		if out.String() != array || strings.Join(order, "|") != strings.Join(want, "|") {
			t.Fatalf("split at %q:\n%q\n%q", name, out.String(), order)
		}
	}
}

// The bracket that closes the array waits for End, and goes no further if the
// answer turns out to be incomplete.
func TestArrayIsClosedOnlyAfterEnd(t *testing.T) {
	cut := errors.New("cut")
	for name, r := range splits("[{\"a\":1}\n]\n") {
		tap := &Tap{Src: r(), Framing: Array, See: func(Frame) Verdict { return Pass }}
		tap.End = func(error) error { return cut }
		got, err := io.ReadAll(tap)
		if string(got) != `[{"a":1}` || err != cut {
			t.Fatalf("split at %q: %q, %v", name, got, err)
		}
	}
}

func TestArrayGrowsForALargeElement(t *testing.T) {
	big := `{"x":"` + strings.Repeat(`\"`, 5*bufSize) + `"}`
	tap := &Tap{Framing: Array, Src: iotest.HalfReader(strings.NewReader("[" + big + "," + big + "]")), See: func(f Frame) Verdict {
		if f.Data != nil && len(f.Data) != len(big) {
			t.Errorf("data of %d bytes", len(f.Data))
		}
		return Pass
	}}
	got, err := io.ReadAll(tap)
	if err != nil || string(got) != "["+big+","+big+"]" {
		t.Fatal(len(got), err)
	}
}

func FuzzArray(f *testing.F) {
	f.Add([]byte(array), uint8(3))
	f.Add([]byte(`[{"a":"\\"},{]`), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		read := func(r io.Reader) string {
			var s strings.Builder
			for f, err := range Frames(r, Array) {
				if err != nil {
					return err.Error()
				}
				s.Write(f.Data)
				s.WriteByte(1)
			}
			return s.String()
		}
		if whole, parts := read(bytes.NewReader(b)), read(&stepReader{b, int(step)%7 + 1}); whole != parts {
			t.Fatalf("whole %q, in parts %q", whole, parts)
		}
		tap := &Tap{Src: &stepReader{b, int(step)%5 + 1}, Framing: Array, See: func(Frame) Verdict { return Pass }}
		got, err := io.ReadAll(tap)
		if err != nil || !bytes.Equal(got, bytes.TrimPrefix(b, bom)) {
			t.Fatalf("tap changed %q to %q, %v", b, got, err)
		}
	})
}
