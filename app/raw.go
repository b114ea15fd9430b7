package app

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"keytray/proxy/catalog"
	"keytray/proxy/dialect/embed"
	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
	"keytray/proxy/upstream"
)

// raw is the target of /p/PROVIDER/...: any call at all, signed for that
// provider. One that only reads leaves no row, as it uses no model; the log
// has it. One whose path is a known API's is metered as that API says; of any
// other nobody knows what it cost.
func (t *table) raw(r *llm.Request, d verbatim.Dialect) (llm.Target, error) {
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.Path, "/p/"), "/")
	p, ok := t.catalog.Provider(id)
	if !ok {
		return nil, &llm.Error{Kind: llm.NotFound, Code: "unknown_provider", Message: fmt.Sprintf("there is no provider %s; write /p/PROVIDER/ and then the path of its own API", clip(id))}
	}
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		return nil, &llm.Error{Kind: llm.BadRequest, Status: http.StatusMethodNotAllowed, Message: r.Method + " is no call of an API"}
	}
	watch, name := t.known(r, p, d, rest)
	if err := t.mayCall(r, p, name); err != nil {
		return nil, err
	}
	sent, listed := p.Deployed(name)
	m := model{p.ID, listed}
	if listed, ok := t.catalog.Model(p.ID, listed); ok {
		m.Name = listed.ID
	}
	if err := t.allowed(r, "", m, m); err != nil {
		return nil, err
	}
	if r.LocalOnly && watch == nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil, &llm.Error{Kind: llm.Forbidden, Code: "token_needed", Message: "without a token what a local provider holds may be used but not changed: call it itself, or send a token of Keytray's (`keytray token TOOL` makes one)"}
	}
	if name != "" && r.Model == "" {
		r.Model = name
	}
	if low := strings.ToLower(rest); r.Raw == nil || strings.Contains(low, "deployments/") || strings.HasSuffix(low, "responses") {
		sent = ""
	}
	p, base, to := t.app.rawURL(p, strings.TrimLeft(rest, "/"), sent)
	pass := t.sender(r, p, m, base, to, r.Query)
	if r.Rest != nil && p.Auth.Scheme == "aws" && pass.Sign != nil { // whose signature is over the body
		b, err := io.ReadAll(io.LimitReader(r.Rest, signedMost+1))
		if err != nil {
			return nil, &llm.Error{Kind: llm.Canceled, Message: "the client stopped sending its body", Cause: err}
		}
		if len(b) > signedMost {
			return nil, &llm.Error{Kind: llm.TooLarge, Message: fmt.Sprintf("a call that is signed for AWS must be kept whole, and this one is larger than %d MiB", signedMost>>20)}
		}
		r.Raw, r.Rest = b, nil
	}
	if len(r.Raw) > 0 {
		pass.Body = [][]byte{r.Raw}
	}
	pass.Wide, pass.Verbatim, pass.Watch = true, true, watch
	passed, other := watch.(verbatim.Dialect)
	if other {
		pass.Asked = passed.Asks(r.Raw)
	}
	pass.Unmetered = watch == nil || other
	if watch == nil {
		pass.Reason = "not metered: what a call of this path uses is not known"
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodDelete:
		pass.NoRow, pass.Watch = true, nil
		if file, ok := fileContent(to); ok && r.Method == http.MethodGet && speaksOpenAI(p) {
			t.settles(pass, r, p.ID, file) // a batch costs what it costs, whichever way its results come
		}
		t.app.log.Info("passed on", "request", r.ID, "method", r.Method, "provider", p.ID)
	default: // Servers may take any other word for one of these.
		pass.NoRow = counts(to)
	}
	return pass, nil
}

// signedMost bounds a body that must be in memory to be signed.
const signedMost = 128 << 20

// known is who can read the answers of a raw call, by its path, and the model
// that it names; nil and "" if that is not known.
func (t *table) known(r *llm.Request, p catalog.Provider, d verbatim.Dialect, rest string) (upstream.Watch, string) {
	if r.Raw == nil {
		return nil, ""
	}
	if plain, err := url.PathUnescape(rest); err == nil { // rest is as the client wrote it
		rest = plain
	}
	whole := path.Clean("/" + rest)
	rest = strings.ToLower(whole)
	var watch upstream.Watch
	name := pathModel(p, whole)
	switch end := rest[strings.LastIndexByte(rest, '/'):]; {
	case strings.HasSuffix(rest, "/chat/completions"), end == "/completions":
		watch = outbound("chat")
	case end == "/messages":
		watch = outbound("messages")
	case end == "/responses":
		watch = outbound("responses")
	case strings.HasSuffix(rest, "/api/chat"), strings.HasSuffix(rest, "/api/generate"):
		watch = outbound("ollama")
		if end == "/generate" {
			r.Form = "generate"
		}
	case strings.HasSuffix(end, ":generatecontent"), strings.HasSuffix(end, ":streamgeneratecontent"):
		watch = outbound("gemini")
		if q, _ := url.ParseQuery(r.Query); strings.HasSuffix(end, ":streamgeneratecontent") && q.Get("alt") != "sse" {
			r.Stream, r.Form = true, "array"
		}
	case p.Dialect == "converse" && (end == "/converse" || end == "/converse-stream"):
		watch = outbound("converse")
	case p.Dialect == "converse" && (end == "/invoke" || end == "/invoke-with-response-stream"):
		if p.Serves("messages", name) { // other models answer in forms of their own
			watch = outbound("messages")
		}
	case strings.HasSuffix(end, ":rawpredict"), strings.HasSuffix(end, ":streamrawpredict"):
		switch {
		case strings.Contains(rest, "/publishers/anthropic/"):
			watch = outbound("messages")
		case strings.Contains(rest, "/publishers/mistralai/"):
			watch = outbound("chat")
		}
	case end == "/embeddings":
		watch = embed.Dialect{Form: embed.OpenAI, Refusals: d}
	case strings.HasSuffix(end, ":embedcontent"), strings.HasSuffix(end, ":batchembedcontents"):
		watch = embed.Dialect{Form: embed.Gemini, Refusals: d}
	case strings.HasSuffix(rest, "/api/embed"):
		watch = embed.Dialect{Form: embed.Ollama, Refusals: d}
	case strings.HasSuffix(rest, "/v2/embed"):
		watch = embed.Dialect{Form: embed.Cohere, Refusals: d}
	case strings.HasSuffix(rest, "/images/generations"), strings.HasSuffix(rest, "/images/edits"):
		watch = verbatim.Dialect{Kind: verbatim.Images, Errors: d.Errors}
	case end == "/speech":
		watch = verbatim.Dialect{Kind: verbatim.Speech, Errors: d.Errors}
	case end == "/moderations":
		watch = verbatim.Dialect{Kind: verbatim.Moderation, Errors: d.Errors}
	case end == "/rerank":
		watch = verbatim.Dialect{Kind: verbatim.Rerank, Errors: d.Errors}
	}
	if name != "" || strings.Contains(rest[strings.LastIndexByte(rest, '/'):], ":") {
		return watch, name // of Google's servers only the path says it: of a tuned one, nobody does
	}
	return watch, r.Model
}

// counts tells whether a call at a URL only counts the tokens of another, which
// all providers do for nothing.
func counts(at string) bool {
	at, _, _ = strings.Cut(strings.ToLower(at), "?")
	for _, end := range [...]string{"/messages/count_tokens", "/responses/input_tokens", ":counttokens", "/count-tokens", "/count-tokens:rawpredict"} {
		if strings.HasSuffix(at, end) {
			return true
		}
	}
	return false
}

// pathModel is the model that a path names, as Google's, Bedrock's and Azure's
// do, or "". Their servers go by it, whatever the body says.
func pathModel(p catalog.Provider, path string) string {
	low := strings.ToLower(path)
	if _, at, ok := strings.Cut(low, "/model/"); ok && p.Dialect == "converse" && strings.Contains(at, "/") {
		name := path[len(path)-len(at):] // an ARN has slashes of its own
		return name[:strings.LastIndexByte(name, '/')]
	}
	if _, at, ok := strings.Cut(low, "/models/"); ok && strings.Contains(at, ":") {
		name := path[len(path)-len(at):]
		return name[:strings.LastIndexByte(name, ':')]
	}
	if _, at, ok := strings.Cut(low, "/deployments/"); ok {
		name, _, _ := strings.Cut(path[len(path)-len(at):], "/")
		_, listed := p.Deployed(name)
		return listed
	}
	return ""
}
