package responses

import (
	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
)

// searches is how often the web was searched, as the provider bills it.
func searches(toolUsage []byte) (int64, bool) {
	n := field.Of(field.Of(toolUsage, "web_search"), "num_requests")
	return openai.Tokens(n), !field.Null(n)
}
