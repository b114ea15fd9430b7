package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// folders keeps the right folders watched: that of the file, those of the links on the way to it, and for each
// that is missing the nearest one above.
type folders struct {
	path   string
	add    func(string) error
	remove func(string) error
	list   func() []string
	names  map[string]bool // last parts of the paths that matter
}

// follow looks where the file is now. It is called again after each change, since links and folders change too.
func (f *folders) follow() error {
	want := map[string]bool{}
	f.names = map[string]bool{}
	var errs []error
	for _, path := range hops(f.path) {
		f.names[filepath.Base(path)] = true
		folder, err := f.nearest(filepath.Dir(path))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		want[folder] = true
	}
	for _, folder := range f.list() {
		if !want[folder] {
			_ = f.remove(folder)
		}
	}
	return errors.Join(errs...)
}

// nearest watches the folder, or the first one above it that exists, and returns it.
func (f *folders) nearest(folder string) (string, error) {
	for at := folder; ; {
		f.names[filepath.Base(at)] = true
		err := f.add(at)
		above := filepath.Dir(at)
		switch {
		case err != nil && at == above:
			return "", err
		case err != nil:
			at = above
		case at != folder && f.made(folder, at):
			at = folder
		default:
			return at, nil
		}
	}
}

// made says whether the folder below at, on the way to folder, came to be before at was watched.
func (f *folders) made(folder, at string) bool {
	for filepath.Dir(folder) != at {
		folder = filepath.Dir(folder)
	}
	info, err := os.Stat(folder)
	return err == nil && info.IsDir() && f.add(folder) == nil
}

// ours says whether an event is about the file, a link to it or a folder above it. A ledger that is written all
// the time may stand beside the file.
func (f *folders) ours(name string) bool { return f.names[filepath.Base(name)] }

// hops returns the path and, for each link on the way, what the link says: its target and the parts of it, which
// may be links that are switched as well.
func hops(path string) []string {
	out := []string{path}
	for range 40 {
		link, err := os.Readlink(path)
		if err != nil {
			return out
		}
		folder := filepath.Dir(path)
		if filepath.IsAbs(link) {
			path = link
		} else {
			path = filepath.Join(folder, link)
			parts := strings.Split(filepath.ToSlash(link), "/")
			for i := range parts[:len(parts)-1] {
				out = append(out, filepath.Join(folder, filepath.Join(parts[:i+1]...)))
			}
		}
		out = append(out, path)
	}
	return out
}
