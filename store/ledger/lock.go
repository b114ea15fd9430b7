package ledger

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"
)

// lock makes this process the ledger's only writer until the returned connection is closed or the process ends, however
// it ends. It is an open exclusive transaction on an empty database beside the ledger: SQLite's own file locks, which
// work alike on every system and between connections of one process.
func lock(path string) (*sqlite3.SQLiteConn, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the ledger's folder: %w", err)
	}
	name := source(path+".lock", url.Values{"_busy_timeout": {"0"}})
	conn, err := connect(name, SyncNormal)
	if err != nil {
		return nil, lockError(path, err)
	}
	if err := execute(conn, "BEGIN EXCLUSIVE"); err != nil {
		conn.Close()
		return nil, lockError(path, err)
	}
	return conn, nil
}

func lockError(path string, err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked) {
		return fmt.Errorf("%s: %w", path, ErrInUse)
	}
	return fmt.Errorf("lock the ledger: %w", err)
}
