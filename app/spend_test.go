package app

import (
	"testing"
	"time"
)

// A day begins at its first instant, where the clock jumps over midnight and
// where midnight comes twice.
func TestDay(t *testing.T) {
	for _, c := range []struct{ zone, at, want string }{
		{"Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z"},
		{"Asia/Kolkata", "2026-03-29T20:00:00Z", "2026-03-29T18:30:00Z"},
		{"America/Santiago", "2026-09-06T15:00:00Z", "2026-09-06T04:00:00Z"}, // 24:00 is 01:00
		{"America/Havana", "2026-11-01T15:00:00Z", "2026-11-01T04:00:00Z"},   // 01:00 is 00:00 again
		{"Asia/Amman", "2021-10-29T10:00:00Z", "2021-10-28T21:00:00Z"},       // 01:00 is 00:00 again, east of Greenwich
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Skipf("no time zones here: %v", err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := Day(at.In(zone)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s: the day of %s began at %s, want %s", c.zone, c.at, got, c.want)
		}
	}
}
