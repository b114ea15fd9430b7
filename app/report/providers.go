package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// openAI reads /organization/costs, by line item, and /organization/usage/
// completions, by model. Buckets are UTC days, begun at start_time in Unix
// seconds; 180 a page at most for costs and 31 for usage. Lists are sent with
// brackets, as openai-go does.
func openAI(ctx context.Context, get Get, from, to time.Time) (*Report, error) {
	type bucket struct {
		Start   int64 `json:"start_time"`
		Results []struct {
			Amount *struct {
				Value    number `json:"value"`
				Currency string `json:"currency"`
			} `json:"amount"`
			LineItem *string `json:"line_item"`

			Model *string `json:"model"`
			Calls int64   `json:"num_model_requests"`
			In    int64   `json:"input_tokens"` // cached ones are a part of it
			Out   int64   `json:"output_tokens"`
		} `json:"results"`
	}
	ask := func(by, limit string) url.Values {
		return url.Values{"start_time": {unix(from)}, "end_time": {unix(to)}, "bucket_width": {"1d"}, "group_by[]": {by}, "limit": {limit}}
	}
	s := newSheet()
	err := pages(ctx, get, "/organization/costs", ask("line_item", "180"), func(b bucket) error {
		day, err := bucketDay(b.Start)
		if err != nil {
			return err
		}
		for _, r := range b.Results {
			if r.Amount == nil {
				continue
			}
			if err := inUSD(r.Amount.Currency); err != nil {
				return err
			}
			pico, err := r.Amount.Value.amount(parseUSD)
			if err != nil {
				return err
			}
			c := Charge{Day: day, Kind: Other, Pico: pico}
			if r.LineItem != nil {
				c.Name, c.Kind, c.Batch = lineItem(*r.LineItem)
			}
			if err := s.charge(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	used := newSheet()
	err = pages(ctx, get, "/organization/usage/completions", ask("model", "31"), func(b bucket) error {
		day, err := bucketDay(b.Start)
		if err != nil {
			return err
		}
		for _, r := range b.Results {
			if r.Model != nil {
				used.use(Used{day, *r.Model, r.Calls, r.In, r.Out})
			}
		}
		return nil
	})
	return counted(s.report(), used, err)
}

// anthropic reads /organizations/cost_report, by description, and
// /organizations/usage_report/messages, by model. An amount is a decimal
// string of cents: "123.45" is $1.2345. Buckets are UTC days, 31 a page at
// most. The report leaves out the Priority Tier, and the usage report counts
// no calls.
func anthropic(ctx context.Context, get Get, from, to time.Time) (*Report, error) {
	type bucket struct {
		Start   time.Time `json:"starting_at"`
		Results []struct {
			Amount      number  `json:"amount"`
			Currency    string  `json:"currency"`
			CostType    *string `json:"cost_type"` // tokens, web_search, code_execution
			Description *string `json:"description"`
			Model       *string `json:"model"`
			Tier        *string `json:"service_tier"` // standard, batch

			Uncached  int64 `json:"uncached_input_tokens"`
			CacheRead int64 `json:"cache_read_input_tokens"`
			Out       int64 `json:"output_tokens"`
			Writes    struct {
				Hour int64 `json:"ephemeral_1h_input_tokens"`
				Five int64 `json:"ephemeral_5m_input_tokens"`
			} `json:"cache_creation"`
		} `json:"results"`
	}
	ask := func(by string) url.Values {
		return url.Values{
			"starting_at": {from.Format(time.RFC3339)}, "ending_at": {to.Format(time.RFC3339)},
			"bucket_width": {"1d"}, "group_by[]": {by}, "limit": {"31"},
		}
	}
	s := newSheet()
	err := pages(ctx, get, "/organizations/cost_report", ask("description"), func(b bucket) error {
		if b.Start.IsZero() {
			return errors.New("a bucket has no starting_at")
		}
		for _, r := range b.Results {
			if err := inUSD(r.Currency); err != nil {
				return err
			}
			pico, err := r.Amount.amount(parseCents)
			if err != nil {
				return err
			}
			c := Charge{Day: b.Start, Kind: Other, Pico: pico}
			switch {
			case r.Model != nil && *r.Model != "":
				c.Name, c.Kind, c.Batch = *r.Model, Model, r.Tier != nil && *r.Tier == "batch"
			case r.Description != nil && *r.Description != "":
				c.Name = *r.Description
				if c.Kind = kindOf(*r.Description); c.Kind == Model {
					c.Kind = Other
				}
			}
			if r.CostType != nil && (*r.CostType == "web_search" || *r.CostType == "code_execution") {
				c.Name, c.Kind = strings.ReplaceAll(*r.CostType, "_", " "), Tool
			}
			if err := s.charge(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	used := newSheet()
	err = pages(ctx, get, "/organizations/usage_report/messages", ask("model"), func(b bucket) error {
		if b.Start.IsZero() {
			return errors.New("a bucket has no starting_at")
		}
		for _, r := range b.Results {
			if r.Model == nil {
				continue
			}
			for _, n := range []int64{r.Uncached, r.CacheRead, r.Writes.Hour, r.Writes.Five} {
				used.use(Used{Day: b.Start, Name: *r.Model, In: n})
			}
			used.use(Used{Day: b.Start, Name: *r.Model, Out: r.Out})
		}
		return nil
	})
	return counted(s.report(), used, err)
}

// openRouter reads /activity: one answer with the last 30 finished UTC days, a
// line for each day, model and endpoint. usage is what was taken of the
// account's credits in USD; what other providers charge for a key of one's own
// there (byok_usage_inference) is not in it, and not OpenRouter's to ask for.
func openRouter(ctx context.Context, get Get, _, _ time.Time) (*Report, error) {
	body, err := get(ctx, "/activity", nil)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data *[]struct {
			Date  string `json:"date"`
			Model string `json:"model"`
			Usage number `json:"usage"`
			Calls int64  `json:"requests"`
			In    int64  `json:"prompt_tokens"`
			Out   int64  `json:"completion_tokens"` // reasoning is a part of it
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("the report at /activity cannot be read: %w", err)
	}
	if answer.Data == nil {
		return nil, errors.New("the answer at /activity is no report: it has no data")
	}
	s := newSheet()
	for _, x := range *answer.Data {
		day, err := parseDay(x.Date)
		if err != nil {
			return nil, fmt.Errorf("the report at /activity: %w", err)
		}
		pico, err := x.Usage.amount(parseUSD)
		if err != nil {
			return nil, fmt.Errorf("the report at /activity: %w", err)
		}
		if err := s.charge(Charge{Day: day, Name: x.Model, Pico: pico}); err != nil {
			return nil, err
		}
		s.use(Used{day, x.Model, x.Calls, x.In, x.Out})
	}
	return s.report(), nil
}
