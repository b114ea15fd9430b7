package llm

import (
	"io"
	"net/http"
)

// Response is a good answer that has begun.
type Response struct {
	Outbound Outbound
	Call     *Call
	Copied   bool // the answer's bytes are in the client's own dialect
	Status   int
	Header   http.Header   // the provider's
	Stream   bool          // Body is a stream of frames
	Body     io.ReadCloser // the provider's own bytes, metered; the caller closes it; may be a Failer
	Target   string        // provider/model that answers
	Attempts int           // calls made so far, this one included

	// Decoded holds the events of a whole answer that had to be translated
	// anyway; nil otherwise.
	Decoded []Event
	// Made is an answer that a strategy made of others, in place of Body's
	// bytes; nil otherwise. Body then only ends it.
	Made Events
	// Why says how strategies came to this answer, for people, on one line: the
	// reason in its row, where it has one. It is sent as Keytray-Why, and never
	// holds content.
	Why string
}

// Failer is a Response's Body that keeps a row of the answer. Fail tells it why
// Events could not be read to their end; the row is finished when it returns.
type Failer interface {
	Fail(err error)
}

// Events reads the answer in neutral steps, in place of reading Body.
// It may be called once.
func (r *Response) Events() Events {
	if r.Made != nil {
		return r.Made
	}
	if r.Decoded == nil {
		return r.Outbound.DecodeResponse(r.Call, r.Body)
	}
	return func(yield func(Event, error) bool) {
		for _, e := range r.Decoded {
			if !yield(e, nil) {
				return
			}
		}
	}
}
