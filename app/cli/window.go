package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/spf13/cobra"

	"keytray/app"
)

const serveInstead = "use `keytray serve` to answer without a window, and the other commands for the rest (`keytray help`)"

// NoWindow is the Env.Window of a build that has none.
func NoWindow(*app.App) error {
	return errors.New("this build of Keytray has no window; " + serveInstead)
}

// window opens the window and the tray, or shows those of the Keytray that runs
// in the same folder.
func (f *face) window(cmd *cobra.Command, _ []string) error {
	if !app.HasDisplay(runtime.GOOS, f.env.Getenv) {
		return errors.New("there is no display here, so no window can be opened; " + serveInstead)
	}
	ctx := cmd.Context()
	log := f.logger()
	a, err := f.open(ctx, app.Options{Serve: true, Log: log})
	if errors.Is(err, app.ErrRunning) {
		return f.showOther(ctx, err)
	}
	if err != nil {
		return err
	}
	if err := a.Start(); err != nil {
		log.Error(err.Error()) // the window says so too, and offers another port
	}
	leaveConsole()
	return errors.Join(f.env.Window(a), a.Close())
}

// showOther asks the running Keytray to show its window.
func (f *face) showOther(ctx context.Context, running error) error {
	return f.with(ctx, func(a *app.App) error {
		err := app.ShowRunning(ctx, a.Paths().DataFolder)
		switch {
		case err == nil:
			fmt.Fprintln(f.env.Stderr, "keytray: Keytray is running already; its window is shown")
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w and does not answer; try again, or stop it first", running)
		default:
			return fmt.Errorf("%w: %w; stop it first to open a window, or use the other commands (`keytray help`)", running, err)
		}
	})
}
