package upstream

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"keytray/proxy/sse"
)

// The messages of an event stream come out as they went in, and the last one
// not before its row is finished.
func TestEventTap(t *testing.T) {
	first, last := eventOf(t, "messageStart", `{"role":"assistant"}`), eventOf(t, "metadata", `{"usage":{}}`)
	whole := slices.Concat(eventOf(t, "initial-response", `{}`), first, last)
	var happened []string
	failed := errors.New("no")
	for name, c := range map[string]struct {
		in      []byte
		release error
		want    []byte
		err     error
		events  []string
	}{
		"whole":         {whole, nil, whole, nil, []string{"assistant", "usage", "release", "end EOF"}},
		"not committed": {whole, failed, whole[:len(whole)-len(last)], failed, []string{"assistant", "usage", "release"}},
		"cut":           {whole[:len(whole)-1], nil, whole[:len(whole)-len(last)], io.ErrUnexpectedEOF, []string{"assistant", "end unexpected EOF"}},
		"damaged":       {append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1), nil, whole[:len(whole)-len(last)], errEventStream, []string{"assistant", "end the answer's event stream is damaged: a checksum is wrong"}},
	} {
		for _, way := range []string{"Read", "WriteTo"} {
			happened = nil
			var out bytes.Buffer
			tap := &eventTap{
				eventReader: eventReader{src: bytes.NewReader(c.in)},
				see: func(f sse.Frame) sse.Verdict {
					if bytes.Contains(f.Data, []byte("usage")) {
						happened = append(happened, "usage")
						return sse.Hold
					}
					happened = append(happened, "assistant")
					return sse.Pass
				},
				release: func() error {
					if held := len(whole) - len(last); out.Len() != held {
						t.Errorf("%s, %s: %d bytes before the row is finished, want %d", name, way, out.Len(), held)
					}
					happened = append(happened, "release")
					return c.release
				},
				end: func(err error) error { happened = append(happened, "end "+err.Error()); return err },
			}
			var err error
			if way == "WriteTo" {
				_, err = tap.WriteTo(&out)
			} else {
				_, err = out.ReadFrom(struct{ io.Reader }{tap})
			}
			if !errors.Is(err, c.err) || !bytes.Equal(out.Bytes(), c.want) || !slices.Equal(happened, c.events) {
				t.Errorf("%s, %s: %v, %d bytes of %d, %q", name, way, err, out.Len(), len(c.want), happened)
			}
			tap.Free()
			if n, err := tap.Read(make([]byte, 8)); n > 0 || err == nil {
				t.Errorf("%s, %s: read %d after its end, %v", name, way, n, err)
			}
		}
	}
}
