package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// readFile reads a regular file up to just beyond the limit, again if it changed meanwhile. A pipe or device would
// never end.
func readFile(path string) (text []byte, err error) {
	for range 3 {
		var whole bool
		if text, whole, err = readOnce(path); err != nil || whole {
			break
		}
	}
	return text, err
}

func readOnce(path string) (text []byte, whole bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, fmt.Errorf("cannot be read: %w", reason(err))
	}
	if !info.Mode().IsRegular() {
		return nil, false, errors.New("is not a file; move it away, and Keytray writes a new one at its next start")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false, fmt.Errorf("cannot be read: %w; give yourself the right to read it", reason(err))
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("cannot be read: %w", reason(err))
	}
	text, err = io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, false, fmt.Errorf("cannot be read: %w", reason(err))
	}
	after, err := f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("cannot be read: %w", reason(err))
	}
	return text, before.Size() == after.Size() && before.ModTime().Equal(after.ModTime()), nil
}

// target follows a config.yaml that is a link to the file it means, which need not exist.
func target(path string) (string, error) {
	for range 40 {
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", fmt.Errorf("%s: too many links", path)
}

// replaceFile puts text in the place of the file that path means, whole or not at all, and survives a power cut. Mode
// and links stay. before is what the file held when the change was made, nil if it was missing.
func replaceFile(path string, text, before []byte) (err error) {
	path, err = target(path)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		if mode = info.Mode().Perm(); mode&0o200 == 0 {
			return fmt.Errorf("%s is read-only; allow writing to it, or change it by hand", path)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".config.yaml.new-*")
	if err != nil {
		return fmt.Errorf("cannot write in the folder %s: %w; make it writable", filepath.Dir(path), reason(err))
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err := f.Write(text); err != nil {
		return fmt.Errorf("cannot write %s: %w; the old file is untouched", path, reason(err))
	}
	if err := f.Chmod(mode); err != nil {
		return fmt.Errorf("cannot write %s: %w; the old file is untouched", path, reason(err))
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("cannot write %s: %w; the old file is untouched", path, reason(err))
	}
	now, readErr := readFile(path)
	if readErr != nil && !errors.Is(readErr, fs.ErrNotExist) || !bytes.Equal(now, before) {
		return errChanged
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("cannot write %s: %w; the old file is untouched", path, reason(err))
	}
	if err := Rename(f.Name(), path); err != nil {
		return fmt.Errorf("cannot write %s: %w; the old file is untouched", path, reason(err))
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// errChanged says that someone else wrote the file while an edit was under way.
var errChanged = errors.New("config.yaml was changed by someone else at the same moment; try again")

// syncFolder makes a rename last. Not every system can, and the file is whole either way.
func syncFolder(folder string) {
	if d, err := os.Open(folder); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
