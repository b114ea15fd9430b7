//go:build !nogui && !linux && !freebsd && !openbsd && !netbsd

package ui

import "context"

// host is what shows trays on this desktop: here the system always does.
type host struct {
	possible, present bool
}

func findHost(context.Context) *host { return &host{possible: true, present: true} }

func (*host) follow(context.Context, func(bool)) {}

func (*host) close() {}

func adoptBus() {}
