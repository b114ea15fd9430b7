package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"keytray/app"
)

const sinceHelp = "today, yesterday, 7d (7 days, today included), 12h, a day such as 2026-11-01, or a full time"

// since reads a moment in the past, as --since takes it. Days are the user's.
func since(now time.Time, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	now = now.Local()
	back := func(days int) time.Time {
		y, m, d := now.Date()
		// Noon, so that a day without a midnight does not matter.
		return app.Day(time.Date(y, m, d-days, 12, 0, 0, 0, now.Location()))
	}
	word := strings.ToLower(strings.TrimSpace(s))
	switch word {
	case "today":
		return back(0), nil
	case "yesterday":
		return back(1), nil
	}
	if n, err := strconv.Atoi(word[:max(0, len(word)-1)]); err == nil && n > 0 && n <= 100_000 {
		switch word[len(word)-1] {
		case 'm':
			return now.Add(-time.Duration(n) * time.Minute), nil
		case 'h':
			return now.Add(-time.Duration(n) * time.Hour), nil
		case 'd':
			return back(n - 1), nil
		case 'w':
			return back(7*n - 1), nil
		}
	}
	if t, err := time.ParseInLocation(time.DateOnly, word, now.Location()); err == nil {
		return app.Day(t.Add(12 * time.Hour)), nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, strings.TrimSpace(s), now.Location()); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, strings.TrimSpace(s)); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("--since %s is no time: use %s", quote(s), sinceHelp)
}
