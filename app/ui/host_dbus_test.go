//go:build !nogui && (linux || freebsd || openbsd || netbsd)

package ui

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestBusAddress(t *testing.T) {
	folder := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(folder, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	plain := t.TempDir()
	if err := os.WriteFile(filepath.Join(plain, "bus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := busAddress(func(string) string { return "" }) // the user's own, if there is one
	for _, c := range []struct{ address, runtime, want string }{
		{"unix:path=/x", folder, "unix:path=/x"},
		{"", folder, "unix:path=" + filepath.Join(folder, "bus")},
		{"autolaunch:", folder, "unix:path=" + filepath.Join(folder, "bus")},
		{"disabled:", folder, ""},
		{"", plain, elsewhere},
		{"", ".", elsewhere},
	} {
		got := busAddress(func(name string) string {
			return map[string]string{"DBUS_SESSION_BUS_ADDRESS": c.address, "XDG_RUNTIME_DIR": c.runtime}[name]
		})
		if got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.address, c.runtime, got, c.want)
		}
	}
}
