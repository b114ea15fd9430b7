package route

import "keytray/proxy/llm"

func errNoTargets(strategy string) error {
	return &llm.Error{Kind: llm.Internal, Message: "a " + strategy + " route has no targets"}
}

// readyFirst puts those that should be left alone after all others.
func readyFirst(all []llm.Target) []llm.Target {
	var ready, tired []llm.Target
	for _, t := range all {
		if rest(t) > 0 {
			tired = append(tired, t)
		} else {
			ready = append(ready, t)
		}
	}
	return append(ready, tired...)
}
