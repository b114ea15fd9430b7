package verbatim

import (
	"bytes"
	"io"
	"mime"
	"net/textproto"
	"strings"

	"keytray/proxy/llm"
)

// Form finds the model in a multipart form that arrives piece by piece.
type Form struct {
	// Model is what the field says, once it is Found, and At where it lies.
	Model string
	At    [2]int
	Found bool
	// End is set where the form's end was seen.
	End bool

	line []byte // "--boundary"
	at   int    // how far the head has been looked at: where a boundary may start
}

// NewForm reads the boundary from a Content-Type. It is nil if that is no form's.
func NewForm(contentType string) (*Form, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return nil, nil
	}
	b := params["boundary"]
	if b == "" || len(b) > 70 {
		return nil, llm.Invalid("", "the form's Content-Type names no boundary")
	}
	return &Form{line: []byte("--" + b)}, nil
}

// maxPartHeader bounds the header of one part.
const maxPartHeader = 8 << 10

// Look goes on through head, the form from its start and as far as it has
// arrived. It is done once the model is found or the form has ended; else more
// of the form is wanted.
func (f *Form) Look(head []byte) (done bool, err error) {
	for !f.Found && !f.End {
		i := bytes.Index(head[f.at:], f.line)
		if i < 0 {
			f.at = max(f.at, len(head)-len(f.line))
			return false, nil
		}
		start := f.at + i + len(f.line)
		if f.at+i > 0 && head[f.at+i-1] != '\n' { // inside a part's data
			f.at = start
			continue
		}
		rest := head[start:]
		if len(rest) < 2 {
			f.at += i
			return false, nil
		}
		if rest[0] == '-' && rest[1] == '-' {
			f.End = true
			return true, nil
		}
		padded := bytes.TrimLeft(rest, " \t")
		if len(padded) == 0 && len(rest) < maxPartHeader {
			f.at += i
			return false, nil
		}
		if len(padded) == 0 || padded[0] != '\r' { // a longer boundary is another one
			f.at = start
			continue
		}
		end := bytes.Index(rest, []byte("\r\n\r\n"))
		if end < 0 {
			if len(rest) > maxPartHeader {
				return false, llm.Invalid("", "the form cannot be read: a part's header is too long")
			}
			f.at += i
			return false, nil
		}
		data := start + end + 4
		if partName(rest[:end]) != "model" {
			f.at = data - 2 // an empty part's boundary follows at once
			continue
		}
		stop := bytes.Index(head[data:], append([]byte("\r\n"), f.line...))
		if stop < 0 {
			if len(head)-data > maxPartHeader {
				return false, llm.Invalid("model", "the form's model is no name of a model: it is too long")
			}
			f.at += i
			return false, nil
		}
		f.At = [2]int{data, data + stop}
		f.Model, f.Found = string(head[data:data+stop]), true
	}
	return true, nil
}

// partName is the name in a part's Content-Disposition.
func partName(header []byte) string {
	for line := range bytes.SplitSeq(header, []byte("\r\n")) {
		key, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(string(key))) != "Content-Disposition" {
			continue
		}
		if _, params, err := mime.ParseMediaType(strings.TrimSpace(string(value))); err == nil {
			return params["name"]
		}
	}
	return ""
}

// Once is the rest of a form whose model was found in head. Reading it fails, as
// Once does, if the form names a model again: some servers take the last.
func (f *Form) Once(head []byte, rest io.Reader) (io.Reader, error) {
	o := &once{rest: rest, form: Form{line: f.line}, seen: bytes.Clone(head[f.At[1]+1:])}
	return o, o.look()
}

// once looks at a form as it passes by.
type once struct {
	rest io.Reader
	form Form
	seen []byte // what is not looked at yet, and the byte before it
}

func (o *once) Read(p []byte) (int, error) {
	n, err := o.rest.Read(p)
	if !o.form.End {
		o.seen = append(o.seen, p[:n]...)
		if bad := o.look(); bad != nil {
			return 0, bad
		}
	}
	return n, err
}

func (o *once) look() error {
	if _, err := o.form.Look(o.seen); err != nil {
		return err
	}
	if o.form.Found {
		return llm.Invalid("model", "model is given twice")
	}
	if done := o.form.at - 1; done > 0 {
		o.seen = append(o.seen[:0], o.seen[done:]...)
		o.form.at = 1
	}
	return nil
}
