//go:build !nogui

package ui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"keytray/app"
	"keytray/app/view"
)

// export writes the calls of a period to a file that the user names.
func (s *shell) export(of view.Range) {
	formats := view.ExportFormats()
	from := view.FirstDay(s.now(), of.Days)
	folder, err := os.UserHomeDir()
	if err != nil {
		folder = "."
	}
	name := func(format string) string {
		return filepath.Join(folder, "keytray-calls-"+from.Format("2006-01-02")+"-to-"+s.now().Format("2006-01-02")+"."+format)
	}
	said := prose("")
	path := newField("Path of a new file")
	path.SetText(name(formats[0]))
	format := newPicker([]string{"CSV, for a spreadsheet", "JSON, one call a line"}, nil)
	format.SetSelectedIndex(0)
	format.OnChanged = func(string) {
		end := formats[format.SelectedIndex()]
		path.SetText(strings.TrimSuffix(path.Text, filepath.Ext(path.Text)) + "." + end)
	}
	var sh *sheet
	busy := false
	save := newPress("Export", nil, func() {
		if busy {
			return
		}
		busy = true
		to, kind, n := strings.TrimSpace(path.Text), formats[format.SelectedIndex()], 0
		tint(said, view.Plain)
		said.SetText("Writing…")
		s.crew.act(func(ctx context.Context) (err error) {
			n, err = writeNew(to, func(f *os.File) (int, error) {
				return view.Export(f, kind, func(each func(app.Row) error) error {
					return s.k.EachRequest(ctx, app.RowFilter{Since: from}, each)
				})
			})
			return err
		}, func(err error) {
			busy = false
			if err != nil {
				tint(said, view.Bad)
				said.SetText(capital(err.Error()))
				return
			}
			sh.close()
			s.say("Exported", view.Plural(int64(n), "call")+" are in "+to)
		})
	}).strong()
	path.OnSubmitted = func(string) { save.OnTapped() }
	cancel := newPress("Cancel", nil, func() { sh.close() })
	form := container.New(&stacked{gap: 4},
		quiet("Every call since "+from.Format("Mon 2 Jan 2006")+" with its model, tokens and exact cost. What was said in a call is not kept, and so not in it."),
		format, quietLine("A new file"), path, said)
	sh = newSheet(s.win.Canvas(), "Export "+strings.ToLower(of.Title), fyne.NewSize(560, 300), container.NewVScroll(form), []fyne.Focusable{path, format}, cancel, save)
}

// writeNew writes a file that must not be there yet; one that could not be
// written whole is taken away again.
func writeNew(path string, write func(*os.File) (int, error)) (int, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("%s is there already: choose another name", path)
	}
	if err != nil {
		return 0, fmt.Errorf("the file cannot be written: %w", err)
	}
	n, err := write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(path) // the first error is told
	}
	return n, err
}
