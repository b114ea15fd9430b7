package view

import (
	"testing"

	"keytray/app"
)

func TestOfferText(t *testing.T) {
	change := app.PriceChange{Provider: "openai", Model: "m", Kind: "input", Over: 200_000, New: "0.4"}
	for _, c := range []struct {
		offer app.PriceOffer
		want  string
	}{
		{app.PriceOffer{Source: "models.dev"}, "models.dev knows none of the models that you have a key for."},
		{app.PriceOffer{Source: "models.dev", Models: 2}, "2 models looked up at models.dev: no price has changed."},
		{
			app.PriceOffer{Source: "models.dev", Models: 2, Changes: []app.PriceChange{change}, Refused: []app.PriceChange{change, change}},
			"1 price of models.dev differs, in USD for a million tokens. Calls from before keep theirs. 2 others are refused: no price changes a thousandfold.",
		},
		{
			app.PriceOffer{Source: "models.dev", Models: 2, Changes: []app.PriceChange{change, change}, Refused: []app.PriceChange{change}},
			"2 prices of models.dev differ, in USD for a million tokens. Calls from before keep theirs. 1 other is refused: no price changes a thousandfold.",
		},
	} {
		if got := OfferText(c.offer); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	row := ChangeTable([]app.PriceChange{change}).Rows[0]
	if row[0] != "openai/m" || row[1] != "input over 200K" || row[2] != "-" || row[3] != "0.4" {
		t.Errorf("row %q", row)
	}
}
