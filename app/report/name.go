package report

import (
	"slices"
	"strings"
	"unicode"
)

// lineItem reads the name of a line of OpenAI's costs: "gpt-4o-2024-08-06,
// input", "gpt-6-astra, input_tokens" (the examples of its API reference and
// of the SDK's CostsParams), "Assistants API | Code Interpreter", "web search
// tool calls". What comes after the comma is the kind of token.
func lineItem(item string) (name string, kind Kind, batch bool) {
	head, tail, _ := strings.Cut(item, ",")
	name = strings.TrimSpace(head)
	if name == "" {
		return "", Other, false
	}
	if kind = kindOf(item); kind != Model {
		return strings.TrimSpace(item), kind, false
	}
	for _, part := range words(head + " " + tail) {
		batch = batch || part == "batch"
	}
	return name, Model, batch
}

// kindWords are what charges that are of no model are called. They are looked
// for as whole words, so that gpt-4o-search-preview stays a model.
var kindWords = []struct {
	kind  Kind
	words []string
}{
	{Credit, []string{"credit", "credits", "discount", "discounts", "refund", "refunds", "grant", "grants", "promotion", "promotional", "adjustment", "adjustments", "rebate", "voucher", "coupon"}},
	{Tax, []string{"tax", "taxes", "vat", "gst"}},
	{Tool, []string{"search", "searches", "storage", "interpreter", "session", "sessions", "container", "containers", "execution", "fetch", "ocr"}},
}

// kindOf tells by its words what a named charge is for.
func kindOf(name string) Kind {
	all := words(name)
	for _, k := range kindWords {
		if slices.ContainsFunc(all, func(w string) bool { return slices.Contains(k.words, w) }) {
			return k.kind
		}
	}
	return Model
}

// words are the words of a name in lower case; a hyphen is a part of a word.
func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r != '-' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}
