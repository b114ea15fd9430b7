package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestLocate(t *testing.T) {
	for _, c := range []struct {
		name, goos           string
		env                  map[string]string
		config, ledger, fail string
	}{
		{"linux", "linux", map[string]string{"HOME": "/home/a"}, "/home/a/.config/keytray/config.yaml", "/home/a/.local/share/keytray/ledger.db", ""},
		{"xdg", "linux", map[string]string{"HOME": "/home/a", "XDG_CONFIG_HOME": "/c/", "XDG_DATA_HOME": "/d"}, "/c/keytray/config.yaml", "/d/keytray/ledger.db", ""},
		{"xdg without home", "freebsd", map[string]string{"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d"}, "/c/keytray/config.yaml", "/d/keytray/ledger.db", ""},
		{"relative xdg", "linux", map[string]string{"HOME": "/home/a", "XDG_CONFIG_HOME": "c", "XDG_DATA_HOME": "./d"}, "/home/a/.config/keytray/config.yaml", "/home/a/.local/share/keytray/ledger.db", ""},
		{"no home", "linux", nil, "", "", "HOME does not hold an absolute path; set it, or set KEYTRAY_HOME"},
		{"relative home", "linux", map[string]string{"HOME": "a"}, "", "", "set KEYTRAY_HOME"},
		{"own", "linux", map[string]string{"HOME": "/home/a", "XDG_CONFIG_HOME": "/c", "KEYTRAY_HOME": "/k/"}, "/k/config.yaml", "/k/ledger.db", ""},
		{"own root", "linux", map[string]string{"KEYTRAY_HOME": "/"}, "/config.yaml", "/ledger.db", ""},
		{"own tilde", "linux", map[string]string{"HOME": "/home/a", "KEYTRAY_HOME": "~/k"}, "/home/a/k/config.yaml", "/home/a/k/ledger.db", ""},
		{"own tilde, no home", "linux", map[string]string{"KEYTRAY_HOME": "~/k"}, "", "", "HOME does not hold"},
		{"own relative", "linux", map[string]string{"KEYTRAY_HOME": "k"}, "", "", "KEYTRAY_HOME is not an absolute path"},
		{"mac", "darwin", map[string]string{"HOME": "/Users/a"}, "/Users/a/Library/Application Support/Keytray/config.yaml", "/Users/a/Library/Application Support/Keytray/ledger.db", ""},
		{"mac, no home", "darwin", nil, "", "", "HOME does not hold"},
		{"windows", "windows", map[string]string{"AppData": `C:\Users\a\AppData\Roaming`, "LocalAppData": `C:\Users\a\AppData\Local\`}, `C:\Users\a\AppData\Roaming\Keytray\config.yaml`, `C:\Users\a\AppData\Local\Keytray\ledger.db`, ""},
		{"windows, profile alone", "windows", map[string]string{"USERPROFILE": `C:\Users\a`}, `C:\Users\a\AppData\Roaming\Keytray\config.yaml`, `C:\Users\a\AppData\Local\Keytray\ledger.db`, ""},
		{"windows share", "windows", map[string]string{"KEYTRAY_HOME": `\\host\k`}, `\\host\k\config.yaml`, `\\host\k\ledger.db`, ""},
		{"windows drive", "windows", map[string]string{"KEYTRAY_HOME": `D:\`}, `D:\config.yaml`, `D:\ledger.db`, ""},
		{"windows slashes", "windows", map[string]string{"KEYTRAY_HOME": `D:/k/`}, `D:/k\config.yaml`, `D:/k\ledger.db`, ""},
		{"windows tilde", "windows", map[string]string{"KEYTRAY_HOME": `~\k`, "USERPROFILE": `C:\Users\a`}, `C:\Users\a\k\config.yaml`, `C:\Users\a\k\ledger.db`, ""},
		{"windows, nothing", "windows", nil, "", "", "USERPROFILE does not hold"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Locate(c.goos, func(name string) string { return c.env[name] })
			if c.fail != "" {
				if err == nil || !strings.Contains(err.Error(), c.fail) {
					t.Fatalf("got %+v, %v", got, err)
				}
				return
			}
			if err != nil || got.Config != c.config || got.Ledger != c.ledger {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	p := Paths{ConfigFolder: filepath.Join(dir, "a", "b"), DataFolder: filepath.Join(dir, "c")}
	for range 2 {
		if err := p.Create(); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{p.ConfigFolder, filepath.Dir(p.ConfigFolder), p.DataFolder} {
		info, err := os.Stat(folder)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %o", folder, info.Mode().Perm())
		}
	}
	left, err := os.ReadDir(p.DataFolder)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestCreateFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	for folder, want := range map[string]string{
		file:                     "cannot make the folder " + file + ": " + file + " is a file; move it away",
		filepath.Join(file, "k"): "cannot make the folder " + filepath.Join(file, "k") + ": " + file + " is a file; move it away",
		readOnly(t):              "cannot write in the folder " + readOnly(t),
	} {
		err := Paths{ConfigFolder: folder, DataFolder: folder}.Create()
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "set KEYTRAY_HOME") {
			t.Errorf("got %v", err)
		}
	}
}

// readOnly is a folder that not even root can write in.
func readOnly(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		if os.Getenv("CI") == "true" && runtime.GOOS == "linux" {
			t.Fatal("no /proc")
		}
		t.Skip("no folder that root cannot write in")
	}
	return "/proc/self"
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
