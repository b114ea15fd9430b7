//go:build nogui

package ui

import (
	"context"
	"errors"

	"keytray/app"
)

// Run says that there is no window in this build.
func Run(context.Context, *app.App, Options) error {
	return errors.New("this build has no window; use keytray serve")
}
