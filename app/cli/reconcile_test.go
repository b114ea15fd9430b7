package cli

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// reported answers as a provider's cost report does: half a dollar yesterday.
func reported(w http.ResponseWriter, r *http.Request) bool {
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/organization/")
	if !ok {
		return false
	}
	if path != "costs" {
		_, _ = io.WriteString(w, `{"data":[],"has_more":false,"next_page":null}`)
		return true
	}
	fmt.Fprintf(w, `{"data":[{"start_time":%d,"results":[{"amount":{"value":0.5,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, input"}]}],"has_more":false,"next_page":null}`,
		time.Now().UTC().AddDate(0, 0, -1).Unix())
	return true
}

func TestReconcileDays(t *testing.T) {
	now := time.Date(2026, 11, 21, 23, 30, 0, 0, time.Local)
	q, err := reconcileQuery(now, reconciling{from: "3d", to: "today"})
	if err != nil || q.From != time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC) || q.To != time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) {
		t.Errorf("%v to %v, %v", q.From, q.To, err)
	}
	if q, err := reconcileQuery(now, reconciling{}); err != nil || !q.From.IsZero() || !q.To.IsZero() {
		t.Errorf("%v to %v, %v", q.From, q.To, err)
	}
}
