package dialecttest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"keytray/proxy/llm"
)

// A conversation is one folder of testdata.
type conversation struct{ name, dir string }

// expect is what the want files of a conversation say.
type expect struct {
	Summary
	Flags     llm.Flags `json:"flags"`
	MaxOutput int       `json:"max_output"`
	Lost      []string  `json:"lost"`   // sorted
	Unheld    []string  `json:"unheld"` // sorted
	Refused   string    `json:"refused"`
	Error     *failure  `json:"error"`
}

// failure is an [llm.Error] as the want files have it.
type failure struct {
	Status     int           `json:"status,omitempty"`
	Kind       llm.ErrorKind `json:"kind,omitempty"`
	Message    string        `json:"message,omitempty"`
	Code       string        `json:"code,omitempty"`
	Param      string        `json:"param,omitempty"`
	RetryAfter int           `json:"retry_after,omitempty"`
}

func conversations(t *testing.T) []conversation {
	t.Helper()
	const root = "../testdata"
	dirs, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var all []conversation
	for _, d := range dirs {
		if d.IsDir() {
			all = append(all, conversation{d.Name(), filepath.Join(root, d.Name())})
		}
	}
	if len(all) == 0 {
		t.Fatal("no conversations in " + root)
	}
	return all
}

func (c conversation) has(name string) bool {
	_, err := os.Stat(filepath.Join(c.dir, name))
	return err == nil
}

func (c conversation) read(t *testing.T, name string) []byte {
	t.Helper()
	return read(t, filepath.Join(c.dir, name))
}

// stream is the name of the file with a stream of out's: its answer, error or cut.
func (c conversation) stream(out llm.Outbound, form string) string {
	if out.Framing(&llm.Call{}) == llm.NDJSON {
		return out.Name() + "." + form + ".ndjson"
	}
	return out.Name() + "." + form + ".sse"
}

// want reads want.json, patched by each name.want.json that exists.
func (c conversation) want(t *testing.T, names ...string) expect {
	t.Helper()
	files := []string{"want.json"}
	for _, n := range names {
		if c.has(n + ".want.json") {
			files = append(files, n+".want.json")
		}
	}
	var merged any
	for _, f := range files {
		var v any
		if err := json.Unmarshal(c.read(t, f), &v); err != nil {
			t.Fatalf("%s/%s: %v", c.name, f, err)
		}
		merged = merge(merged, v)
	}
	b, err := json.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	var e expect
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatalf("%s: the want files: %v", c.name, err)
	}
	slices.Sort(e.Lost)
	slices.Sort(e.Unheld)
	return e
}

// frames cuts a body the way a slow provider would send it.
func frames(out llm.Outbound, stream bool, body []byte) [][]byte {
	if !stream {
		return [][]byte{body}
	}
	end := []byte("\n\n")
	if out.Framing(&llm.Call{}) == llm.NDJSON {
		end = end[:1]
	}
	all := bytes.SplitAfter(body, end)
	if len(all[len(all)-1]) == 0 {
		all = all[:len(all)-1]
	}
	return all
}
