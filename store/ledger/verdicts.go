package ledger

import (
	"context"
	"fmt"
)

// Verdict sums what judges said of a model's answers to a kind of task.
type Verdict struct {
	Model string // provider/model
	Task  string
	Calls int64
	Score float64 // the sum of scores from 0 to 1
}

// AddVerdict counts a verdict. It hands it to the writer and does not wait.
func (l *Ledger) AddVerdict(v Verdict) {
	if l.opt.ReadOnly || l.counts.Load() { // a verdict names a model
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.push(op{extra: func(w *writer) error {
			_, err := w.change(`INSERT INTO verdicts (model, task, calls, score) VALUES (?,?,?,?)
				ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, score = score + excluded.score`, v.Model, v.Task, v.Calls, v.Score)
			return err
		}})
	}
}

// Verdicts are all that was counted.
func (l *Ledger) Verdicts(ctx context.Context) ([]Verdict, error) {
	db, err := l.reader()
	if db == nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, "SELECT model, task, calls, score FROM verdicts")
	if err != nil {
		return nil, l.readError(fmt.Errorf("read the verdicts: %w", err))
	}
	defer rows.Close()
	var all []Verdict
	for rows.Next() {
		var v Verdict
		if err := rows.Scan(&v.Model, &v.Task, &v.Calls, &v.Score); err != nil {
			return nil, l.readError(fmt.Errorf("read the verdicts: %w", err))
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
