package verbatim

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Results reads the results of a batch in passing: one JSON object a line, each
// with the whole answer to one request. It is an io.Writer that never fails.
type Results struct {
	// Each is told of every good answer; a usage that is not Known could not
	// be read. Answers are priced one by one: the length of its own prompt
	// decides an answer's rate.
	Each func(model string, u llm.Usage)

	line  []byte
	over  bool // the line that is under way is too long to be read
	begun bool
	no    bool // it is no batch's results
}

// maxLine bounds a line whose usage is looked for.
const maxLine = 32 << 20

// Write takes in the next bytes of the file.
func (r *Results) Write(p []byte) (int, error) {
	n := len(p)
	for !r.no {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			if r.over = r.over || len(r.line)+len(p) > maxLine; r.over {
				r.line = r.line[:0]
			} else {
				r.line = append(r.line, p...)
			}
			return n, nil
		}
		if len(r.line) == 0 && !r.over {
			r.see(p[:i])
		} else {
			r.see(append(r.line, p[:i]...))
		}
		r.line, p = r.line[:0], p[i+1:]
	}
	return n, nil
}

// Close takes the last line, which may lack its end, and tells whether the file
// held a batch's results.
func (r *Results) Close() bool {
	if len(r.line) > 0 {
		r.see(r.line)
	}
	return r.begun && !r.no
}

// see reads one line: {"custom_id", "response": {"status_code", "body": {...}}}.
func (r *Results) see(line []byte) {
	if r.over {
		r.over = false
		r.Each("", llm.Usage{})
		return
	}
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return
	}
	var response []byte
	named := false
	err := llm.Fields(line, func(key, v []byte, _ int) bool {
		switch string(key) {
		case "custom_id":
			named = true
		case "response":
			response = v
		}
		return true
	})
	if !r.begun && (err != nil || !named || response == nil) {
		r.no = true // a file of another kind
		return
	}
	r.begun = true
	if len(response) == 0 || response[0] != '{' || number(field.Of(response, "status_code")) >= 400 {
		return // a request that failed costs nothing
	}
	body := field.Of(response, "body")
	r.Each(field.Unquote(field.Of(body, "model")), readUsage("", field.Of(body, "usage")))
}

// Kept are the things with an id that an answer tells of: the object itself, its
// list, a batch's files, the file that an upload became.
func Kept(body []byte, visit func(id, object string)) {
	var data []byte
	var id, object string
	_ = llm.Fields(body, func(key, v []byte, _ int) bool { // what is no object keeps nothing
		switch string(key) {
		case "id":
			id = field.Unquote(v)
		case "object":
			object = field.Unquote(v)
		case "data":
			data = v
		case "output_file_id", "error_file_id":
			if f := field.Unquote(v); f != "" {
				visit(f, "batch.result")
			}
		case "input_file_id":
			if f := field.Unquote(v); f != "" {
				visit(f, "file")
			}
		case "file":
			if f := field.Unquote(field.Of(v, "id")); f != "" {
				visit(f, "file")
			}
		}
		return true
	})
	if id != "" {
		visit(id, object)
	}
	_ = llm.Elements(data, func(v []byte, _ int) bool { // no list
		if len(v) > 0 && v[0] == '{' {
			Kept(v, visit)
		}
		return true
	})
}
