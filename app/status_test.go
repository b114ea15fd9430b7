package app

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"keytray/store/config"
)

// TestMeanwhile says which settings hold while the file cannot be used.
func TestMeanwhile(t *testing.T) {
	at := func(path string) *App {
		s := config.Open(path, config.Options{})
		t.Cleanup(func() { _ = s.Close() })
		return &App{config: s}
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	path := filepath.Join(home, "config.yaml")
	write(path, "active: [")
	first := at(path)
	if got := first.meanwhile(); !strings.HasPrefix(got, "Keytray is offline until") {
		t.Errorf("without a good version: %s", got)
	}
	write(path, "active: auto\n")
	if err := first.config.Reload(); err != nil {
		t.Fatal(err)
	}
	write(path, "active: [")
	for name, a := range map[string]*App{"in use": first, "kept": at(path)} {
		if err := a.config.Reload(); err == nil {
			t.Errorf("%s: a mistake is no problem", name)
		}
		if got := a.meanwhile(); got != "the settings from before stay in use" {
			t.Errorf("%s: %s", name, got)
		}
	}
	const nobodys = "/proc/self" // not even root can make a file in it
	if _, err := os.Stat(nobodys); err != nil {
		if os.Getenv("CI") == "true" && runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		t.Skip("no folder that root cannot write in")
	}
	none := at(nobodys + "/keytray/config.yaml")
	if len(none.config.Problems()) == 0 {
		t.Fatal("a file was made in " + nobodys)
	}
	if got := none.meanwhile(); got != "Keytray runs on its built-in settings" {
		t.Errorf("without a file: %s", got)
	}
}
