package view

import (
	"errors"
	"strings"
	"testing"

	"keytray/app"
)

func TestExport(t *testing.T) {
	cost := int64(picoPerUSD / 4)
	rows := []app.Row{
		{ID: 1, Time: at, Tool: "=HYPERLINK()", Provider: "openai", Model: "m", Status: "ok", CostPico: &cost, CostKind: "exact"},
		{ID: 2, Time: at, Tool: "aider", Provider: "lab", Model: "m", Status: "ok", CostKind: "unpriced", FirstByte: -1},
	}
	all := func(each func(app.Row) error) error {
		for _, r := range rows {
			if err := each(r); err != nil {
				return err
			}
		}
		return nil
	}
	var b strings.Builder
	if n, err := Export(&b, "csv", all); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "id,request_id,attempt,time,tool,") {
		t.Fatalf("lines %q", lines)
	}
	if !strings.Contains(lines[1], ",'=HYPERLINK(),") || !strings.Contains(lines[1], ",0.25,exact,") {
		t.Errorf("a formula is no text, or the cost is not exact: %s", lines[1])
	}
	if !strings.Contains(lines[2], ",,unpriced,") {
		t.Errorf("an unknown cost is not empty: %s", lines[2])
	}
	b.Reset()
	if n, err := Export(&b, "json", all); n != 2 || err != nil || strings.Count(b.String(), "\n") != 2 || !strings.Contains(b.String(), `"cost_usd":null`) {
		t.Errorf("%d %v %s", n, err, b.String())
	}
	gone := errors.New("the disk is full")
	if _, err := Export(&b, "csv", func(func(app.Row) error) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("the failure is lost: %v", err)
	}
}
