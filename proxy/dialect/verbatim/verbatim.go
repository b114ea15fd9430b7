// Package verbatim knows the calls of OpenAI's API that are no conversation:
// images, sounds, moderation, ranking, files and batches. They go to providers
// of that API in the client's own bytes and come back in the provider's, so
// that nothing is translated: the package finds the model in a body, puts the
// provider's name for it in place, and reads what an answer says it used.
//
// Wire facts are from OpenAI's API reference and the types of openai-go, and
// of Cohere's, Voyage's and Jina's references for rerank.
package verbatim

import (
	"io"
	"net/http"

	"keytray/proxy/llm"
)

// Kind is what a call is for.
type Kind string

// The kinds.
const (
	Images        Kind = "images"
	Speech        Kind = "speech"
	Transcription Kind = "transcription"
	Moderation    Kind = "moderation"
	Rerank        Kind = "rerank"
	Files         Kind = "files"
	Batches       Kind = "batches"
	Uploads       Kind = "uploads"
	Realtime      Kind = "realtime"
	// Raw is anything at all, for a provider that the path names. Its
	// Request.Path is as the client wrote it, escapes included.
	Raw Kind = "raw"
)

// Errors gives errors the shape of OpenAI's.
type Errors interface {
	EncodeError(e *llm.Error) (status int, contentType string, body []byte)
	DecodeError(status int, h http.Header, body []byte) *llm.Error
}

// Dialect is one kind of call, as an inbound of the proxy. It translates
// nothing, so it is no outbound: upstream.Pass makes these calls.
type Dialect struct {
	Kind
	Errors Errors
}

var _ llm.Inbound = Dialect{}

// All are the kinds of call that have endpoints of their own, which a client
// reaches by an ordinary request.
func All(e Errors) []Dialect {
	var all []Dialect
	for _, k := range []Kind{Images, Speech, Transcription, Moderation, Rerank, Files, Batches, Uploads} {
		all = append(all, Dialect{k, e})
	}
	return all
}

// Name is the kind.
func (d Dialect) Name() string { return string(d.Kind) }

// Patterns are the endpoints.
func (d Dialect) Patterns() []llm.Pattern {
	switch d.Kind {
	case Images:
		return posts("/images/generations", "/images/edits", "/images/variations")
	case Speech:
		return posts("/audio/speech")
	case Transcription:
		return posts("/audio/transcriptions", "/audio/translations")
	case Moderation:
		return posts("/moderations")
	case Rerank:
		return posts("/rerank", "/v2/rerank")
	case Files:
		return append(posts("/files"), llm.Pattern{Method: "GET", Path: "/files"}, llm.Pattern{Method: "GET", Path: "/files/{id}"},
			llm.Pattern{Method: "GET", Path: "/files/{id}/content"}, llm.Pattern{Method: "DELETE", Path: "/files/{id}"})
	case Batches:
		return append(posts("/batches", "/batches/{id}/cancel"), llm.Pattern{Method: "GET", Path: "/batches"},
			llm.Pattern{Method: "GET", Path: "/batches/{id}"})
	case Uploads:
		return posts("/uploads", "/uploads/{id}/parts", "/uploads/{id}/complete", "/uploads/{id}/cancel")
	}
	return nil
}

func posts(paths ...string) []llm.Pattern {
	all := make([]llm.Pattern, len(paths))
	for i, p := range paths {
		all[i] = llm.Pattern{Method: http.MethodPost, Path: p}
	}
	return all
}

// Named tells whether calls of the kind go by the model that they name; the
// others go by the provider that keeps what they are about.
func (k Kind) Named() bool {
	switch k {
	case Files, Batches, Uploads, Raw:
		return false
	}
	return true
}

// Rows tells whether a call of the kind is written down. What only keeps and
// lists things is no use of a model and costs nothing: a batch's cost comes
// with its results.
func (k Kind) Rows() bool { return k.Named() || k == Raw }

// ContentType is the provider's own.
func (Dialect) ContentType(llm.Peek) string { return "" }

// DecodeRequest refuses: these calls are not translated.
func (d Dialect) DecodeRequest(*llm.Request) (*llm.Prompt, error) {
	return nil, &llm.Error{Kind: llm.BadRequest, Message: "a call of " + d.Name() + " is answered by providers of OpenAI's API alone"}
}

// EncodeResponse refuses: these calls are not translated.
func (d Dialect) EncodeResponse(io.Writer, *llm.Request, llm.Events) error {
	return &llm.Error{Kind: llm.Internal, Message: "an answer of " + d.Name() + " cannot be translated"}
}

// EncodeError gives an error OpenAI's shape.
func (d Dialect) EncodeError(e *llm.Error) (status int, contentType string, body []byte) {
	return d.Errors.EncodeError(e)
}

// DecodeError reads a refusal.
func (d Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := d.Errors.DecodeError(status, h, body)
	e.Outbound = d.Name()
	return e
}

// Framing of streams is SSE.
func (Dialect) Framing(*llm.Call) llm.Framing { return llm.SSE }
