package config

import (
	"strings"
)

var (
	idForm    = form{"a-z0-9", "a-z0-9._-", 64}
	routeForm = form{"A-Za-z0-9", "A-Za-z0-9._:-", 128}
	toolForm  = form{"A-Za-z0-9", "A-Za-z0-9 ._:@-", 64}
	envForm   = form{"A-Za-z_", "A-Za-z0-9_", 128}
)

// checkID, checkRouteName and checkToolName return "" or what a good name looks like.
func checkID(s string) string {
	if s == ActiveAuto || s == ActiveOffline {
		return s + " is a position of the switch; choose another"
	}
	if !idForm.MatchString(s) {
		return "use lower-case letters, digits, dots, dashes and underscores, at most 64"
	}
	return ""
}

func checkRouteName(s string) string {
	if s == ActiveAuto || s == ActiveOffline {
		return s + " is a position of the switch; choose another"
	}
	if !routeForm.MatchString(s) {
		return "use letters, digits, dots, colons, dashes and underscores, at most 128; a slash belongs to a provider's model"
	}
	return ""
}

func checkToolName(s string) string {
	if !toolForm.MatchString(s) {
		return "use letters, digits, spaces, dots, colons, dashes and underscores, at most 64"
	}
	return ""
}

// model reads the name of a model or route: one word without control characters.
func (r *reader) model(n *node) (string, bool) {
	if n.kind == isTable || n.kind == isList {
		r.add(n, "is "+string(n.kind)+" where the name of a model is wanted", "")
		return "", false
	}
	s, ok := r.text(n)
	if !ok {
		return "", false
	}
	if len(s) > 256 || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		r.add(n, "is not the name of a model", "write it as the provider does, or as provider/model")
		return "", false
	}
	if strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/") {
		r.add(n, "has a slash with nothing beside it", "write provider/model")
		return "", false
	}
	return s, true
}
