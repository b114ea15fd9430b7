package app

import (
	"context"
	"errors"

	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/store/config"
)

// thrifty is a model that costs money, for which a local one answers when a
// budget whose at_limit says offline has no room for the call: of many calls
// that come at once, each learns that only when it is about to be made.
type thrifty struct {
	route.Watched
	table *table
}

// Do asks the model, or the local one. The refused call has a row of its own.
func (t thrifty) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	resp, err := t.Watched.Do(ctx, r)
	var up *upError
	if err == nil || !errors.As(err, &up) || up.limit.AtLimit != config.LimitOffline {
		return resp, err
	}
	local, refused := t.table.atLimit(r, up.limit)
	if refused != nil {
		return nil, refused
	}
	return local.Do(ctx, r)
}

// upError says which limit has refused a call.
type upError struct{ limit Limit }

func (e *upError) Error() string { return "the budget for " + e.limit.Scope.String() + " is used up" }
