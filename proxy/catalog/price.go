package catalog

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Price is what a model's tokens cost, in USD per million, in some time.
type Price struct {
	From   time.Time // the first instant; zero: since ever
	To     time.Time // the first instant after; zero: for good
	Hours  []Span    // of the day, in UTC; none: all day
	Days   [7]bool   // of the week, in UTC, from Sunday; none set: all week
	Times  *rate     // a factor on the model's own prices (of a service tier)
	Rates  rates
	Long   *Long
	Source []string
}

// Long is what tokens cost, all of a request's, when its whole prompt has
// more than Over of them.
type Long struct {
	Over  int64
	Rates rates
}

// Span is a part of the day in minutes; one that ends before it starts goes
// on past midnight.
type Span struct{ Start, End int }

// bucket is a kind of token, or another measure, that may have a price of its own.
type bucket uint8

const (
	input bucket = iota
	output
	reasoning
	cacheRead
	cacheWrite5m
	cacheWrite1h
	audioInput
	audioOutput
	audioCacheRead
	imageInput
	imageOutput
	imageCacheRead
	perImage // the first of what is no token
	perMinute
	perMillionCharacters
	perThousandSearches
	bucketCount
)

// unit is what one of a bucket costs, in pico-USD, where its price is 1 USD.
func (b bucket) unit() rate {
	switch b {
	case perImage:
		return rate{1_000_000_000_000, 1}
	case perMinute: // counted in milliseconds
		return rate{50_000_000, 3}
	case perThousandSearches:
		return rate{1_000_000_000, 1}
	default: // for a million
		return rate{1_000_000, 1}
	}
}

// parse reads a price in USD.
func (b bucket) parse(usd string) (rate, error) {
	one := b.unit()
	r, err := parse(usd, one.num)
	return r.over(rate{one.den, 1}), err
}

// bucketNames are the buckets' names in a file and in a row's price.
var bucketNames = [bucketCount]string{
	"input", "output", "reasoning", "cache_read", "cache_write_5m", "cache_write_1h",
	"input_audio", "output_audio", "cache_read_audio", "input_image", "output_image", "cache_read_image",
	"per_image", "per_minute", "per_1m_characters", "per_1k_searches",
}

// rates are the prices by bucket; those that are not told have no den.
type rates [bucketCount]rate

// UnmarshalJSON reads an entry of prices or tiers. Buckets that no usage has
// (video, writes that live 12 hours) are left out.
func (p *Price) UnmarshalJSON(b []byte) error {
	var head struct {
		From, To    string
		Hours, Days []string
		Times       string
		Long        *Long
		Source      []string
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return err
	}
	*p = Price{Long: head.Long, Source: head.Source}
	var err error
	if p.From, err = day(head.From); err != nil {
		return err
	}
	if p.To, err = day(head.To); err != nil {
		return err
	}
	for _, h := range head.Hours {
		s, err := span(h)
		if err != nil {
			return err
		}
		p.Hours = append(p.Hours, s)
	}
	for _, d := range head.Days {
		i := strings.Index("sunmontuewedthufrisat", d)
		if len(d) != 3 || i < 0 || i%3 != 0 {
			return fmt.Errorf("%q is no day of the week", d)
		}
		p.Days[i/3] = true
	}
	if head.Times != "" {
		r, err := parseFactor(head.Times)
		if err != nil {
			return err
		}
		p.Times = &r
	}
	return p.Rates.read(b)
}

// UnmarshalJSON reads the part of an entry for long prompts.
func (l *Long) UnmarshalJSON(b []byte) error {
	var head struct{ Over int64 }
	if err := json.Unmarshal(b, &head); err != nil {
		return err
	}
	l.Over = head.Over
	return l.Rates.read(b)
}

func (r *rates) read(b []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for i, name := range bucketNames {
		raw, ok := all[name]
		if !ok {
			continue
		}
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return fmt.Errorf("%s: a price is a string: %w", name, err)
		}
		rate, err := bucket(i).parse(s)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r[i] = rate
	}
	return nil
}

func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}

func span(s string) (Span, error) {
	from, to, _ := strings.Cut(s, "-")
	a, err := time.Parse("15:04", from)
	if err != nil {
		return Span{}, fmt.Errorf("hours %q: %w", s, err)
	}
	b, err := time.Parse("15:04", to)
	if err != nil {
		return Span{}, fmt.Errorf("hours %q: %w", s, err)
	}
	return Span{a.Hour()*60 + a.Minute(), b.Hour()*60 + b.Minute()}, nil
}

// at is the price that holds at an instant: one for the hour goes before one
// for the day, and a later entry before an earlier one.
func at(prices []Price, t time.Time) *Price {
	t = t.UTC()
	var found *Price
	for i := range prices {
		p := &prices[i]
		if t.Before(p.From) || (!p.To.IsZero() && !t.Before(p.To)) || !p.inWeek(t) || !p.inDay(t) {
			continue
		}
		if found == nil || p.Hours != nil || found.Hours == nil {
			found = p
		}
	}
	return found
}

func (p *Price) inWeek(t time.Time) bool { return p.Days == [7]bool{} || p.Days[t.Weekday()] }

func (p *Price) inDay(t time.Time) bool {
	if p.Hours == nil {
		return true
	}
	m := t.Hour()*60 + t.Minute()
	for _, s := range p.Hours {
		if s.Start <= s.End && s.Start <= m && m < s.End || s.Start > s.End && (m >= s.Start || m < s.End) {
			return true
		}
	}
	return false
}
