package cli

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"keytray/app"
)

// complete fills in what was left open.
func (e Env) complete() Env {
	if e.Getenv == nil {
		e.Getenv = os.Getenv
	}
	if e.Environ == nil {
		e.Environ = os.Environ()
	}
	if e.Stdin == nil {
		e.Stdin = bytes.NewReader(nil)
	}
	if e.Stdout == nil {
		e.Stdout = io.Discard
	}
	if e.Stderr == nil {
		e.Stderr = io.Discard
	}
	if e.Window == nil {
		e.Window = NoWindow
	}
	return e
}

// output remembers that it could not be written, so that no command has to
// look after each line and none claims success on a full disk.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.to.Write(p)
	o.err = err
	return n, err
}

// out is standard output.
func (f *face) out() io.Writer {
	f.output.to = f.env.Stdout
	return &f.output
}

// columns is how wide the terminal is that reads the output, 0 if none does.
func (f *face) columns() int {
	file, ok := f.env.Stdout.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// open opens Keytray's folder beside the one that runs, or instead of it.
func (f *face) open(ctx context.Context, o app.Options) (*app.App, error) {
	o.Getenv, o.Keychain = f.env.Getenv, f.env.Keychain
	return app.Open(ctx, o)
}

// with opens Keytray's folder for one command and closes it after.
func (f *face) with(ctx context.Context, do func(*app.App) error) error {
	a, err := f.open(ctx, app.Options{})
	if err != nil {
		return err
	}
	err = do(a)
	if closing := a.Close(); err == nil {
		err = closing
	}
	return err
}

func (f *face) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(f.env.Stderr, nil))
}
