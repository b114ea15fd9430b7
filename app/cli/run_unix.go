//go:build unix

package cli

import (
	"context"
	"fmt"
	"syscall"
)

// start becomes the tool, so that its signals, its terminal and its exit code
// are its own. It returns only if that fails.
func (f *face) start(_ context.Context, p program) error {
	return fmt.Errorf("start %s: %w", p.path, syscall.Exec(p.path, p.args, p.env))
}
