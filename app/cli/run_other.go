//go:build !unix

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
)

// start runs the tool and waits for it. Ctrl-C reaches it without help, since it
// has the same console, and is the tool's to act on however often it comes.
func (f *face) start(ctx context.Context, p program) error {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.path, p.args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.env, f.env.Stdin, f.env.Stdout, f.env.Stderr
	taken := make(chan os.Signal, 1)
	signal.Notify(taken, os.Interrupt)
	defer signal.Stop(taken)
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		return codeError(ended.ExitCode())
	case err != nil:
		return fmt.Errorf("start %s: %w", p.path, err)
	}
	return nil
}
