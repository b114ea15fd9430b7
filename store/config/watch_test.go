package config

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// notice is what a subscriber was told.
type notice struct {
	active  string
	problem string
}

// watched opens a store that watches, and returns what its subscriber hears.
func watched(t *testing.T, path string, quiet time.Duration) (*Store, <-chan notice) {
	t.Helper()
	s := at(t, path, Options{Watch: true, Quiet: quiet})
	heard := make(chan notice, 100)
	s.Subscribe(func(c *Config, p Problems) { heard <- notice{c.Active, p.Error()} })
	return s, heard
}

func next(t *testing.T, heard <-chan notice) notice {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case n := <-heard:
		return n
	case <-ctx.Done():
		t.Fatal("nothing was heard")
		return notice{}
	}
}

// until skips notices on the way to a state that must come.
func until(t *testing.T, heard <-chan notice, is func(notice) bool) []notice {
	t.Helper()
	var way []notice
	for {
		n := next(t, heard)
		way = append(way, n)
		if is(n) {
			return way
		}
	}
}

func good(active string) func(notice) bool {
	return func(n notice) bool { return n == notice{active, ""} }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestWatchEditors changes the file as editors do. No editor's way may show the defaults in between.
func TestWatchEditors(t *testing.T) {
	for name, save := range map[string]func(t *testing.T, path, text string){
		"truncate and write": func(t *testing.T, path, text string) { write(t, path, text) },
		"truncate, then write in pieces": func(t *testing.T, path, text string) {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
			must(t, err)
			for _, b := range []byte(text) {
				_, err := f.Write([]byte{b})
				must(t, err)
			}
			must(t, f.Close())
		},
		"rename over": func(t *testing.T, path, text string) {
			write(t, path+".tmp", text)
			must(t, os.Rename(path+".tmp", path))
		},
		"backup by rename, as vim": func(t *testing.T, path, text string) {
			write(t, filepath.Join(filepath.Dir(path), "4913"), "")
			must(t, os.Remove(filepath.Join(filepath.Dir(path), "4913")))
			must(t, os.Rename(path, path+"~"))
			write(t, path, text)
			must(t, os.Remove(path+"~"))
		},
		"backup by link": func(t *testing.T, path, text string) {
			must(t, os.Link(path, path+"~"))
			write(t, path+".tmp", text)
			must(t, os.Rename(path+".tmp", path))
			must(t, os.Remove(path+"~"))
		},
		"remove and write": func(t *testing.T, path, text string) {
			must(t, os.Remove(path))
			write(t, path, text)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.yaml")
			write(t, path, "active: a\n")
			s, heard := watched(t, path, 20*time.Millisecond)
			for _, active := range []string{"b", "c", "d"} {
				save(t, path, "# a comment that makes it longer\nactive: "+active+"\n")
				if way := until(t, heard, good(active)); len(way) != 1 {
					t.Errorf("heard %v", way)
				}
			}
			if s.Current().Active != "d" {
				t.Errorf("got %+v", s.Current())
			}
		})
	}
}

// TestWatchBadEdit keeps what was good and says what is wrong until it is put right.
func TestWatchBadEdit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "active: a\n")
	s, heard := watched(t, path, time.Millisecond)
	write(t, path, "active: b\nlistne: x\n")
	if n := next(t, heard); n.active != "a" || n.problem != path+":2:1: listne: is not a setting; did you mean listen?" {
		t.Errorf("heard %+v", n)
	}
	write(t, path, "active: b\n  x: y\n")
	if n := next(t, heard); n.active != "a" || !strings.Contains(n.problem, "is not YAML") {
		t.Errorf("heard %+v", n)
	}
	if s.Current().Active != "a" || len(s.Problems()) != 1 {
		t.Errorf("got %+v, %v", s.Current(), s.Problems())
	}
	write(t, path, "active: a\n")
	if n := next(t, heard); !good("a")(n) {
		t.Errorf("heard %+v", n)
	}
}

// TestWatchFolder follows the file through the loss of its folder and of the one above.
func TestWatchFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "one", "two", "config.yaml")
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	write(t, path, "active: a\n")
	_, heard := watched(t, path, time.Millisecond)
	must(t, os.RemoveAll(filepath.Join(dir, "one")))
	if n := next(t, heard); n.active != "a" || !strings.Contains(n.problem, "is gone") {
		t.Errorf("heard %+v", n)
	}
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	write(t, path, "active: b\n")
	until(t, heard, good("b"))
	must(t, os.Rename(filepath.Dir(path), filepath.Join(dir, "aside")))
	if n := next(t, heard); n.active != "b" || !strings.Contains(n.problem, "is gone") {
		t.Errorf("heard %+v", n)
	}
	write(t, filepath.Join(dir, "aside", "config.yaml"), "active: c\n")
	must(t, os.Rename(filepath.Join(dir, "aside"), filepath.Dir(path)))
	until(t, heard, good("c"))
	write(t, path, "active: d\n")
	until(t, heard, good("d"))
}

// TestWatchLinks follows a file that is a link into a folder that is switched as a whole.
func TestWatchLinks(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	for _, version := range []string{"v1", "v2"} {
		must(t, os.MkdirAll(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "c.yaml"), "active: "+version+"\n")
	}
	must(t, os.Mkdir(home, 0o700))
	link(t, "v1", filepath.Join(dir, "now"))
	path := filepath.Join(home, "config.yaml")
	link(t, filepath.Join("..", "now", "c.yaml"), path)
	s, heard := watched(t, path, time.Millisecond)
	if s.Current().Active != "v1" {
		t.Fatalf("got %+v", s.Current())
	}
	write(t, filepath.Join(dir, "v1", "c.yaml"), "active: v1b\n")
	until(t, heard, good("v1b"))
	link(t, "v2", filepath.Join(dir, "new"))
	must(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "now")))
	until(t, heard, good("v2"))
	write(t, filepath.Join(dir, "v2", "c.yaml"), "active: v2b\n")
	until(t, heard, good("v2b"))
	must(t, os.Remove(path))
	write(t, path, "active: own\n")
	until(t, heard, good("own"))
}

// TestWatchOwnEdit tells of an edit once, though the watcher sees it too.
func TestWatchOwnEdit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	s, heard := watched(t, path, time.Millisecond)
	must(t, s.Edit(setActive("lab")))
	must(t, s.Edit(setActive("x")))
	write(t, path, "active: last\n")
	way := until(t, heard, good("last"))
	if want := []notice{{"lab", ""}, {"x", ""}, {"last", ""}}; !slices.Equal(way, want) {
		t.Errorf("heard %v", way)
	}
}

// TestWatchOther wakes for nobody else's file in the same folder.
func TestWatchOther(t *testing.T) {
	f := &folders{path: "/k/config.yaml", add: func(string) error { return nil }, remove: func(string) error { return nil }, list: func() []string { return nil }}
	must(t, f.follow())
	for name, want := range map[string]bool{
		"/k/config.yaml": true, "/k": true, "/k/ledger.db-wal": false, "/k/config.yaml.good": false, "/k/config.yaml.lock": false,
	} {
		if f.ours(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// TestWatchMadeMeanwhile ends at the folder itself though it came to be while the one above was being watched.
func TestWatchMadeMeanwhile(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "a", "b")
	watching := map[string]bool{}
	f := &folders{
		path: filepath.Join(folder, "config.yaml"),
		add: func(path string) error {
			if path == dir {
				must(t, os.MkdirAll(folder, 0o700))
			}
			_, err := os.Stat(path)
			watching[path] = err == nil
			return err
		},
		remove: func(path string) error { delete(watching, path); return nil },
		list: func() []string {
			var all []string
			for path, yes := range watching {
				if yes {
					all = append(all, path)
				}
			}
			return all
		},
	}
	must(t, f.follow())
	if !watching[folder] || watching[dir] || watching[filepath.Dir(folder)] {
		t.Errorf("watching %v", watching)
	}
}

func TestCloseTwice(t *testing.T) {
	s := opened(t, "active: a\n", Options{Watch: true})
	must(t, s.Close())
	must(t, s.Close())
	if s.Current().Active != "a" {
		t.Errorf("got %+v", s.Current())
	}
}
