package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

// source writes path and parameters as SQLite's URI.
func source(path string, params url.Values) string {
	p := filepath.ToSlash(path)
	if runtime.GOOS == "windows" && !strings.HasPrefix(p, "/") {
		p = "/" + p // file:///C:/...
	}
	return "file://" + (&url.URL{Path: p}).EscapedPath() + "?" + params.Encode()
}

func writeSource(path string, sync Sync) string {
	return source(path, url.Values{
		"_journal_mode": {"WAL"},
		"_synchronous":  {sync.String()},
		"_busy_timeout": {"10000"},
		"_txlock":       {"immediate"},
		"_mutex":        {"no"}, // one goroutine uses it
	})
}

// readSource is for connections that cannot write.
func readSource(path string, immutable bool) string {
	params := url.Values{
		"mode":             {"ro"},
		"_busy_timeout":    {"10000"},
		"_query_only":      {"1"},
		"_stmt_cache_size": {"16"},
	}
	if immutable {
		params.Set("immutable", "1")
	}
	return source(path, params)
}

// openReaders opens a pool of connections that can only read, and proves that one works.
func openReaders(ctx context.Context, path string) (*sql.DB, error) {
	db, err := openPool(ctx, readSource(path, false))
	var e sqlite3.Error
	if errors.As(err, &e) && (e.Code == sqlite3.ErrCantOpen || e.Code == sqlite3.ErrReadonly) {
		// In a folder that cannot be written SQLite can make no index for the log. Where there is no log that does not
		// matter, and immutable says so.
		if info, serr := os.Stat(path + "-wal"); serr != nil || info.Size() == 0 {
			db, err = openPool(ctx, readSource(path, true))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return db, nil
}

func openPool(ctx context.Context, name string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(2)
	db.SetConnMaxIdleTime(time.Minute)
	var tables int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// openWriter opens the one connection that writes. The file is made for its user alone if it is not there.
func openWriter(path string, sync Sync) (*sqlite3.SQLiteConn, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the ledger's folder: %w", err)
	}
	// Not opened when it is there: closing any descriptor of a file drops the locks that SQLite holds on it.
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, fmt.Errorf("make the ledger: %w", err)
		}
		f.Close()
	}
	conn, err := connect(writeSource(path, sync), sync)
	if err != nil {
		return nil, err
	}
	// The commit that folds the log into the file waits for the disk: four times as seldom as by default.
	if err := execute(conn, "PRAGMA wal_autocheckpoint=4000"); err != nil {
		conn.Close()
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	return conn, nil
}

func connect(name string, sync Sync) (*sqlite3.SQLiteConn, error) {
	c, err := (&sqlite3.SQLiteDriver{}).Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	conn := c.(*sqlite3.SQLiteConn)
	if sync == SyncFull {
		// macOS answers a plain fsync before the disk has the data.
		if err := execute(conn, "PRAGMA fullfsync=1; PRAGMA checkpoint_fullfsync=1"); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// execute runs statements without arguments on a bare connection.
func execute(conn *sqlite3.SQLiteConn, query string) error {
	_, err := conn.ExecContext(context.Background(), query, nil)
	return err
}

// number runs a query that answers one number; NULL is 0.
func number(conn *sqlite3.SQLiteConn, query string) (int64, error) {
	rows, err := conn.QueryContext(context.Background(), query, nil)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	cell := make([]driver.Value, 1)
	if err := rows.Next(cell); err != nil {
		return 0, err
	}
	n, _ := cell[0].(int64)
	return n, nil
}
