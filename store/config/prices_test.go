package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestPrices(t *testing.T) {
	const file = `providers:
  lab: {prices: {"org/m:8b": {input: 1.2, output: 3, cache_write_1h: 0.000001}, other: {input: 0}}, discount: "12.5%"}
ledger: {keep_days: 90, detail: counts}
prices: {update: weekly}
`
	got, err := Parse("config.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	lab := got.Providers[0]
	want := []ModelPrice{
		{"org/m:8b", []Rate{{"input", 1_200_000_000_000}, {"output", 3_000_000_000_000}, {"cache_write_1h", 1_000_000}}},
		{"other", []Rate{{"input", 0}}},
	}
	if !reflect.DeepEqual(lab.Prices, want) || lab.Discount != 125_000 {
		t.Errorf("got %+v", lab)
	}
	if got.Ledger.KeepDays != 90 || got.Ledger.Detail != DetailCounts || got.PriceUpdate != UpdateWeekly {
		t.Errorf("got %+v", got)
	}
	// An edit of something else keeps them, and what is written reads the same.
	wrote := pricesNode(lab.Prices).String() + discountNode(lab.Discount).String()
	if !strings.Contains(wrote, "cache_write_1h: 0.000001") || !strings.Contains(wrote, "12.5%") {
		t.Errorf("written again: %s", wrote)
	}
	again, err := Parse("config.yaml", []byte("providers: {lab: {prices: "+pricesNode(lab.Prices).String()+", discount: "+discountNode(lab.Discount).String()+"}}"))
	if err != nil || !reflect.DeepEqual(again.Providers[0], lab) {
		t.Errorf("read again: %+v, %v", again, err)
	}
	// Whatever the order in the file.
	back, err := Parse("config.yaml", []byte("providers: {lab: {prices: {m: {output: 3, input: 1}}}}"))
	if err != nil || back.Providers[0].Prices[0].Rates[0].Kind != "input" {
		t.Errorf("%+v, %v", back, err)
	}
}
