package ledger

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// statement is a prepared statement with its arguments, used over and over by one goroutine. It goes around
// database/sql, whose locks and conversions cost more than the rows that are written.
type statement struct {
	stmt *sqlite3.SQLiteStmt
	args []driver.NamedValue
	n    int
}

func prepare(conn *sqlite3.SQLiteConn, query string) (*statement, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", strings.Join(strings.Fields(query), " "), err)
	}
	s := &statement{stmt: stmt.(*sqlite3.SQLiteStmt)}
	s.args = make([]driver.NamedValue, s.stmt.NumInput())
	for i := range s.args {
		s.args[i].Ordinal = i + 1
	}
	return s, nil
}

func (s *statement) put(v driver.Value) {
	s.args[s.n].Value = v
	s.n++
}

func (s *statement) int(v int64)   { s.put(v) }
func (s *statement) text(v string) { s.put(v) }

func (s *statement) bool(v bool) {
	if v {
		s.put(int64(1))
	} else {
		s.put(int64(0))
	}
}

func (s *statement) optional(v *int64) {
	if v == nil {
		s.put(nil)
	} else {
		s.put(*v)
	}
}

// exec runs the statement with the arguments put since the last run.
func (s *statement) exec() (driver.Result, error) {
	s.n = 0
	return s.stmt.ExecContext(context.Background(), s.args)
}

// one fetches the first answer into cells, and reports whether there was one.
func (s *statement) one(cells []driver.Value) (bool, error) {
	s.n = 0
	rows, err := s.stmt.QueryContext(context.Background(), s.args)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	switch err := rows.Next(cells); err {
	case nil:
		return true, nil
	case io.EOF:
		return false, nil
	default:
		return false, err
	}
}
