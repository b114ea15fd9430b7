package proxytest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, held, err := tryLock(path); !held || err != nil {
		t.Fatalf("a second lock: held %v, %v", held, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting without time: %v", err)
	}
	unlock()
	again, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

// TestBuildOllamaMissing: no compiler is something that the machine lacks, and the error says what to
// install.
func TestBuildOllamaMissing(t *testing.T) {
	t.Setenv("KEYTRAY_TEST_CACHE", t.TempDir())
	t.Setenv("CXX", filepath.Join(t.TempDir(), "no-compiler"))
	_, err := BuildOllama(t.Context())
	if !errors.Is(err, ErrMissing) {
		t.Fatalf("error %v", err)
	}
	t.Log(err)
}
