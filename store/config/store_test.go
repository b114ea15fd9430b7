package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// opened opens a store on a file with that text; without text there is no file yet.
func opened(t *testing.T, text string, o Options) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keytray", "config.yaml")
	if text != "" {
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	return at(t, path, o)
}

func at(t *testing.T, path string, o Options) *Store {
	t.Helper()
	s := Open(path, o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func setActive(to string) func(*Edit) error {
	return func(e *Edit) error { return e.SetActive(to) }
}

func TestFirstStart(t *testing.T) {
	s := opened(t, "", Options{})
	if p := s.Problems(); p != nil || s.Current().Listen != DefaultListen || s.Current().Active != ActiveAuto {
		t.Fatalf("got %+v, %v", s.Current(), p)
	}
	if read(t, s.Path()) != first {
		t.Error("the first file is another")
	}
	for path, want := range map[string]os.FileMode{s.Path(): 0o600, filepath.Dir(s.Path()): 0o700} {
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestStartWithoutFolder(t *testing.T) {
	s := at(t, filepath.Join(readOnly(t), "keytray", "config.yaml"), Options{})
	if s.Current().Active != ActiveAuto || len(s.Problems()) != 1 {
		t.Fatalf("got %+v, %v", s.Current(), s.Problems())
	}
	if !s.Bare() || s.Safe() {
		t.Errorf("bare: %v, safe: %v", s.Bare(), s.Safe())
	}
	if m := s.Problems().Error(); !strings.Contains(m, "cannot make the folder") || !strings.Contains(m, "set KEYTRAY_HOME") {
		t.Error(m)
	}
	if err := s.Edit(setActive("lab")); err == nil || !strings.Contains(err.Error(), "cannot make the folder") {
		t.Errorf("edit: %v", err)
	}
}

// TestBrokenAtStart runs on the last good version, and offline where there never was one.
func TestBrokenAtStart(t *testing.T) {
	s := opened(t, "active: [", Options{})
	if s.Current().Active != ActiveOffline || len(s.Problems()) != 1 || s.Problems()[0].Line != 1 {
		t.Fatalf("got %+v, %v", s.Current(), s.Problems())
	}
	write(t, s.Path(), "active: lab\nbudget: {day: 5}\n")
	if err := s.Reload(); err != nil || s.Problems() != nil || s.Current().Active != "lab" {
		t.Fatalf("got %+v, %v", s.Current(), err)
	}
	write(t, s.Path(), "active: [")
	again := at(t, s.Path(), Options{})
	if len(again.Problems()) != 1 || again.Current().Active != "lab" || *again.Current().Budget.Day != 5e12 {
		t.Fatalf("got %+v, %v", again.Current(), again.Problems())
	}
	// A version that can no longer be used is no refuge.
	never := at(t, s.Path(), Options{Check: func(*Config) error { return errors.New("no") }})
	if never.Bare() || s.Bare() || again.Bare() {
		t.Error("settings of a file that exists are called bare")
	}
	if !never.Safe() || s.Safe() {
		t.Errorf("safe: %v without a good version, %v at first without one and then with", never.Safe(), s.Safe())
	}
	if never.Current().Active != ActiveOffline {
		t.Errorf("got %+v", never.Current())
	}
}

func TestNotAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	s := at(t, path, Options{})
	if m := s.Problems().Error(); !strings.Contains(m, "is not a file") {
		t.Error(m)
	}
	if err := s.Edit(setActive("lab")); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("edit: %v", err)
	}
}

func TestEdit(t *testing.T) {
	s := opened(t, "# mine\nactive: auto # x\n", Options{})
	if err := os.Chmod(s.Path(), 0o640); err != nil {
		t.Fatal(err)
	}
	var told []string
	cancel := s.Subscribe(func(c *Config, p Problems) { told = append(told, fmt.Sprint(c.Active, p)) })
	if err := s.Edit(setActive("lab")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s.Path()); got != "# mine\nactive: lab # x\n" || s.Current().Active != "lab" {
		t.Errorf("got %q and %+v", got, s.Current())
	}
	if info, err := os.Stat(s.Path()); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// Nothing to change, nothing written, nobody told.
	if err := s.Edit(setActive("lab")); err != nil {
		t.Fatal(err)
	}
	// What a person wrote since is seen first.
	write(t, s.Path(), "# theirs\nactive: auto\nlisten: 127.0.0.1:1\n")
	if err := s.Edit(func(e *Edit) error {
		if e.Config().Listen != "127.0.0.1:1" {
			t.Errorf("edit sees %+v", e.Config())
		}
		return e.SetActive("x")
	}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s.Path()); got != "# theirs\nactive: x\nlisten: 127.0.0.1:1\n" {
		t.Errorf("got %q", got)
	}
	cancel()
	if err := s.Edit(setActive("y")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(told); got != "[lab auto x]" {
		t.Errorf("told %s", got)
	}
	entries, err := os.ReadDir(filepath.Dir(s.Path()))
	if err != nil || len(entries) != 2 { // config.yaml and config.yaml.good
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestEditRefuses(t *testing.T) {
	mine := errors.New("changed my mind")
	s := opened(t, "active: auto\n", Options{Check: func(c *Config) error {
		if _, ok := c.Route("ghost"); ok {
			return fmt.Errorf("building routes: %w", Problem{Path: "routes.ghost", Message: "names no known model", Hint: "did you mean host?"})
		}
		return nil
	}})
	for _, c := range []struct {
		do   func(*Edit) error
		want string
	}{
		{func(e *Edit) error { return e.SetListen("0.0.0.0:1") }, "config.yaml:2:9: listen: can be reached from other machines"},
		{func(e *Edit) error { return e.SetProvider(Provider{ID: "Not Good"}) }, "is not a good provider id"},
		{func(e *Edit) error { return e.SetRoute(Route{Name: "ghost", Target: Target{Model: "x"}}) }, "config.yaml:2:17: routes.ghost: names no known model; did you mean host?"},
		{func(*Edit) error { return mine }, "changed my mind"},
	} {
		err := s.Edit(c.do)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
		if got := read(t, s.Path()); got != "active: auto\n" || s.Problems() != nil || s.Current().Active != ActiveAuto {
			t.Errorf("%s: file %q, %+v, %v", c.want, got, s.Current(), s.Problems())
		}
	}
	if err := s.Edit(func(*Edit) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("got %v", err)
	}
}

// TestEditOfBroken never writes over what a person is in the middle of.
func TestEditOfBroken(t *testing.T) {
	s := opened(t, "active: auto\n", Options{})
	write(t, s.Path(), "active: auto\nlistn: x\n")
	err := s.Edit(setActive("lab"))
	var p Problem
	if !errors.As(err, &p) || p.Line != 2 || !strings.Contains(err.Error(), "correct it first") {
		t.Errorf("got %v", err)
	}
	if got := read(t, s.Path()); got != "active: auto\nlistn: x\n" || s.Current().Active != ActiveAuto {
		t.Errorf("got %q", got)
	}
}

// TestEditMeanwhile loses neither its own change nor one that a person saves at the same moment.
func TestEditMeanwhile(t *testing.T) {
	s := opened(t, "active: auto\n", Options{})
	tries := 0
	err := s.Edit(func(e *Edit) error {
		if tries++; tries == 1 {
			write(t, s.Path(), "# saved meanwhile\nactive: auto\n")
		}
		return e.SetActive("lab")
	})
	if got := read(t, s.Path()); err != nil || tries != 2 || got != "# saved meanwhile\nactive: lab\n" {
		t.Errorf("got %q, %v after %d tries", got, err, tries)
	}
	err = s.Edit(func(e *Edit) error {
		tries++
		write(t, s.Path(), fmt.Sprintf("# %d\nactive: auto\n", tries))
		return e.SetActive("x")
	})
	if err == nil || !strings.Contains(err.Error(), "was changed by someone else at the same moment; try again") {
		t.Errorf("got %v", err)
	}
}

// TestLoadUnsure leaves a file alone that an editor may be about to write.
func TestLoadUnsure(t *testing.T) {
	s := opened(t, "active: lab\n", Options{})
	for _, c := range []struct {
		spoil   func()
		active  string
		problem bool
	}{
		{func() { write(t, s.Path(), "") }, ActiveAuto, false},
		{func() { must(t, os.Remove(s.Path())) }, "lab", true},
	} {
		write(t, s.Path(), "active: lab\n")
		s.load(true)
		c.spoil()
		if s.load(false) || s.Current().Active != "lab" || s.Problems() != nil {
			t.Errorf("unsure: got %+v, %v", s.Current(), s.Problems())
		}
		if !s.load(true) || s.Current().Active != c.active || (s.Problems() != nil) != c.problem {
			t.Errorf("sure: got %+v, %v", s.Current(), s.Problems())
		}
	}
}

func TestEditOfGone(t *testing.T) {
	s := opened(t, "# mine\nactive: auto\n", Options{})
	if err := os.RemoveAll(filepath.Dir(s.Path())); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("reload: %v", err)
	}
	if err := s.Edit(setActive("lab")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s.Path()); got != "# mine\nactive: lab\n" || s.Problems() != nil {
		t.Errorf("got %q, %v", got, s.Problems())
	}
}

func TestEditOfReadOnly(t *testing.T) {
	s := opened(t, "active: auto\n", Options{})
	if err := os.Chmod(s.Path(), 0o400); err != nil {
		t.Fatal(err)
	}
	if err := s.Edit(setActive("lab")); err == nil || !strings.Contains(err.Error(), "is read-only; allow writing to it") {
		t.Errorf("got %v", err)
	}
	if s.Current().Active != ActiveAuto || read(t, s.Path()) != "active: auto\n" {
		t.Errorf("got %+v", s.Current())
	}
}

func TestEditOfLink(t *testing.T) {
	dir := t.TempDir()
	dots := filepath.Join(dir, "dots.yaml")
	write(t, dots, "active: auto\n")
	path := filepath.Join(dir, "config.yaml")
	link(t, "dots.yaml", path)
	s := at(t, path, Options{})
	if err := s.Edit(setActive("lab")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(path); err != nil || got != "dots.yaml" || read(t, dots) != "active: lab\n" {
		t.Errorf("link %q, %v; file %q", got, err, read(t, dots))
	}
	// A link to nothing is made good by the next edit.
	if err := os.Remove(dots); err != nil {
		t.Fatal(err)
	}
	if err := s.Edit(setActive("x")); err != nil || read(t, dots) != "active: x\n" {
		t.Errorf("got %v", err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		if runtime.GOOS == "windows" {
			t.Skip("links need a privilege here")
		}
		t.Fatal(err)
	}
}

// TestManyEditors has stores of one file, as processes have, count together; none may lose another's step.
func TestManyEditors(t *testing.T) {
	const stores, steps = 4, 8
	one := opened(t, "budget: {day: 0}\n", Options{})
	var all sync.WaitGroup
	for range stores {
		s := at(t, one.Path(), Options{Watch: true, Quiet: time.Millisecond})
		for range 2 {
			all.Go(func() {
				for range steps / 2 {
					if err := s.Edit(func(e *Edit) error {
						return e.SetBudget(Budget{Day: usd(*e.Config().Budget.Day + 1e12)})
					}); err != nil {
						t.Error(err)
					}
					_, _ = s.Current(), s.Problems()
				}
			})
		}
	}
	all.Wait()
	if got := read(t, one.Path()); got != fmt.Sprintf("budget: {day: %d}\n", stores*steps) {
		t.Errorf("got %q", got)
	}
}

// TestStaleLock outlives a process that died while it was editing.
func TestStaleLock(t *testing.T) {
	s := opened(t, "active: auto\n", Options{})
	lock := s.Path() + ".lock"
	write(t, lock, "")
	old := time.Now().Add(-2 * editStale)
	if err := os.Chtimes(lock, old, old); err != nil {
		t.Fatal(err)
	}
	if err := s.Edit(setActive("lab")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(lock); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock stays: %v", err)
	}
}

// TestCheckLines gives the app's problems their lines, several at once.
func TestCheckLines(t *testing.T) {
	s := opened(t, "active: ghost\nroutes:\n  a.b: {fallback: [x, ghost/y]}\n", Options{Check: func(c *Config) error {
		return Problems{
			{Path: "active", Message: "no such provider"},
			{Path: "routes.a.b.fallback[1]", Message: "no such provider"},
			{Path: "nowhere", Message: "odd"},
			{Message: "bad"},
		}
	}})
	want := "1:9: active: no such provider|3:23: routes.a.b.fallback[1]: no such provider| nowhere: odd| bad"
	got := strings.ReplaceAll(strings.ReplaceAll(s.Problems().Error(), s.Path()+":", ""), "\n", "|")
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s.Current().Active != ActiveOffline {
		t.Errorf("got %+v", s.Current())
	}
}

func TestTryWritesNothing(t *testing.T) {
	s := opened(t, "active: auto # x\n", Options{})
	if err := s.Try(setActive("offline")); err != nil || s.Current().Active != ActiveAuto || read(t, s.Path()) != "active: auto # x\n" {
		t.Errorf("%v, active is %s", err, s.Current().Active)
	}
	if err := s.Try(setActive("a b")); err == nil {
		t.Error("a mistake passes")
	}
}
