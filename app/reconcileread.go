package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"keytray/app/report"
	"keytray/proxy/catalog"
	"keytray/proxy/llm"
	"keytray/proxy/upstream"
	"keytray/store/keys"
	"keytray/store/ledger"
)

// Reporter is a provider whose charges can be laid beside the ledger.
type Reporter struct {
	ID, Name string
	Fetches  bool   // it has a cost report; of any provider a CSV can be read
	HasKey   bool   // an admin key is stored
	KeyName  string // what it calls that key
	KeyURL   string // where one is made
	Days     int    // how far back its report goes; 0 is no limit
}

// ReconcileQuery asks for a provider's report beside the ledger.
type ReconcileQuery struct {
	Provider string
	// From and To are UTC days, From <= day < To. Zero ones are the last 30
	// days, or with CSV all days that it has.
	From, To time.Time
	// CSV is an exported report, read in place of the provider's own.
	CSV io.Reader
}

// reconcileDays is how far back Reconcile looks if it is not told.
const reconcileDays = 30

// Reporters lists the providers with a cost report, by id. It asks nothing of
// the keychain that is not read yet.
func (a *App) Reporters() []Reporter {
	var out []Reporter
	sources := report.Sources()
	for _, id := range slices.Sorted(maps.Keys(sources)) {
		if p, ok := a.catalog.Load().Provider(id); ok {
			out = append(out, a.reporter(p))
		}
	}
	return out
}

func (a *App) reporter(p catalog.Provider) Reporter {
	s, fetches := report.Sources()[p.ID]
	r := Reporter{ID: p.ID, Name: p.Name, Fetches: fetches, KeyName: s.KeyName, KeyURL: s.KeyURL, Days: s.Days}
	r.HasKey = slices.ContainsFunc(a.CachedKeys(), func(k Key) bool { return k.Provider == p.ID && k.Admin })
	return r
}

// Reconcile reads a provider's own charges and lays them beside the ledger.
func (a *App) Reconcile(ctx context.Context, q ReconcileQuery) (Reconciled, error) {
	p, ok := a.catalog.Load().Provider(q.Provider)
	if !ok {
		return Reconciled{}, a.noProvider(q.Provider)
	}
	now := time.Now().UTC()
	theirs, err := a.charges(ctx, p, &q, now)
	if err != nil {
		return Reconciled{}, err
	}
	ours, err := a.booked(ctx, p.ID, q.From, q.To)
	if err != nil {
		return Reconciled{}, err
	}
	r, err := Reconcile(theirs.Charges, theirs.Used, ours, now)
	if err != nil {
		return Reconciled{}, fmt.Errorf("compare the report of %s: %w", p.Name, err)
	}
	r.Provider, r.From, r.To, r.Notes = p.ID, q.From, q.To, append(r.Notes, theirs.Notes...)
	return r, nil
}

// charges reads the report, and settles which days are compared.
func (a *App) charges(ctx context.Context, p catalog.Provider, q *ReconcileQuery, now time.Time) (*report.Report, error) {
	if q.CSV != nil {
		r, err := report.ReadCSV(upTo{ctx, q.CSV})
		if err != nil {
			return nil, err
		}
		r.Between(q.From, q.To)
		if len(r.Charges) == 0 {
			return nil, errors.New("the file has no charge in these days; choose others, or another file")
		}
		if q.From.IsZero() {
			q.From = r.Charges[0].Day
		}
		if q.To.IsZero() {
			q.To = r.Charges[len(r.Charges)-1].Day.AddDate(0, 0, 1)
		}
		return r, nil
	}
	s, ok := report.Sources()[p.ID]
	if !ok {
		return nil, fmt.Errorf("no cost report of %s can be fetched: export one as CSV in its console, and read it with --csv", p.Name)
	}
	today := utcDay(now)
	if q.To.IsZero() {
		q.To = today.AddDate(0, 0, 1)
	}
	if q.From.IsZero() {
		q.From = today.AddDate(0, 0, -reconcileDays+1)
	}
	var notes []string
	if first := today.AddDate(0, 0, -s.Days); s.Days > 0 && q.From.Before(first) {
		q.From = first
		notes = append(notes, fmt.Sprintf("%s reports the last %d days alone; for earlier ones export a CSV in its console", p.Name, s.Days))
	}
	if s.Whole && q.To.After(today) {
		q.To = today
		notes = append(notes, fmt.Sprintf("%s reports a day when it is over, in UTC; today is left out", p.Name))
	}
	if !q.From.Before(q.To) {
		return nil, fmt.Errorf("%s has no report of these days: choose others", p.Name)
	}
	k, err := a.adminKey(ctx, p, s)
	if err != nil {
		return nil, err
	}
	r, err := s.Fetch(ctx, a.asker(p, s, k), q.From, q.To)
	if err != nil {
		return nil, err
	}
	r.Notes = append(r.Notes, notes...)
	return r, nil
}

// adminKey is the key that may read a provider's report.
func (a *App) adminKey(ctx context.Context, p catalog.Provider, s report.Source) (keys.Secret, error) {
	if err := a.ownHost(p); err != nil {
		return keys.Secret{}, err
	}
	k, ok, err := a.ring.Admin(ctx, p.ID)
	switch {
	case ok:
		return k.Secret, nil
	case err != nil:
		return keys.Secret{}, err
	default:
		return keys.Secret{}, &NoAdminKey{a.reporter(p)}
	}
}

// NoAdminKey means that no key is stored that could read a provider's report.
type NoAdminKey struct{ Reporter Reporter }

func (e *NoAdminKey) Error() string {
	return fmt.Sprintf("the cost report of %s needs an %s, which is not the key that signs calls: make one at %s and store it with `keytray reconcile %s --add-key`, or export a CSV and read it with --csv",
		e.Reporter.Name, e.Reporter.KeyName, e.Reporter.KeyURL, e.Reporter.ID)
}

// ownHost refuses to send an admin key to a host that base_url names and that
// is neither the provider's own nor this computer.
func (a *App) ownHost(p catalog.Provider) error {
	base := a.baseURL(p)
	if own, builtIn := a.base.Provider(p.ID); builtIn && hostOf(own.BaseURL) == hostOf(base) {
		return nil
	}
	if u, err := url.Parse(base); err == nil && upstream.LoopbackHost(u.Hostname()) {
		return nil
	}
	return &llm.Error{
		Kind: llm.Forbidden, Code: "untrusted_host",
		Message: fmt.Sprintf("base_url of %s points to %s, and an admin key is sent to %s itself alone: export a CSV and read it with --csv", p.ID, hostOf(base), p.Name),
	}
}

// reportTime bounds one page of a report.
const reportTime = 60 * time.Second

// longestReport bounds one page.
const longestReport = 32 << 20

// asker asks a provider with its admin key, through the one way out.
func (a *App) asker(p catalog.Provider, src report.Source, s keys.Secret) report.Get {
	return func(ctx context.Context, path string, query url.Values) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, reportTime)
		defer cancel()
		at := strings.TrimSuffix(a.baseURL(p), "/") + path
		if len(query) > 0 {
			at += "?" + query.Encode()
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err != nil {
			return nil, err
		}
		for k, v := range p.Auth.Extra {
			req.Header.Set(k, v)
		}
		req.Header.Set("User-Agent", "Keytray")
		req.Header.Set(p.Auth.Header, strings.ReplaceAll(p.Auth.Format, "{key}", s.Reveal()))
		resp, err := a.network.RoundTrip(req)
		if err != nil {
			if ctx.Err() == context.Canceled {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("%s cannot be asked: %s", p.Name, upstream.Explain(ctx, p.ID, a.baseURL(p), err).Message)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, longestReport+1))
		switch {
		case err != nil:
			return nil, fmt.Errorf("the report of %s broke off: %w", p.Name, err)
		case len(body) > longestReport:
			return nil, fmt.Errorf("a page of the report of %s is longer than %d MB; ask for fewer days", p.Name, longestReport>>20)
		case resp.StatusCode == http.StatusOK:
			return body, nil
		}
		return nil, refusedReport(p, src, resp, hider(s)(body))
	}
}

// refusedReport says what a provider said, and what to do about it.
func refusedReport(p catalog.Provider, src report.Source, resp *http.Response, body []byte) error {
	said := http.StatusText(resp.StatusCode)
	if out := outbound(p.Dialect); out != nil {
		if e := out.DecodeError(resp.StatusCode, resp.Header, body); e.Message != "" {
			said = e.Message
		}
	}
	said = strings.TrimRight(said, ". ")
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s refused the key (%d: %s): it is no %s, or was revoked; make one at %s, take this one out with `keytray keys remove %s --label %s`, and store the new one with `keytray reconcile %s --add-key`",
			p.Name, resp.StatusCode, said, src.KeyName, src.KeyURL, p.ID, keys.AdminLabel, p.ID)
	case http.StatusTooManyRequests:
		return fmt.Errorf("%s allows no more reports for now (429: %s): try again in a minute", p.Name, said)
	default:
		return fmt.Errorf("%s gives no report (%d: %s); try again later, or export a CSV and read it with --csv", p.Name, resp.StatusCode, said)
	}
}

// testAdmin asks for a report of yesterday with the admin key.
func (a *App) testAdmin(ctx context.Context, p catalog.Provider) (KeyTest, error) {
	s, ok := report.Sources()[p.ID]
	if !ok {
		return KeyTest{}, fmt.Errorf("no cost report of %s can be fetched, so it has no admin key to test", p.Name)
	}
	secret, err := a.adminKey(ctx, p, s)
	if err != nil {
		return KeyTest{}, err
	}
	t := KeyTest{}
	for _, k := range a.CachedKeys() {
		if k.Provider == p.ID && k.Admin {
			t.Checked = k
		}
	}
	start, today := time.Now(), utcDay(time.Now())
	_, err = s.Fetch(ctx, a.asker(p, s, secret), today.AddDate(0, 0, -1), today)
	t.Took, t.OK, t.Said = time.Since(start), err == nil, "accepted; it reads the cost report"
	if err != nil {
		t.Said = err.Error()
	}
	return t, nil
}

// booked sums the ledger by UTC day and model of one provider.
func (a *App) booked(ctx context.Context, provider string, from, to time.Time) ([]Booked, error) {
	sums, err := a.Spend(ctx, SpendQuery{From: from, To: to, By: []By{ledger.ByDay, ledger.ByProvider, ledger.ByModel}, Location: time.UTC})
	if err != nil {
		return nil, err
	}
	var out []Booked
	for _, s := range sums {
		if s.Provider != provider {
			continue
		}
		u := s.Usage
		out = append(out, Booked{
			Day: s.Day, Model: s.Model, Calls: s.Calls, Unpriced: s.Unpriced, Estimated: s.Estimated + s.AtLeast, Pico: s.CostPico,
			In:  u.Input + u.CacheRead + u.CacheWrite5m + u.CacheWrite1h + u.AudioInput + u.AudioCacheRead + u.ImageInput + u.ImageCacheRead,
			Out: u.Output + u.AudioOutput + u.ImageOutput,
		})
	}
	running, err := a.Requests(ctx, RowFilter{Since: from, Until: to, Provider: provider, Status: ledger.StatusRunning, Limit: 10_000})
	for _, r := range running {
		out = append(out, Booked{Day: utcDay(r.Time), Model: r.Model, Running: 1})
	}
	return out, err
}

func utcDay(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// isAdmin tells whether a label is that of a key for cost reports.
func isAdmin(label string) bool { return strings.EqualFold(strings.TrimSpace(label), keys.AdminLabel) }

// checkAdmin refuses an admin key that would sign calls.
func checkAdmin(p catalog.Provider, label, secret string) error {
	s, ok := report.Sources()[p.ID]
	if ok && !isAdmin(label) && s.Prefix != "" && strings.HasPrefix(strings.TrimSpace(secret), s.Prefix) {
		return fmt.Errorf("this is an %s, and no model of %s accepts one: store it with --label %s, and `keytray reconcile %s` reads the cost report with it", s.KeyName, p.Name, keys.AdminLabel, p.ID)
	}
	return nil
}

// upTo reads until its context ends.
type upTo struct {
	ctx context.Context
	r   io.Reader
}

func (u upTo) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
