package ledger

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/mattn/go-sqlite3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as a Keytray ledger: "KTRY".
const applicationID = 0x4B545259

// steps returns the migrations in order; step i brings the file from version i to i+1.
func steps() ([]string, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	out := make([]string, len(names))
	for i, name := range names {
		if want := fmt.Sprintf("migrations/%04d.sql", i+1); name != want {
			return nil, fmt.Errorf("migration %s should be %s", name, want)
		}
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out[i] = string(text)
	}
	return out, nil
}

// migrate brings the file to this program's version, in one transaction, or says why it cannot.
func migrate(conn *sqlite3.SQLiteConn, path string) error {
	steps, err := steps()
	if err != nil {
		return err
	}
	version, err := checkVersion(func(query string) (int64, error) { return number(conn, query) }, path, len(steps))
	if err != nil {
		return err
	}
	if version == len(steps) {
		return nil
	}
	if err := execute(conn, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("migrate the ledger: %w", err)
	}
	for i := version; i < len(steps); i++ {
		if err := execute(conn, steps[i]); err != nil {
			return rolledBack(conn, fmt.Errorf("migrate the ledger to version %d: %w", i+1, err))
		}
	}
	marks := fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT", applicationID, len(steps))
	if err := execute(conn, marks); err != nil {
		return rolledBack(conn, fmt.Errorf("migrate the ledger to version %d: %w", len(steps), err))
	}
	return nil
}

func rolledBack(conn *sqlite3.SQLiteConn, err error) error {
	if !conn.AutoCommit() {
		execute(conn, "ROLLBACK") // the first error is the one to tell
	}
	return err
}

// checkVersion returns the file's version, and refuses files that a newer Keytray or another program made.
func checkVersion(number func(query string) (int64, error), path string, known int) (int, error) {
	version, err := number("PRAGMA user_version")
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	id, err := number("PRAGMA application_id")
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	tables, err := number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	if id != applicationID && (id != 0 || version != 0 || tables != 0) {
		return 0, fmt.Errorf("%s: %w", path, ErrForeign)
	}
	if version > int64(known) {
		return 0, fmt.Errorf("%s has version %d, this Keytray knows %d: %w", path, version, known, ErrNewer)
	}
	return int(version), nil
}
