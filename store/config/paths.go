package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Paths says where everything that Keytray keeps on disk lives. All of them are absolute.
type Paths struct {
	// ConfigFolder holds Config, DataFolder all the rest; they may be the same.
	ConfigFolder, DataFolder string
	// Config is config.yaml. Beside it stands config.yaml.good, a copy of the last version without a mistake.
	Config string
	// Ledger is the SQLite file; SQLite puts more files beside it.
	Ledger string
	// Tokens holds the hashes of local tokens where there is no keychain.
	Tokens string
	// Vault is the encrypted file for keys where there is no keychain.
	Vault string
	// Lock is held by the running Keytray.
	Lock string
}

// Locate finds the folders for an operating system (a GOOS value) and an environment: KEYTRAY_HOME for all, or
// else the XDG base directories (version 0.8; relative values are ignored, as it says), ~/Library/Application
// Support/Keytray, or %AppData%\Keytray and %LocalAppData%\Keytray. It touches no disk.
func Locate(goos string, getenv func(string) string) (Paths, error) {
	p := platform{goos: goos, getenv: getenv}
	if home := getenv("KEYTRAY_HOME"); home != "" {
		folder, err := p.expand(home)
		if err != nil {
			return Paths{}, err
		}
		return p.paths(folder, folder), nil
	}
	switch goos {
	case "windows":
		return p.windows()
	case "darwin", "ios":
		home, err := p.home("HOME")
		if err != nil {
			return Paths{}, err
		}
		folder := p.join(home, "Library", "Application Support", "Keytray")
		return p.paths(folder, folder), nil
	default:
		return p.xdg()
	}
}

// Create makes the folders that are missing, for this user alone (0700), and tries whether files can be made in
// them. Its error says what a person can do.
func (p Paths) Create() error {
	for _, folder := range []string{p.ConfigFolder, p.DataFolder} {
		if err := makeFolder(folder); err != nil {
			return err
		}
		probe, err := os.CreateTemp(folder, ".keytray-probe-*")
		if err != nil {
			return fmt.Errorf("cannot write in the folder %s: %w; make it writable, or set KEYTRAY_HOME to a folder that is", folder, reason(err))
		}
		closeErr := probe.Close()
		if err := errors.Join(closeErr, os.Remove(probe.Name())); err != nil {
			return fmt.Errorf("cannot write in the folder %s: %w", folder, err)
		}
	}
	return nil
}

func makeFolder(folder string) error {
	err := os.MkdirAll(folder, 0o700)
	var at *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &at) && errors.Is(at.Err, syscall.ENOTDIR):
		return fmt.Errorf("cannot make the folder %s: %s is a file; move it away, or set KEYTRAY_HOME to a folder", folder, at.Path)
	default:
		return fmt.Errorf("cannot make the folder %s: %w; make its parent writable, or set KEYTRAY_HOME to a folder that is", folder, reason(err))
	}
}

// reason is the last part of a file error, where the path has been said already.
func reason(err error) error {
	var at *fs.PathError
	var rename *os.LinkError
	switch {
	case errors.As(err, &at):
		return at.Err
	case errors.As(err, &rename):
		return rename.Err
	}
	return err
}
