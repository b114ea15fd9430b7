package messages

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"keytray/proxy/dialect/splice"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Amazon Bedrock's InvokeModel and Google Vertex AI's rawPredict take the
// Messages API in forms of their own, which flags name: the model stands in
// the path, and the API's version in the body. On Bedrock the path says too
// whether the answer is streamed, and the body names the betas.

// hostForm is what a host changes; the zero value is Anthropic's own form.
type hostForm struct {
	version string   // anthropic_version
	without []string // fields that its body must not have
	betas   bool     // are named in the body
}

func hostOf(c *llm.Call) hostForm {
	switch flags := c.Model.Flags; {
	case flags.Has(llm.FlagBedrockInvoke):
		return hostForm{version: "bedrock-2023-05-31", without: []string{"model", "stream"}, betas: true}
	case flags.Has(llm.FlagVertexRaw) && c.Counts:
		return hostForm{version: "vertex-2023-10-16"} // the path names no model
	case flags.Has(llm.FlagVertexRaw):
		return hostForm{version: "vertex-2023-10-16", without: []string{"model"}}
	}
	return hostForm{}
}

// hostURL is where a host is called; "" where the form is Anthropic's own.
func hostURL(c *llm.Call, base string) string {
	switch flags := c.Model.Flags; {
	case flags.Has(llm.FlagBedrockInvoke) && c.Stream:
		return base + "/model/" + segment(c.Model.Name) + "/invoke-with-response-stream"
	case flags.Has(llm.FlagBedrockInvoke):
		return base + "/model/" + segment(c.Model.Name) + "/invoke"
	case flags.Has(llm.FlagVertexRaw) && c.Counts:
		return base + "/models/count-tokens:rawPredict"
	case flags.Has(llm.FlagVertexRaw) && c.Stream:
		return base + "/models/" + segment(c.Model.Name) + ":streamRawPredict"
	case flags.Has(llm.FlagVertexRaw):
		return base + "/models/" + segment(c.Model.Name) + ":rawPredict"
	}
	return ""
}

// segment keeps a model's name one segment of a path, as AWS signs it.
func segment(s string) string {
	switch s {
	case ".", "..":
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
}

// hostCopies says whether a host takes the client's bytes: Bedrock counts
// tokens in another form.
func hostCopies(c *llm.Call, r *llm.Request) bool {
	return !r.Counts || !c.Model.Flags.Has(llm.FlagBedrockInvoke)
}

// appendHead begins a body: the model, or what a host wants in its place, and
// whether the answer is streamed.
func appendHead(b []byte, c *llm.Call) []byte {
	h := hostOf(c)
	b = append(b, '{')
	if !slices.Contains(h.without, "model") {
		b = append(sse.AppendString(append(b, `"model":`...), c.Model.Name), ',')
	}
	if h.version != "" {
		b = append(append(append(b, `"anthropic_version":"`...), h.version...), `",`...)
	}
	if c.Stream && !slices.Contains(h.without, "stream") {
		b = append(b, `"stream":true,`...)
	}
	return b[:len(b)-1]
}

// hostEdits turn a client's body into a host's: fields are put in front and
// taken out, and every other byte stays. ok is false where the form is
// Anthropic's own.
func hostEdits(c *llm.Call, r *llm.Request) (_ []splice.Edit, ok bool, err error) {
	h := hostOf(c)
	if len(h.without) == 0 {
		return nil, false, nil
	}
	open := bytes.IndexByte(r.Raw, '{') + 1
	head, betas := []string{`"anthropic_version":"` + h.version + `"`}, h.betas
	var goes []splice.Edit
	at, begun := open, false // where the last field ended; a field is kept
	err = llm.Fields(r.Raw, func(k, v []byte, i int) bool {
		from, to := at, i+len(v)
		at = to
		switch string(k) {
		case "anthropic_version":
			head = head[1:]
		case "anthropic_beta":
			betas = false
		}
		switch gone := slices.Contains(h.without, string(k)); {
		case gone && begun:
			goes = append(goes, splice.Edit{From: from, To: to})
		case !gone && !begun:
			begun = true
			if from > open { // the comma after those that are gone
				from += bytes.IndexByte(r.Raw[from:], ',') + 1
			}
			goes = append(goes, splice.Edit{From: open, To: from})
		}
		return true
	})
	if err != nil {
		return nil, true, llm.Invalid("", "the request body is not a JSON object")
	}
	if !begun {
		goes = []splice.Edit{{From: open, To: at}}
	}
	if named := knownBetas(c, r.Header); betas && len(named) > 0 {
		list := []byte(`"anthropic_beta":[`)
		for _, beta := range named {
			list = append(sse.AppendString(list, beta), ',')
		}
		list[len(list)-1] = ']'
		head = append(head, string(list))
	}
	goes[0].Text = []byte(strings.Join(head, ","))
	if begun && len(head) > 0 {
		goes[0].Text = append(goes[0].Text, ',')
	}
	return goes, true, nil
}

// knownBetas are the betas that the client asks for and the host knows; others
// would be refused, and are named as lost.
func knownBetas(c *llm.Call, h http.Header) []string {
	limited := slices.ContainsFunc(c.Model.Flags, func(f string) bool { return strings.HasPrefix(f, llm.FlagBeta) })
	var out []string
	for _, line := range h["Anthropic-Beta"] {
		for beta := range strings.SplitSeq(line, ",") {
			switch beta = strings.TrimSpace(beta); {
			case beta == "" || slices.Contains(out, beta):
			case limited && !c.Model.Flags.Has(llm.FlagBeta+beta):
				c.Lose("anthropic-beta: " + turns.Clip(beta))
			default:
				out = append(out, beta)
			}
		}
	}
	return out
}
