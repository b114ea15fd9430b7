package upstream

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"keytray/proxy/llm"
)

// A message that AWS's own encoder wrote, with headers of every type, is read;
// one with any byte changed is damaged, and one that is cut off anywhere is cut.
func TestEventMessage(t *testing.T) {
	m := eventstream.Message{Payload: []byte(`{"a":1}`)}
	for name, v := range map[string]eventstream.Value{
		"yes": eventstream.BoolValue(true), "no": eventstream.BoolValue(false),
		"8": eventstream.Int8Value(1), "16": eventstream.Int16Value(2), "32": eventstream.Int32Value(3), "64": eventstream.Int64Value(4),
		"bytes": eventstream.BytesValue("xyz"), "time": eventstream.TimestampValue(time.Unix(9, 0)), "uuid": eventstream.UUIDValue{1},
		":event-type": eventstream.StringValue("here"),
	} {
		m.Headers.Set(name, v)
	}
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	wire := b.Bytes()
	got, _, err := readMessage(bytes.NewReader(append(bytes.Clone(wire), wire...)), nil)
	if err != nil || string(got.payload) != `{"a":1}` || got.header(":event-type") != "here" || got.header("bytes") != "" || got.header("none") != "" {
		t.Errorf("%q %q, %v", got.payload, got.header(":event-type"), err)
	}
	for i := range wire {
		bad := bytes.Clone(wire)
		bad[i] ^= 1
		if _, _, err := readMessage(bytes.NewReader(bad), nil); !errors.Is(err, errChecksum) {
			t.Errorf("byte %d is changed: %v", i, err)
		}
		want := io.ErrUnexpectedEOF
		if i == 0 {
			want = io.EOF
		}
		if _, _, err := readMessage(bytes.NewReader(wire[:i]), nil); err != want {
			t.Errorf("cut after %d bytes: %v", i, err)
		}
	}
}

// Headers whose lengths lead out of them are damaged, checksums or not.
func TestEventHeaders(t *testing.T) {
	for _, h := range []string{"\x09abc", "\x01a", "\x01a\x0b", "\x01a\x07\x00", "\x01a\x07\x00\x09b", "\x01a\x08\x00"} {
		if m := (eventMessage{headers: []byte(h)}); m.check() == nil {
			t.Errorf("%q is fine", h)
		}
	}
}

// FuzzEventStream reads anything without a panic and without an end that is no
// error.
func FuzzEventStream(f *testing.F) {
	f.Add(eventOf(f, "chunk", `{"bytes":"eyJ0eXBlIjoicGluZyJ9"}`))
	f.Add([]byte{0, 0, 0, 16, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := io.Copy(io.Discard, newUnwrapper(bytes.NewReader(b)))
		var e *llm.Error
		if errors.As(err, &e) {
			t.Error(err)
		}
	})
}
