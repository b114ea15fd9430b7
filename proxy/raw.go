package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"keytray/proxy/llm"
)

// conversation tells whether a raw call's body is one JSON object that says
// which model is called and how; all others stream through unread. Its path
// alone decides, in any case of letters, as some servers take it: what a body
// is labelled as must not get it past a budget.
func conversation(hr *http.Request) bool {
	if hr.Method != http.MethodPost {
		return false
	}
	p := strings.ToLower(hr.URL.Path)
	for _, end := range [...]string{
		"/chat/completions", "/completions", "/responses", "/messages", "/embeddings", "/api/chat", "/api/generate", "/api/embed", "/v2/embed",
		"/images/generations", "/images/edits", "/audio/speech", "/moderations", "/rerank",
		":generatecontent", ":streamgeneratecontent", ":embedcontent", ":batchembedcontents", ":rawpredict", ":streamrawpredict",
		"/converse", "/converse-stream", "/invoke", "/invoke-with-response-stream",
	} {
		if strings.HasSuffix(p, end) {
			return true
		}
	}
	return false
}

// takesForms tells whether a conversation may be sent as a form too.
func takesForms(hr *http.Request) bool {
	return strings.HasSuffix(strings.ToLower(hr.URL.Path), "/images/edits")
}

// rawPath is the path of a raw call as the client wrote it. One that could
// lead out of the provider's own paths, once a server on the way has
// decoded it, is refused.
func rawPath(hr *http.Request) (string, error) {
	if !strings.HasPrefix(hr.RequestURI, "/") {
		return "", llm.Invalid("", "the request line holds a whole URL; send the path alone")
	}
	p, _, _ := strings.Cut(hr.RequestURI, "?")
	for { // as in bare
		p = "/" + strings.TrimLeft(p, "/")
		if !strings.HasPrefix(p, "/v1/") {
			break
		}
		p = p[len("/v1"):]
	}
	if !strings.HasPrefix(p, "/p/") || !clean(p) {
		return "", llm.Invalid("", "the path has parts that lead elsewhere; write it plainly, without dots or encoded separators")
	}
	return p, nil
}

// clean tells whether no part of a path is a dot or two, plainly or encoded
// up to twice, and whether it holds no control characters.
func clean(p string) bool {
	for range 3 {
		for _, part := range strings.FieldsFunc(p, func(c rune) bool { return c == '/' || c == '\\' }) {
			if part == "." || part == ".." {
				return false
			}
		}
		if strings.ContainsFunc(p, func(c rune) bool { return c < ' ' || c == 0x7f }) || strings.ContainsAny(p, "#?") {
			return false
		}
		next, err := url.PathUnescape(p)
		if err != nil {
			break // a percent sign that is meant
		}
		p = next
	}
	return true
}

// passAll hands on all of a provider's header but what is about its connection
// or would set something at the client in Keytray's name.
func passAll(to, from http.Header) {
	for k, v := range from {
		switch k {
		case "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length",
			"Set-Cookie", "Set-Cookie2", "Alt-Svc", "Strict-Transport-Security", "Vary", "Date", "Clear-Site-Data", "Report-To", "Nel":
			continue
		}
		if strings.HasPrefix(k, "Access-Control-") || strings.HasPrefix(k, "Proxy-") || strings.HasPrefix(k, "Keytray-") || strings.HasPrefix(k, "Cf-") {
			continue
		}
		to[k] = v
	}
}
