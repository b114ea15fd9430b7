package cli

import (
	"slices"
	"time"

	"keytray/app"
	"keytray/app/view"
)

// usageJSON is app.Usage in --json: buckets that never overlap, but for
// reasoning, which is a part of output; and what is billed by other measures.
type usageJSON struct {
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

// rowJSON is an attempt in --json. Times are UTC and in milliseconds; an
// unknown cost is null, never 0.
type rowJSON struct {
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
	Usage      usageJSON `json:"usage"`
	Cost       *string   `json:"cost_usd"`
	CostKind   string    `json:"cost_kind"`
	Saved      *string   `json:"saved_usd"`
	Was        []wasJSON `json:"was"`
	FirstByte  *float64  `json:"first_byte_ms"`
	Duration   *float64  `json:"duration_ms"`
	Lost       []string  `json:"lost"`
}

// wasJSON is what an attempt was said to cost before it was priced anew.
type wasJSON struct {
	Cost     *string   `json:"cost_usd"`
	CostKind string    `json:"cost_kind"`
	Until    time.Time `json:"until"`
}

func newRowJSON(r app.Row) rowJSON {
	x := rowJSON{
		ID: r.ID, RequestID: r.RequestID, Attempt: r.Attempt, Time: r.Time.UTC(), Tool: r.Tool, Inbound: r.Inbound,
		Asked: r.Asked, Route: r.Route, Role: view.RoleName(r.Role), Reason: r.Reason, Provider: r.Provider, Model: r.Model, Key: r.Key,
		Status: string(r.Status), HTTPStatus: r.HTTPStatus, Error: r.Error, Streamed: r.Streamed,
		Usage: usageJSON(r.Usage), CostKind: string(r.CostKind), Lost: append([]string{}, r.Lost...),
		Was: []wasJSON{},
	}
	for _, f := range r.Was {
		x.Was = append(x.Was, wasJSON{usdOf(f.CostPico), string(f.CostKind), f.At.UTC()})
	}
	x.Cost, x.Saved = usdOf(r.CostPico), usdOf(r.SavedPico)
	if r.Status == running { // nothing of it is settled yet
		x.Cost, x.CostKind = nil, "unpriced"
		return x
	}
	if r.FirstByte >= 0 {
		x.FirstByte = milliseconds(r.FirstByte)
	}
	x.Duration = milliseconds(r.Duration)
	return x
}

// usdOf is an amount, null if it is not known.
func usdOf(pico *int64) *string {
	if pico == nil {
		return nil
	}
	text := view.Decimal(*pico)
	return &text
}

const running = "running"

func milliseconds(d time.Duration) *float64 {
	ms := float64(d.Microseconds()) / 1000
	return &ms
}

// spendJSON is a sum in --json. It has the labels that were asked for.
type spendJSON struct {
	Day       *string   `json:"day,omitempty"`
	Tool      *string   `json:"tool,omitempty"`
	Provider  *string   `json:"provider,omitempty"`
	Model     *string   `json:"model,omitempty"`
	Key       *string   `json:"key,omitempty"`
	Route     *string   `json:"route,omitempty"`
	Role      *string   `json:"role,omitempty"`
	Calls     int64     `json:"calls"`
	Errors    int64     `json:"errors"`
	Unpriced  int64     `json:"unpriced"`
	Estimated int64     `json:"estimated"`
	AtLeast   int64     `json:"at_least"`
	Usage     usageJSON `json:"usage"`
	Cost      *string   `json:"cost_usd"` // of the calls with a price; null if none has one
	Saved     *string   `json:"saved_usd,omitempty"`
}

func sumJSON(s app.Sum, by []app.By) spendJSON {
	x := spendJSON{
		Calls: s.Calls, Errors: s.Errors, Unpriced: s.Unpriced, Estimated: s.Estimated, AtLeast: s.AtLeast,
		Usage: usageJSON(s.Usage),
	}
	if s.Unpriced == 0 || s.Unpriced < s.Calls {
		cost := view.Decimal(s.CostPico)
		x.Cost = &cost
	}
	if s.SavedPico != 0 {
		saved := view.Decimal(s.SavedPico)
		x.Saved = &saved
	}
	day, role := s.Day.Format(time.DateOnly), view.RoleName(s.Role)
	for _, label := range []struct {
		by   app.By
		to   **string
		text *string
	}{
		{"day", &x.Day, &day},
		{"tool", &x.Tool, &s.Tool},
		{"provider", &x.Provider, &s.Provider},
		{"model", &x.Model, &s.Model},
		{"key", &x.Key, &s.Key},
		{"route", &x.Route, &s.Route},
		{"role", &x.Role, &role},
	} {
		if slices.Contains(by, label.by) {
			*label.to = label.text
		}
	}
	return x
}
