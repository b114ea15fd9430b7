package chat

import (
	"errors"
	"io"
	"net/http"

	"keytray/proxy/llm"
)

var (
	_ llm.Inbound  = Dialect{}
	_ llm.Outbound = Dialect{}
)

var errPending = errors.New("chat: not written yet")

func (Dialect) Patterns() []llm.Pattern {
	return []llm.Pattern{{Method: "POST", Path: "/chat/completions"}}
}

func (Dialect) Peek(*http.Request, []byte) (llm.Peek, error) { return llm.Peek{}, errPending }

func (Dialect) DecodeRequest(*llm.Request) (*llm.Prompt, error) { return nil, errPending }

func (Dialect) EncodeResponse(io.Writer, *llm.Request, llm.Events) error { return errPending }

func (Dialect) EncodeError(e *llm.Error) (int, string, []byte) { return e.HTTPStatus(), "", nil }

func (Dialect) ContentType(bool) string { return "" }

func (Dialect) URL(_ *llm.Call, base string) string { return base + "/chat/completions" }

func (Dialect) EncodeRequest(*llm.Call, *llm.Prompt) ([]byte, error) { return nil, errPending }

func (Dialect) Patch(*llm.Call, *llm.Request) ([][]byte, error) { return nil, errPending }

func (Dialect) DecodeResponse(*llm.Call, io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) { yield(llm.Event{}, errPending) }
}

func (Dialect) DecodeError(int, http.Header, []byte) *llm.Error { return nil }

func (Dialect) Tally(*llm.Call, *llm.Tally, []byte) llm.Verdict { return llm.Pass }

func (Dialect) Framing() llm.Framing { return llm.SSE }
