//go:build !((dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd || darwin || windows)

package keys

import (
	"context"
	"sync"
)

const (
	serviceRemedy = "Keep keys in environment variables on this system."
	deniedRemedy  = "Keep keys in environment variables on this system."
)

func attach(context.Context, *sync.WaitGroup, *vault, func()) func() string {
	return func() string { return "in the keychain" }
}

func explain(err error) *Problem { return failed(err) }
