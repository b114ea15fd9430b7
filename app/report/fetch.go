package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Get asks the provider: path begins with a slash and follows its base URL. It
// returns the body of a good answer.
type Get func(ctx context.Context, path string, query url.Values) ([]byte, error)

// Source is a provider that has a cost report.
type Source struct {
	// KeyName is what the provider calls the key that may read it.
	KeyName string
	// KeyURL is the page on which one is made.
	KeyURL string
	// Prefix begins such a key and no other, or is "".
	Prefix string
	// Days is how far back the report goes; 0 is as far as there is anything.
	Days int
	// Whole reports leave out the day that is under way.
	Whole bool

	fetch func(ctx context.Context, get Get, from, to time.Time) (*Report, error)
}

// Sources are the providers whose report can be fetched, by id.
//
// OpenAI: https://platform.openai.com/docs/api-reference/usage/costs and
// openai-go v3, adminorganizationusage.go. Anthropic:
// https://platform.claude.com/docs/en/api/admin/cost_report and
// .../usage_report. OpenRouter: https://openrouter.ai/docs/api/api-reference/
// analytics/get-user-activity-grouped-by-endpoint and
// .../guides/overview/auth/management-api-keys.
func Sources() map[string]Source {
	return map[string]Source{
		"openai":     {KeyName: "admin key", KeyURL: "https://platform.openai.com/settings/organization/admin-keys", Prefix: "sk-admin-", fetch: openAI},
		"anthropic":  {KeyName: "admin key", KeyURL: "https://platform.claude.com/settings/admin-keys", Prefix: "sk-ant-admin", fetch: anthropic},
		"openrouter": {KeyName: "management key", KeyURL: "https://openrouter.ai/settings/management-keys", Days: 30, Whole: true, fetch: openRouter},
	}
}

// Fetch reads the report of the UTC days from <= day < to.
func (s Source) Fetch(ctx context.Context, get Get, from, to time.Time) (*Report, error) {
	from, to = dayOf(from), dayOf(to)
	if !from.Before(to) {
		return nil, errors.New("there is no day between the first and the last")
	}
	r, err := s.fetch(ctx, get, from, to)
	if err != nil {
		return nil, err
	}
	r.Charges = within(r.Charges, from, to, func(c Charge) time.Time { return c.Day })
	r.Used = within(r.Used, from, to, func(u Used) time.Time { return u.Day })
	return r, nil
}

// Between keeps the days from <= day < to; a zero time leaves a side open.
func (r *Report) Between(from, to time.Time) {
	r.Charges = within(r.Charges, from, to, func(c Charge) time.Time { return c.Day })
	r.Used = within(r.Used, from, to, func(u Used) time.Time { return u.Day })
}

func within[T any](all []T, from, to time.Time, day func(T) time.Time) []T {
	out := make([]T, 0, len(all))
	for _, x := range all {
		if d := day(x); (from.IsZero() || !d.Before(from)) && (to.IsZero() || d.Before(to)) {
			out = append(out, x)
		}
	}
	return out
}

// maxPages is more than any true report has: one of a bucket a page for years.
const maxPages = 2000

// page is the envelope of OpenAI's and Anthropic's reports. Data is required:
// an answer of another shape must not read as "nothing was charged".
type page[B any] struct {
	Data     *[]B    `json:"data"`
	HasMore  bool    `json:"has_more"`
	NextPage *string `json:"next_page"`
}

// pages reads all pages, and calls each with every bucket.
func pages[B any](ctx context.Context, get Get, path string, query url.Values, each func(B) error) error {
	seen := map[string]bool{}
	for range maxPages {
		body, err := get(ctx, path, query)
		if err != nil {
			return err
		}
		var p page[B]
		if err := json.Unmarshal(body, &p); err != nil {
			return fmt.Errorf("the report at %s cannot be read: %w", path, err)
		}
		if p.Data == nil {
			return fmt.Errorf("the answer at %s is no report: it has no data", path)
		}
		for _, b := range *p.Data {
			if err := each(b); err != nil {
				return fmt.Errorf("the report at %s: %w", path, err)
			}
		}
		if !p.HasMore {
			return nil
		}
		if p.NextPage == nil || *p.NextPage == "" {
			return fmt.Errorf("the report at %s says that there is more, and not where", path)
		}
		if seen[*p.NextPage] {
			return fmt.Errorf("the report at %s goes in circles: a page leads back to itself", path)
		}
		seen[*p.NextPage] = true
		query.Set("page", *p.NextPage)
	}
	return fmt.Errorf("the report at %s has more than %d pages; ask for fewer days", path, maxPages)
}

// number is a JSON number, or one in a string: both are met.
type number string

func (n *number) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	if s == "null" {
		s = ""
	}
	*n = number(s)
	return nil
}

// amount is an optional amount of a report; none is 0.
func (n number) amount(parse func(string) (int64, error)) (int64, error) {
	if n == "" {
		return 0, nil
	}
	return parse(string(n))
}

// inUSD refuses an amount in another currency.
func inUSD(currency string) error {
	if currency != "" && !strings.EqualFold(currency, "usd") {
		return fmt.Errorf("it is in %s, and Keytray keeps its books in USD", clip(strings.ToUpper(currency)))
	}
	return nil
}

// bucketDay is the day that a bucket of OpenAI's begins at.
func bucketDay(seconds int64) (time.Time, error) {
	t := time.Unix(seconds, 0).UTC()
	if y := t.Year(); y < 2015 || y > 2200 {
		return time.Time{}, fmt.Errorf("it has no day: start_time is %d", seconds)
	}
	return dayOf(t), nil
}

// counted adds how much was used, if the provider says: the costs stand
// without it.
func counted(r *Report, s *sheet, err error) (*Report, error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	if err != nil {
		r.Notes = append(r.Notes, "how many tokens were counted could not be read: "+err.Error())
		return r, nil
	}
	r.Used = s.report().Used
	return r, nil
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
