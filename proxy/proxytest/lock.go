package proxytest

import (
	"context"
	"time"
)

// lock takes an exclusive lock on the file, made if need be, that ends with the process at the latest. It
// waits until the context is done.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		unlock, held, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if !held {
			return unlock, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-again.C:
		}
	}
}
