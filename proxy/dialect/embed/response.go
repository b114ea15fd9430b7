package embed

import (
	"io"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeResponse writes a whole answer in the client's form.
func (d Dialect) EncodeResponse(w io.Writer, r *llm.Request, events llm.Events) error {
	var vectors []string
	var usage llm.Usage
	for e, err := range events {
		if err != nil {
			return err
		}
		switch {
		case e.Kind == llm.Delta && e.Block == llm.Vector:
			for len(vectors) <= e.Index {
				vectors = append(vectors, "")
			}
			vectors[e.Index] += e.Text
		case e.Kind == llm.Stop && e.Usage != nil:
			usage = *e.Usage
		}
	}
	b, err := d.answer(r, vectors, &usage)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func (d Dialect) answer(r *llm.Request, vectors []string, u *llm.Usage) ([]byte, error) {
	one := r.Form == formOne || r.Form == formLegacy
	if len(vectors) == 0 || one && len(vectors) != 1 {
		return nil, &llm.Error{Kind: llm.Garbage, Message: "the provider answered with " + strconv.Itoa(len(vectors)) + " vectors, which is not what was asked"}
	}
	switch d.Form {
	case Gemini:
		return answerGemini(vectors, u, one)
	case Ollama:
		return answerOllama(r, vectors, u, one)
	case Cohere:
		return answerCohere(r, vectors, u)
	}
	return answerOpenAI(r, vectors, u)
}

func answerOpenAI(r *llm.Request, vectors []string, u *llm.Usage) (b []byte, err error) {
	packed := field.Unquote(field.Of(r.Raw, "encoding_format")) == "base64"
	b = append(b, `{"object":"list","data":[`...)
	for i, v := range vectors {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"object":"embedding","index":`...)
		b = append(strconv.AppendInt(b, int64(i), 10), `,"embedding":`...)
		if packed {
			b = sse.AppendString(b, v)
		} else if b, err = appendFloats(b, v); err != nil {
			return nil, err
		}
		b = append(b, '}')
	}
	b = sse.AppendString(append(b, `],"model":`...), r.Model)
	b = strconv.AppendInt(append(b, `,"usage":{"prompt_tokens":`...), u.Prompt(), 10)
	b = strconv.AppendInt(append(b, `,"total_tokens":`...), u.Prompt(), 10)
	return append(b, "}}"...), nil
}

func answerOllama(r *llm.Request, vectors []string, u *llm.Usage, legacy bool) (b []byte, err error) {
	if legacy {
		b, err = appendFloats([]byte(`{"embedding":`), vectors[0])
		return append(b, '}'), err
	}
	b = sse.AppendString([]byte(`{"model":`), r.Model)
	if b, err = appendAll(append(b, `,"embeddings":`...), vectors, "", ""); err != nil {
		return nil, err
	}
	b = append(b, `,"total_duration":0,"load_duration":0,"prompt_eval_count":`...)
	return append(strconv.AppendInt(b, u.Prompt(), 10), '}'), nil
}

func answerGemini(vectors []string, u *llm.Usage, one bool) (b []byte, err error) {
	if one {
		b, err = appendFloats([]byte(`{"embedding":{"values":`), vectors[0])
		b = append(b, '}')
	} else {
		b, err = appendAll([]byte(`{"embeddings":`), vectors, `{"values":`, "}")
	}
	if err != nil {
		return nil, err
	}
	if u.Known {
		b = append(strconv.AppendInt(append(b, `,"usageMetadata":{"promptTokenCount":`...), u.Prompt(), 10), '}')
	}
	return append(b, '}'), nil
}

func answerCohere(r *llm.Request, vectors []string, u *llm.Usage) (b []byte, err error) {
	b = sse.AppendString([]byte(`{"id":`), r.ID)
	types := []string{}
	_ = llm.Elements(field.Of(r.Raw, "embedding_types"), func(v []byte, _ int) bool { // none were asked: floats
		types = append(types, field.Unquote(v))
		return true
	})
	if len(types) == 0 {
		types = []string{"float"}
	}
	b = append(b, `,"response_type":"embeddings_by_type","embeddings":{`...)
	for i, t := range types {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(sse.AppendString(b, t), ':')
		if t == "float" {
			if b, err = appendAll(b, vectors, "", ""); err != nil {
				return nil, err
			}
			continue
		}
		b = append(b, '[')
		for k, v := range vectors {
			if k > 0 {
				b = append(b, ',')
			}
			b = sse.AppendString(b, v)
		}
		b = append(b, ']')
	}
	b = append(b, '}')
	if texts := field.Of(r.Raw, "texts"); texts != nil {
		b = append(append(b, `,"texts":`...), texts...)
	}
	b = append(b, `,"meta":{"api_version":{"version":"2"}`...)
	if u.Known {
		b = append(strconv.AppendInt(append(b, `,"billed_units":{"input_tokens":`...), u.Prompt(), 10), '}')
	}
	return append(b, "}}"...), nil
}

// appendAll writes the vectors as an array, each between two strings.
func appendAll(b []byte, vectors []string, before, after string) ([]byte, error) {
	b = append(b, '[')
	for i, v := range vectors {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendFloats(append(b, before...), v); err != nil {
			return nil, err
		}
		b = append(b, after...)
	}
	return append(b, ']'), nil
}
