package route

import "keytray/proxy/llm"

func errNoTargets(strategy string) error {
	return &llm.Error{Kind: llm.Internal, Message: "a " + strategy + " route has no targets"}
}
