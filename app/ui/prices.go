//go:build !nogui

package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"keytray/app"
	"keytray/app/view"
)

// lookForPrices reads the newest list of prices, and takes it up if the user
// agrees.
func (s *shell) lookForPrices() {
	var sh *sheet
	var offer app.PriceOffer
	said := prose("Asking models.dev…")
	cols := columns{{title: "Model"}, {title: "For", width: 130}, {title: "Old", width: 70, right: true}, {title: "New", width: 70, right: true}}
	table := container.New(&stacked{gap: 2})
	busy := false
	use := newPress("Use the new prices", nil, nil).strong()
	use.Disable()
	use.OnTapped = func() {
		if busy {
			return
		}
		busy = true
		s.crew.act(func(ctx context.Context) error { return s.k.AcceptPrices(ctx, offer) }, func(err error) {
			busy = false
			if err != nil {
				tint(said, view.Bad)
				said.SetText("The prices were not changed: " + err.Error())
				return
			}
			sh.close()
		})
	}
	cancel := newPress("Close", nil, func() { sh.close() })
	body := container.NewVScroll(container.New(&stacked{gap: 6}, said, inCard(tight(table))))
	sh = newSheet(s.win.Canvas(), "Newer prices", fyne.NewSize(620, 380), body, nil, cancel, use)
	s.crew.act(func(ctx context.Context) (err error) {
		offer, err = s.k.OfferPrices(ctx, "")
		return err
	}, func(err error) {
		if err != nil {
			tint(said, view.Bad)
			said.SetText(capital(err.Error()))
			return
		}
		said.SetText(view.OfferText(offer))
		if len(offer.Changes) == 0 {
			if offer.Models > 0 { // so that it is known when they were looked up
				s.crew.act(func(ctx context.Context) error { return s.k.AcceptPrices(ctx, offer) }, func(error) {})
			}
			return
		}
		parts := []fyne.CanvasObject{cols.head()}
		for _, cells := range view.ChangeTable(offer.Changes).Rows {
			row := cols.row()
			fill(row, cells...)
			parts = append(parts, row)
		}
		table.Objects = parts
		body.Refresh()
		body.Content.Refresh()
		use.Enable()
	})
}
