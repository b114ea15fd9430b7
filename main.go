// Keytray is a tray app with a local LLM proxy and a key manager. See README.md,
// or `keytray help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"keytray/app"
	"keytray/app/cli"
	"keytray/app/ui"
)

func main() { os.Exit(run()) }

// run chooses the face: a command, or the window.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	return cli.Run(ctx, os.Args[1:], cli.Env{
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Getenv: os.Getenv,
		Window: func(a *app.App) error { return ui.Run(ctx, a, ui.Options{}) },
	})
}
