package ledger

import "time"

const quarterSeconds = 15 * 60

// quarterOf returns the quarter hour, counted from 1970 UTC, that holds t.
func quarterOf(t time.Time) int64 {
	s := t.Unix()
	q := s / quarterSeconds
	if s%quarterSeconds < 0 {
		q--
	}
	return q
}

// quarterTime returns the first instant of a quarter hour.
func quarterTime(q int64) time.Time { return time.Unix(q*quarterSeconds, 0).UTC() }

// date is a day of the calendar.
type date struct {
	year  int
	month time.Month
	day   int
}

// dateOf returns the local date on which the quarter hour begins.
func dateOf(q int64, loc *time.Location) date {
	y, m, d := quarterTime(q).In(loc).Date()
	return date{y, m, d}
}

// dayBounds returns the local day of q as quarter hours, start included and finish not: start <= q < finish. It holds
// for days of 23 and 25 hours, for days whose midnight does not exist, and next to days that do not exist at all.
func dayBounds(q int64, loc *time.Location) (start, finish int64) {
	t := quarterTime(q).In(loc)
	hour, minute, second := t.Clock()
	since := int64(hour*3600 + minute*60 + second)
	today := dateOf(q, loc)

	// By the wall clock first; a change of offset during the day moves the guess by a few quarters.
	start = q - since/quarterSeconds
	for start < q && dateOf(start, loc) != today {
		start++
	}
	for dateOf(start-1, loc) == today {
		start--
	}
	finish = q + (24*3600-since+quarterSeconds-1)/quarterSeconds
	for finish-1 > q && dateOf(finish-1, loc) != today {
		finish--
	}
	for dateOf(finish, loc) == today {
		finish++
	}
	return start, finish
}
