package ledger

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestPutAsideAllOrNone: a log is not parted from its file where that cannot be moved, since somebody reads it.
func TestPutAsideAllOrNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	for _, part := range []string{"", "-wal", "-shm"} {
		if err := os.WriteFile(path+part, []byte("part"+part), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := putAside(path, time.Now()); err == nil {
		t.Fatalf("kept as %s while it is open", kept)
	}
	for _, part := range []string{"", "-wal", "-shm"} {
		if b, err := os.ReadFile(path + part); err != nil || string(b) != "part"+part {
			t.Errorf("%s: %q, %v", part, b, err)
		}
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	kept, err := putAside(path, time.Now())
	if b, readErr := os.ReadFile(kept + "-wal"); err != nil || readErr != nil || string(b) != "part-wal" {
		t.Errorf("%s: %q, %v, %v", kept, b, err, readErr)
	}
}
