package chat

import (
	"errors"
	"io"
	"net/http"

	"keytray/proxy/llm"
)

var errPending = errors.New("chat: not written yet")

func (Dialect) EncodeRequest(*llm.Call, *llm.Prompt) ([]byte, error) { return nil, errPending }

func (Dialect) Patch(*llm.Call, *llm.Request) ([][]byte, error) { return nil, errPending }

func (Dialect) DecodeResponse(*llm.Call, io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) { yield(llm.Event{}, errPending) }
}

func (Dialect) DecodeError(int, http.Header, []byte) *llm.Error { return nil }

func (Dialect) Tally(*llm.Call, *llm.Tally, []byte) llm.Verdict { return llm.Pass }
