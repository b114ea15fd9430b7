package catalog

import (
	"os"
	"testing"
)

// load reads the built-in data from the folder: this package may not import
// the one that embeds it.
func load(t testing.TB) *Catalog {
	t.Helper()
	c, err := Load(os.DirFS("../../assets/providers"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
