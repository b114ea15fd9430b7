package ledger

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"
)

const beginSQL = `INSERT INTO running (id, request, started, grp, inbound, asked, route, role, reason, attempt, streamed, lost,
	price, cost, estimate_input, estimate) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`

const finishSQL = `INSERT INTO attempts (id, request, started, grp, inbound, asked, route, role, reason, attempt, streamed, lost,
	price, status, http_status, error, first_byte, duration, cost, cost_kind, stated, computed, saved, ` + usageColumns + `)
	VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`

// usageColumns are in the order of Usage.counts.
const usageColumns = `input, cache_read, cache_write_5m, cache_write_1h, output, reasoning, audio_input, audio_cache_read,
	audio_output, image_input, image_cache_read, image_output, searches, images, characters, audio_ms`

const usageCounts = 16

// counts lists the usage in the order of usageColumns.
func (u *Usage) counts() [usageCounts]*int64 {
	return [usageCounts]*int64{
		&u.Input, &u.CacheRead, &u.CacheWrite5m, &u.CacheWrite1h, &u.Output, &u.Reasoning,
		&u.AudioInput, &u.AudioCacheRead, &u.AudioOutput,
		&u.ImageInput, &u.ImageCacheRead, &u.ImageOutput, &u.Searches,
		&u.Images, &u.Characters, &u.AudioMS,
	}
}

// group is who called what.
type group struct{ tool, provider, model, key, route, role string }

// appender writes rows on one connection. What it remembers holds while every transaction succeeds: when one fails, the
// connection and its appender are thrown away.
type appender struct {
	beginTx, commitTx                        *statement
	begun, ended, forget                     *statement
	findGroup, addGroup, findPrice, addPrice *statement
	sums                                     *rollup

	groups map[group]int64
	prices map[string]int64
}

func newAppender(conn *sqlite3.SQLiteConn, loc *time.Location) (*appender, error) {
	a := &appender{groups: map[group]int64{}, prices: map[string]int64{}}
	for _, s := range []struct {
		to    **statement
		query string
	}{
		{&a.beginTx, "BEGIN IMMEDIATE"},
		{&a.commitTx, "COMMIT"},
		{&a.begun, beginSQL},
		{&a.ended, finishSQL},
		{&a.forget, "DELETE FROM running WHERE id = ?"},
		{&a.findGroup, "SELECT id FROM groups WHERE tool = ? AND provider = ? AND model = ? AND key = ? AND route = ? AND role = ?"},
		{&a.addGroup, "INSERT INTO groups (tool, provider, model, key, route, role) VALUES (?,?,?,?,?,?)"},
		{&a.findPrice, "SELECT id FROM prices WHERE price = ?"},
		{&a.addPrice, "INSERT INTO prices (price) VALUES (?)"},
	} {
		st, err := prepare(conn, s.query)
		if err != nil {
			return nil, err
		}
		*s.to = st
	}
	sums, err := newRollup(conn, loc)
	if err != nil {
		return nil, err
	}
	a.sums = sums
	return a, nil
}

// close ends the statements: SQLite keeps a connection half open while it has any.
func (a *appender) close() {
	for _, s := range []*statement{
		a.beginTx, a.commitTx, a.begun, a.ended, a.forget, a.findGroup, a.addGroup, a.findPrice, a.addPrice,
		a.sums.load, a.sums.store, a.sums.span, a.sums.next,
	} {
		s.stmt.Close()
	}
}

// begin records a row as running.
func (a *appender) begin(r *Row) error {
	grp, price, err := a.names(r)
	if err != nil {
		return err
	}
	s := a.begun
	if err := putHead(s, r, grp, price); err != nil {
		return err
	}
	s.optional(r.CostPico)
	s.int(r.EstimateInput)
	s.optional(r.EstimatePico)
	_, err = s.exec()
	return err
}

// finish records how a row ended and counts it. inFile says that its begin may have been recorded.
func (a *appender) finish(r *Row, inFile bool) error {
	grp, price, err := a.names(r)
	if err != nil {
		return err
	}
	s := a.ended
	if err := putHead(s, r, grp, price); err != nil {
		return err
	}
	s.text(string(r.Status))
	s.int(int64(r.HTTPStatus))
	s.text(r.Error)
	if r.FirstByte < 0 {
		s.put(nil)
	} else {
		s.int(r.FirstByte.Microseconds())
	}
	s.int(r.Duration.Microseconds())
	s.optional(r.CostPico)
	s.text(string(r.CostKind))
	s.optional(r.StatedPico)
	s.optional(r.ComputedPico)
	s.optional(r.SavedPico)
	for _, n := range r.Usage.counts() {
		s.int(*n)
	}
	if _, err := s.exec(); err != nil {
		return err
	}
	if inFile {
		a.forget.int(r.ID)
		if _, err := a.forget.exec(); err != nil {
			return err
		}
	}
	return a.sums.add(r, grp)
}

// putHead puts what begin and finish have in common.
func putHead(s *statement, r *Row, grp int64, price *int64) error {
	s.n = 0
	s.int(r.ID)
	s.text(r.RequestID)
	s.int(r.Time.UnixMicro())
	s.int(grp)
	s.text(r.Inbound)
	s.text(r.Asked)
	s.text(r.Route)
	s.text(string(r.Role))
	s.text(r.Reason)
	s.int(int64(r.Attempt))
	s.bool(r.Streamed)
	lost := ""
	if len(r.Lost) > 0 {
		text, err := json.Marshal(r.Lost)
		if err != nil {
			return err
		}
		lost = string(text)
	}
	s.text(lost)
	s.optional(price)
	return nil
}

// names returns the ids of the row's group and price, which are made if they are new.
func (a *appender) names(r *Row) (grp int64, price *int64, err error) {
	g := group{r.Tool, r.Provider, r.Model, r.Key, r.Route, string(r.Role)}
	grp, known := a.groups[g]
	if !known {
		if grp, err = find(a.findGroup, a.addGroup, g.tool, g.provider, g.model, g.key, g.route, g.role); err != nil {
			return 0, nil, fmt.Errorf("name the group: %w", err)
		}
		remember(a.groups, g, grp)
	}
	if r.Price == "" {
		return grp, nil, nil
	}
	id, known := a.prices[r.Price]
	if !known {
		if id, err = find(a.findPrice, a.addPrice, r.Price); err != nil {
			return 0, nil, fmt.Errorf("keep the price: %w", err)
		}
		remember(a.prices, r.Price, id)
	}
	return grp, &id, nil
}

// remember keeps a map from growing with names that a caller invents.
func remember[K comparable](m map[K]int64, k K, id int64) {
	if len(m) >= 4096 {
		clear(m)
	}
	m[k] = id
}

func find(find, add *statement, names ...string) (int64, error) {
	for _, name := range names {
		find.text(name)
	}
	cell := make([]driver.Value, 1)
	ok, err := find.one(cell)
	if err != nil {
		return 0, err
	}
	if ok {
		return cell[0].(int64), nil
	}
	for _, name := range names {
		add.text(name)
	}
	res, err := add.exec()
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}
