package route

import (
	"context"
	"slices"

	"keytray/proxy/llm"
)

func errNoTargets(strategy string) error {
	return &llm.Error{Kind: llm.Internal, Message: "a " + strategy + " route has no targets"}
}

// inOrder asks targets one after another until one begins a good answer, as
// [Fallback] promises. why is what the row of a target's call says, by its index;
// as is why no other answers, words to go on with, and "" of the first.
func inOrder(ctx context.Context, r *llm.Request, all []llm.Target, why func(at int, as string) llm.Note) (*llm.Response, error) {
	var last error
	var before llm.Target // the one that failed, or that is left alone
	var tired []int
	ask := func(at int) (resp *llm.Response, over bool) {
		note := why(at, instead(before, last))
		own := ctx
		if note != (llm.Note{}) {
			own = llm.WithNote(ctx, note)
		}
		resp, last = all[at].Do(own, r)
		before = all[at]
		return resp, last == nil || !goesOn(ctx, last)
	}
	for at, t := range all {
		if rest(t) > 0 {
			if tired = append(tired, at); before == nil {
				before = t
			}
			continue
		}
		if resp, over := ask(at); over {
			return resp, last
		}
	}
	if len(tired) == len(all) {
		before = nil // nobody was passed over
	}
	for _, at := range tired {
		if resp, over := ask(at); over {
			return resp, last
		}
	}
	return nil, last
}

// instead says why a target is asked in place of one before it.
func instead(before llm.Target, err error) string {
	if before == nil {
		return ""
	}
	who := "the one before"
	if n, ok := before.(interface{ Name() string }); ok && n.Name() != "" {
		who = n.Name()
	}
	if err == nil {
		return ", as " + who + " is left alone for now"
	}
	return ", as " + who + " failed (" + string(llm.AsError(err).Kind) + ")"
}

// place is a target's among others: "number 2 of 3".
func place(at, of int) string { return "number " + number(at+1) + " of " + number(of) }

// readyFirst puts those that should be left alone after all others, and tells
// how many others there are.
func readyFirst(all []llm.Target) (ordered []llm.Target, ready int) {
	var tired []llm.Target
	for _, t := range all {
		if rest(t) > 0 {
			tired = append(tired, t)
		} else {
			ordered = append(ordered, t)
		}
	}
	return slices.Concat(ordered, tired), len(ordered)
}
