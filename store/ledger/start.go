package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/mattn/go-sqlite3"
)

// open connects for the first time. What time may heal (a full disk, a folder that cannot be written) is no error: the
// writer goes on without a file and tries again with the first row.
func (w *writer) open(ctx context.Context) error {
	w.ending = map[int64]bool{}
	err := w.connect(ctx)
	if damaged(err) {
		err = w.replace(err)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrInUse) || errors.Is(err, ErrNewer) || errors.Is(err, ErrForeign) || ctx.Err() != nil {
		w.close(0, nil)
		return err
	}
	// Without the file's last id a new row could take the number of an old one.
	if err := w.lookOnly(ctx); err != nil {
		w.close(0, nil)
		return err
	}
	w.l.troubled(nil, err)
	return nil
}

// lookOnly reads what there is when nothing can be written.
func (w *writer) lookOnly(ctx context.Context) error {
	if info, err := os.Stat(w.l.path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	db, err := openReaders(ctx, w.l.path)
	if err != nil {
		return err
	}
	if err := checkReadable(ctx, db, w.l.path); err != nil {
		db.Close()
		if errors.Is(err, ErrOlder) {
			return nil // made, but the disk had no room for the tables
		}
		return err
	}
	var last int64
	if err := db.QueryRowContext(ctx, lastIDSQL).Scan(&last); err != nil {
		db.Close()
		return fmt.Errorf("read %s: %w", w.l.path, err)
	}
	w.l.next = last + 1
	w.l.readers(db)
	w.looking = true
	return nil
}

const lastIDSQL = `SELECT max(coalesce((SELECT max(id) FROM attempts), 0), coalesce((SELECT max(id) FROM running), 0),
	coalesce((SELECT value FROM state WHERE name = 'last'), 0))`

// connect opens the file for writing and makes it ready: locked, up to date, with no row left running by another process.
func (w *writer) connect(ctx context.Context) (err error) {
	if w.owner == nil {
		if w.owner, err = lock(w.l.path); err != nil {
			return err
		}
	}
	if err := look(w.l.path); err != nil {
		return err
	}
	if w.looking {
		// A process has one index of the log for all its connections. While those that read hold one that they could not
		// open for writing, nothing can be written, even if the files have become writable.
		w.l.readers(nil)
		defer w.lookAgain(ctx)
	}
	conn, err := openWriter(w.l.path, w.l.opt.Sync)
	if err != nil {
		return err
	}
	if err := w.ready(ctx, conn); err != nil {
		if w.append != nil {
			w.append.close()
			w.append = nil
		}
		w.conn = nil
		conn.Close()
		return err
	}
	return nil
}

// lookAgain reads what there is after all, if connect has left nothing to read with.
func (w *writer) lookAgain(ctx context.Context) {
	if w.l.read.Load() != nil {
		return
	}
	if db, err := openReaders(ctx, w.l.path); err == nil {
		w.l.readers(db)
	}
}

// look refuses a file that is not ours to write before a writing connection changes its log mode. Other errors are left to
// that connection.
func look(path string) error {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil
	}
	conn, err := connect(readSource(path, false), SyncNormal)
	if err != nil {
		return nil
	}
	defer conn.Close()
	steps, err := steps()
	if err != nil {
		return err
	}
	_, err = checkVersion(func(query string) (int64, error) { return number(conn, query) }, path, len(steps))
	if errors.Is(err, ErrForeign) || errors.Is(err, ErrNewer) {
		return err
	}
	return nil
}

func (w *writer) ready(ctx context.Context, conn *sqlite3.SQLiteConn) error {
	run := func(query string) error { return execute(conn, query) }
	if w.l.opt.prepare != nil {
		if err := w.l.opt.prepare(run); err != nil {
			return err
		}
	}
	if err := migrate(conn, w.l.path); err != nil {
		return err
	}
	last, err := number(conn, lastIDSQL)
	if err != nil {
		return fmt.Errorf("read %s: %w", w.l.path, err)
	}
	w.l.mu.Lock()
	w.l.next = max(w.l.next, last+1)
	w.l.mu.Unlock()
	clean, err := number(conn, "SELECT value FROM state WHERE name = 'clean'")
	if err != nil {
		return fmt.Errorf("read %s: %w", w.l.path, err)
	}
	checked, err := number(conn, "SELECT value FROM state WHERE name = 'checked'")
	if err != nil {
		return fmt.Errorf("read %s: %w", w.l.path, err)
	}
	if w.append, err = newAppender(conn, w.l.opt.Location); err != nil {
		return err
	}
	if err := execute(conn, "UPDATE state SET value = 0 WHERE name = 'clean'"); err != nil {
		return fmt.Errorf("write %s: %w", w.l.path, err)
	}
	if w.l.read.Load() == nil || w.looking {
		db, err := openReaders(ctx, w.l.path)
		if err != nil {
			return err
		}
		w.l.readers(db)
		w.looking = false
	}
	w.conn = conn
	if !w.swept {
		if err := w.sweep(ctx); err != nil {
			return err
		}
		w.swept = true
		if w.worthChecking(clean == 1, time.Unix(checked, 0)) {
			w.startCheck()
		}
	}
	return nil
}

// sweep marks what an earlier process left running.
func (w *writer) sweep(ctx context.Context) error {
	var ops []op
	err := w.l.Each(ctx, Filter{Status: StatusRunning}, func(r Row) error {
		r.interrupt()
		r.normalise(time.Now)
		ops = append(ops, op{row: r, ended: true})
		return nil
	})
	if err != nil {
		return err
	}
	if len(ops) == 0 {
		return nil
	}
	if _, err := w.transact(ops); err != nil {
		return fmt.Errorf("mark interrupted rows: %w", err)
	}
	w.l.note(Notice{
		Kind: NoticeInterrupted,
		Text: fmt.Sprintf("Keytray stopped while %s: marked interrupted, with an estimate where there is one", calls(len(ops))),
		Rows: len(ops),
	})
	return nil
}

// sayClean notes an orderly end.
func (w *writer) sayClean() error {
	return execute(w.conn, "UPDATE state SET value = 1 WHERE name = 'clean'")
}

func calls(n int) string {
	if n == 1 {
		return "1 call was running"
	}
	return fmt.Sprintf("%d calls were running", n)
}
