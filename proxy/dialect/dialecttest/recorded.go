package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"keytray/proxy/sse"
)

// Recording is one exchange with a real provider.
type Recording struct {
	Name    string // of its files, without what they end in
	Path    string // that was called
	Status  int
	Stream  bool
	Request []byte
	Body    []byte // of the answer; AWS's own framing is taken off
}

// Recordings reads the exchanges of a folder of real answers, which are not in
// this repository. Without them the test is skipped.
func Recordings(t testing.TB, folder string) []Recording {
	t.Helper()
	metas, err := filepath.Glob(filepath.Join(Beside(t, "recorded/"+folder), "*.meta.json"))
	if err != nil || len(metas) == 0 {
		t.Fatalf("no recordings in %s: %v", folder, err)
	}
	all := make([]Recording, len(metas))
	for i, meta := range metas {
		all[i] = recording(t, strings.TrimSuffix(meta, ".meta.json"))
	}
	return all
}

func recording(t testing.TB, stem string) Recording {
	t.Helper()
	var meta struct {
		Path   string
		Status int
	}
	if err := json.Unmarshal(read(t, stem+".meta.json"), &meta); err != nil {
		t.Fatalf("%s: %v", stem, err)
	}
	r := Recording{Name: filepath.Base(stem), Path: meta.Path, Status: meta.Status, Request: read(t, stem+".request.json")}
	for _, ending := range []string{".json", ".sse", ".ndjson", ".eventstream"} {
		body, err := os.ReadFile(stem + ".response" + ending)
		if err != nil {
			continue
		}
		if ending == ".eventstream" {
			body = unwrapped(t, body)
		}
		r.Body, r.Stream = body, ending != ".json"
		return r
	}
	t.Fatalf("%s has no answer", r.Name)
	return r
}

// unwrapped takes the events out of AWS's own framing, as the way to such a
// provider does. Claude's events are wrapped once more there.
func unwrapped(t testing.TB, b []byte) (out []byte) {
	t.Helper()
	decoder, src := eventstream.NewDecoder(), bytes.NewReader(b)
	for src.Len() > 0 {
		m, err := decoder.Decode(src, nil)
		if err != nil {
			t.Fatal(err)
		}
		kind, data := m.Headers.Get(":event-type").String(), m.Payload
		if kind == "chunk" {
			var chunk struct{ Bytes []byte }
			var e struct{ Type string }
			if err := errors.Join(json.Unmarshal(data, &chunk), json.Unmarshal(chunk.Bytes, &e)); err != nil {
				t.Fatal(err)
			}
			kind, data = e.Type, chunk.Bytes
		}
		out = sse.Append(out, kind, data)
	}
	return out
}

// CostCase is one of the worked cases of prices: what a provider's usage
// counts, kind by kind.
type CostCase struct {
	ID, Dialect, Model string
	Usage              json.RawMessage
	Breakdown          []struct {
		Kind  string
		Count int64
	}
	Stated  string `json:"provider_reported_usd"`
	Context struct {
		Status int
		Body   json.RawMessage
	} `json:"response_context"`
}

// CostCases are those of a dialect, in the words of the cases; there must be
// so many at least. They are not in this repository; without them the test is
// skipped.
func CostCases(t testing.TB, dialect string, least int) []CostCase {
	t.Helper()
	var file struct{ Cases []CostCase }
	if err := json.Unmarshal(read(t, Beside(t, "data/cost-cases.json")), &file); err != nil {
		t.Fatal(err)
	}
	var all []CostCase
	for _, c := range file.Cases {
		if c.Dialect == dialect {
			all = append(all, c)
		}
	}
	if len(all) < least {
		t.Fatalf("only %d cost cases of %s", len(all), dialect)
	}
	return all
}

// Beside is a file or folder of the facts that lie beside the repository, or
// where KEYTRAY_ and the name's first word in capitals point to
// (KEYTRAY_RECORDED). Where it is absent the test is skipped.
func Beside(t testing.TB, name string) string {
	t.Helper()
	first, rest, _ := strings.Cut(name, "/")
	dir := os.Getenv("KEYTRAY_" + strings.ToUpper(first))
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", first)
	}
	path := filepath.Join(dir, rest)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s beside the repository", name)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
