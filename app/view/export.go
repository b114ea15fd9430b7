package view

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"keytray/app"
)

// UsageJSON is app.Usage in --json: buckets that never overlap, but for
// reasoning, which is a part of output; and what is billed by other measures.
type UsageJSON struct {
	Input          int64 `json:"input"`
	CacheRead      int64 `json:"cache_read"`
	CacheWrite5m   int64 `json:"cache_write_5m"`
	CacheWrite1h   int64 `json:"cache_write_1h"`
	Output         int64 `json:"output"`
	Reasoning      int64 `json:"reasoning"`
	AudioInput     int64 `json:"audio_input"`
	AudioCacheRead int64 `json:"audio_cache_read"`
	AudioOutput    int64 `json:"audio_output"`
	ImageInput     int64 `json:"image_input"`
	ImageCacheRead int64 `json:"image_cache_read"`
	ImageOutput    int64 `json:"image_output"`
	Searches       int64 `json:"searches"`
	Images         int64 `json:"images"`
	Characters     int64 `json:"characters"` // of text that was spoken
	AudioMS        int64 `json:"audio_ms"`   // of sound that was heard
}

// RowJSON is an attempt in --json. Times are UTC and in milliseconds; an
// unknown cost is null, never 0.
type RowJSON struct {
	ID         int64     `json:"id"`
	RequestID  string    `json:"request_id"`
	Attempt    int       `json:"attempt"`
	Time       time.Time `json:"time"`
	Tool       string    `json:"tool"`
	Inbound    string    `json:"inbound"`
	Asked      string    `json:"asked"`
	Route      string    `json:"route"`
	Role       string    `json:"role"`
	Reason     string    `json:"reason"`
	Provider   string    `json:"provider"`
	Model      string    `json:"model"`
	Key        string    `json:"key"`
	Status     string    `json:"status"`
	HTTPStatus int       `json:"http_status"`
	Error      string    `json:"error"`
	Streamed   bool      `json:"streamed"`
	Usage      UsageJSON `json:"usage"`
	Cost       *string   `json:"cost_usd"`
	CostKind   string    `json:"cost_kind"`
	Saved      *string   `json:"saved_usd"`
	Was        []WasJSON `json:"was"`
	FirstByte  *float64  `json:"first_byte_ms"`
	Duration   *float64  `json:"duration_ms"`
	Lost       []string  `json:"lost"`
}

// WasJSON is what an attempt was said to cost before it was priced anew.
type WasJSON struct {
	Cost     *string   `json:"cost_usd"`
	CostKind string    `json:"cost_kind"`
	Until    time.Time `json:"until"`
}

// NewRowJSON is an attempt as programs read it.
func NewRowJSON(r app.Row) RowJSON {
	x := RowJSON{
		ID: r.ID, RequestID: r.RequestID, Attempt: r.Attempt, Time: r.Time.UTC(), Tool: r.Tool, Inbound: r.Inbound,
		Asked: r.Asked, Route: r.Route, Role: RoleName(r.Role), Reason: r.Reason, Provider: r.Provider, Model: r.Model, Key: r.Key,
		Status: string(r.Status), HTTPStatus: r.HTTPStatus, Error: r.Error, Streamed: r.Streamed,
		Usage: UsageJSON(r.Usage), CostKind: string(r.CostKind), Lost: append([]string{}, r.Lost...),
		Cost: KnownDecimal(r.CostPico), Saved: KnownDecimal(r.SavedPico), Was: []WasJSON{},
	}
	for _, f := range r.Was {
		x.Was = append(x.Was, WasJSON{KnownDecimal(f.CostPico), string(f.CostKind), f.At.UTC()})
	}
	if r.Status == "running" { // nothing of it is settled yet
		x.Cost, x.CostKind = nil, "unpriced"
		return x
	}
	if r.FirstByte >= 0 {
		x.FirstByte = milliseconds(r.FirstByte)
	}
	x.Duration = milliseconds(r.Duration)
	return x
}

// KnownDecimal is an amount, nil if it is not known.
func KnownDecimal(pico *int64) *string {
	if pico == nil {
		return nil
	}
	text := Decimal(*pico)
	return &text
}

func milliseconds(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}

// Object writes one JSON object on one line.
func Object(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// ExportFormats are what Export writes.
func ExportFormats() []string { return []string{"csv", "json"} }

// Export writes calls as CSV or as JSON, one object a line, and returns how
// many there were. all hands each of them to a function.
func Export(w io.Writer, format string, all func(func(app.Row) error) error) (n int, err error) {
	out := bufio.NewWriter(w)
	write, flush := func(r RowJSON) error { return Object(out, r) }, out.Flush
	if format == "csv" {
		table := csv.NewWriter(out)
		if err := table.Write(csvHeader[:]); err != nil {
			return 0, err
		}
		write = func(r RowJSON) error { return table.Write(csvRow(r)) }
		flush = func() error { table.Flush(); return errors.Join(table.Error(), out.Flush()) }
	}
	err = all(func(r app.Row) error {
		n++
		return write(NewRowJSON(r))
	})
	if flushed := flush(); err == nil {
		err = flushed
	}
	return n, err
}

var csvHeader = [...]string{
	"id", "request_id", "attempt", "time", "tool", "inbound", "asked", "route", "role", "reason", "provider", "model", "key",
	"status", "http_status", "error", "streamed", "cost_usd", "cost_kind", "saved_usd", "first_byte_ms", "duration_ms", "lost",
	"input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "audio_input", "audio_cache_read",
	"audio_output", "image_input", "image_cache_read", "image_output", "searches",
	"images", "characters", "audio_ms",
}

func csvRow(r RowJSON) []string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	usd := func(v *string) string {
		if v == nil {
			return ""
		}
		return *v
	}
	ms := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	u := r.Usage
	return []string{
		n(r.ID), cell(r.RequestID), strconv.Itoa(r.Attempt), r.Time.Format(time.RFC3339Nano), cell(r.Tool), cell(r.Inbound), cell(r.Asked),
		cell(r.Route), cell(r.Role), cell(r.Reason), cell(r.Provider), cell(r.Model), cell(r.Key), r.Status, strconv.Itoa(r.HTTPStatus),
		cell(r.Error), strconv.FormatBool(r.Streamed), usd(r.Cost), r.CostKind, usd(r.Saved), ms(r.FirstByte), ms(r.Duration),
		cell(strings.Join(r.Lost, "; ")),
		n(u.Input), n(u.CacheRead), n(u.CacheWrite5m), n(u.CacheWrite1h), n(u.Output), n(u.Reasoning), n(u.AudioInput),
		n(u.AudioCacheRead), n(u.AudioOutput), n(u.ImageInput), n(u.ImageCacheRead), n(u.ImageOutput), n(u.Searches),
		n(u.Images), n(u.Characters), n(u.AudioMS),
	}
}

// cell is text that a spreadsheet takes for text: others chose it, and what
// begins like a formula would be run.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
