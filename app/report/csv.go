package report

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The names of columns, as letters and digits in lower case, the surest first.
//
// OpenAI's cost export has start_time, start_time_iso, amount_value,
// amount_currency and line_item; Anthropic's has usage_date_utc, model,
// token_type, cost_usd, cost_type and usage_type; OpenRouter's activity has
// created_at, cost_total and model_permaslug, a line for each call. These were
// seen in public tools that read such files; the providers document none of
// them. All others are found by what such columns are usually called.
var (
	dayColumns      = []string{"usagedateutc", "starttimeiso", "startingat", "starttime", "dateutc", "day", "date", "usagedate", "createdat", "timestamp", "time", "period"}
	amountColumns   = []string{"costusd", "amountvalue", "costtotal", "totalcostusd", "amountusd", "usd", "totalcost", "cost", "totalspend", "spend", "spendusd", "usage", "amount", "total", "charge"}
	modelColumns    = []string{"modelpermaslug", "model", "modelname", "modelversion", "modelid", "modelslug", "lineitem", "item", "description", "name", "product"}
	currencyColumns = []string{"amountcurrency", "currency"}
	tierColumns     = []string{"usagetype", "servicetier", "tier", "batch"}
	typeColumns     = []string{"costtype"}
)

// maxLine bounds one line; a quote that is never closed would swallow the file.
const maxLine = 1 << 20

// ReadCSV reads an exported cost report. The first line names the columns; they
// may be in any order, parted by commas, semicolons or tabs.
func ReadCSV(in io.Reader) (*Report, error) {
	text := bufio.NewReaderSize(in, 64<<10)
	start, err := text.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = text.Discard(3) // peeked at
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return nil, errors.New("the file is in UTF-16: save it as CSV in UTF-8")
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return nil, errors.New("the file is a spreadsheet or an archive: export or unpack it as CSV")
	case bytes.IndexByte(start, 0) >= 0:
		return nil, errors.New("the file is no text: choose the CSV that the provider's console exports")
	}
	r := csv.NewReader(&bounded{r: text})
	r.Comma = separator(start)
	r.ReuseRecord = true
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	}
	if err != nil {
		return nil, readError(err)
	}
	c, err := findColumns(head)
	if err != nil {
		return nil, err
	}
	s := newSheet()
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s.report(), nil
		}
		if err != nil {
			return nil, readError(err)
		}
		charge, ok, err := c.charge(record)
		if err == nil && ok {
			err = s.charge(charge)
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func readError(err error) error {
	if errors.Is(err, errLine) {
		return errLine
	}
	return fmt.Errorf("the file cannot be read as CSV: %w", err)
}

var errLine = errors.New("the file has a line that is too long: a quote may never be closed")

// bounded refuses a line longer than maxLine, quoted line ends included: a
// record is read whole into memory.
type bounded struct {
	r      io.Reader
	run    int
	quoted bool
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	for _, c := range p[:n] {
		switch {
		case c == '"':
			b.quoted = !b.quoted
		case c == '\n' && !b.quoted:
			b.run = 0
		}
		if b.run++; b.run > maxLine {
			return 0, errLine
		}
	}
	return n, err
}

// separator is what parts the first line most often.
func separator(start []byte) rune {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	best, most := ',', bytes.Count(line, []byte(","))
	for _, c := range []rune{';', '\t'} {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// columns are the places of what a charge is made of; -1 is none.
type columns struct {
	day, amount, model, currency, tier, kind int
	lines                                    bool // the model column holds line items
	names                                    []string
}

func findColumns(head []string) (columns, error) {
	plain := make([]string, len(head))
	c := columns{}
	for i, h := range head {
		h = strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))
		c.names = append(c.names, h)
		plain[i] = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, h)
	}
	find := func(wanted []string) int {
		for _, w := range wanted {
			for i, p := range plain {
				if p == w {
					return i
				}
			}
		}
		return -1
	}
	c.day, c.amount, c.model = find(dayColumns), find(amountColumns), find(modelColumns)
	c.currency, c.tier, c.kind = find(currencyColumns), find(tierColumns), find(typeColumns)
	c.lines = c.model >= 0 && (plain[c.model] == "lineitem" || plain[c.model] == "item" || plain[c.model] == "description")
	var missing []string
	if c.day < 0 {
		missing = append(missing, "a day (such as date or usage_date_utc)")
	}
	if c.amount < 0 {
		missing = append(missing, "an amount in USD (such as cost_usd or amount_value)")
	}
	if len(missing) == 0 {
		return c, nil
	}
	names := strings.Join(c.names, ", ")
	if r := []rune(names); len(r) > 200 {
		names = string(r[:200]) + "…"
	}
	err := fmt.Errorf("no column holds %s; the first line names %s", strings.Join(missing, " or "), names)
	for _, p := range plain {
		if strings.Contains(p, "tokens") {
			return c, fmt.Errorf("%w; this looks like an export of usage: export the costs instead", err)
		}
	}
	return c, err
}

// charge reads one line; a line without an amount is none.
func (c *columns) charge(record []string) (Charge, bool, error) {
	at := func(i int) string {
		if i < 0 || i >= len(record) {
			return ""
		}
		return strings.TrimSpace(record[i])
	}
	text := at(c.amount)
	if text == "" {
		return Charge{}, false, nil // OpenAI's days on which nothing was charged
	}
	day, err := parseDay(at(c.day))
	if err != nil {
		switch strings.ToLower(record[0]) {
		case "total", "totals", "sum", "grand total":
			return Charge{}, false, nil // the last line of a spreadsheet
		}
		return Charge{}, false, fmt.Errorf("%s: %w", c.names[c.day], err)
	}
	if err := inUSD(at(c.currency)); err != nil {
		return Charge{}, false, err
	}
	pico, err := parseUSD(text)
	if err != nil {
		return Charge{}, false, fmt.Errorf("%s: %w", c.names[c.amount], err)
	}
	out := Charge{Day: day, Name: strings.Clone(at(c.model)), Pico: pico} // a record shares one string
	switch {
	case out.Name == "":
		out.Kind = Other
	case c.lines:
		out.Name, out.Kind, out.Batch = lineItem(out.Name)
	default:
		out.Kind = kindOf(out.Name)
	}
	if tier := strings.ToLower(at(c.tier)); tier == "batch" || c.tier >= 0 && tier == "true" {
		out.Batch = true
	}
	if kind := kindOf(at(c.kind)); out.Kind == Other && kind != Model {
		out.Name, out.Kind = strings.ReplaceAll(strings.Clone(at(c.kind)), "_", " "), kind
	}
	return out, true, nil
}

// dayLayouts are how days are written. 03/04/2026 is left out: it is another
// day in another country.
var dayLayouts = []string{
	time.DateOnly, time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05 MST", "2006-01-02 15:04", "2006/01/02", "20060102", "Jan 2, 2006", "2 Jan 2006", "January 2, 2006",
}

// parseDay reads the UTC day of a date, of a time, or of Unix seconds. A time
// without a zone is in UTC.
func parseDay(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) >= 9 {
		if len(text) == 13 {
			n /= 1000
		}
		return bucketDay(n)
	}
	for _, layout := range dayLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			if t.Year() < 2015 || t.Year() > 2200 {
				break
			}
			return dayOf(t), nil
		}
	}
	if text == "" {
		return time.Time{}, errors.New("the day is missing")
	}
	return time.Time{}, fmt.Errorf("%q is no day: write it as 2026-11-21", clip(text))
}
