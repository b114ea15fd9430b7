package keys

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errHeld is what tryLock answers while another process has the lock.
var errHeld = errors.New("held by another process")

const lockPause = 5 * time.Millisecond

// lockFile takes the lock of path, waiting for another holder as long as ctx lasts. The system releases it when
// the process ends, however it ends. An empty path locks nothing.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	retry := time.NewTicker(lockPause)
	defer retry.Stop()
	for {
		release, err := tryLock(path)
		if err == nil {
			return release, nil
		}
		if !errors.Is(err, errHeld) {
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another Keytray process keeps %s locked: %w", path, ctx.Err())
		case <-retry.C:
		}
	}
}
