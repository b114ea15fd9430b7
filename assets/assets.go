// Package assets holds what Keytray brings along: the providers' data, and
// the icons. It only hands out bytes; proxy/catalog reads the data, and the
// faces show the icons.
package assets

import (
	"embed"
	"io/fs"
)

//go:generate go run ./generate -list $KEYTRAY_LIST -out providers

//go:embed providers/*.json
var providers embed.FS

// Providers is a folder with one JSON file for each provider, named by its
// id. How a file is laid out is told at catalog.Load, which reads it.
func Providers() fs.FS {
	sub, err := fs.Sub(providers, "providers")
	if err != nil {
		panic(err) // the folder is named in the embed line above
	}
	return sub
}
