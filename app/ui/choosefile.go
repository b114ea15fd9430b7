//go:build !nogui

package ui

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app/view"
)

// choosing is the sheet that chooses a file: by its path, or from the folder
// that is shown.
type choosing struct {
	s      *shell
	sheet  *sheet
	ends   []string // of the files' names, such as ".csv"
	chosen func(path string)
	path   *field
	said   *widget.Label
	list   *rows
	folder string
	files  []entry
	turn   int // counts the folders that were asked for
}

// entry is a folder or a file to choose.
type entry struct {
	name   string
	folder bool
}

// mostFiles bounds the list; a path can always be typed.
const mostFiles = 5000

// chooseFile asks for a file whose name ends in one of ends.
func (s *shell) chooseFile(title, folder string, ends []string, chosen func(path string)) *choosing {
	c := &choosing{s: s, ends: ends, chosen: chosen, said: quietLine("")}
	c.path = newField("Path of a file or a folder")
	c.path.OnSubmitted = func(string) { c.take() }
	c.list = newRows(func() int { return len(c.files) },
		func() fyne.CanvasObject { return around(nil, nil, widget.NewIcon(theme.FileIcon()), nil, line("")) },
		func(i int, o fyne.CanvasObject) {
			parts := o.(*fyne.Container).Objects
			icon := theme.FileTextIcon()
			if c.files[i].folder {
				icon = theme.FolderIcon()
			}
			parts[0].(*widget.Icon).SetResource(icon)
			set(parts[1].(*widget.Label), c.files[i].name)
		})
	c.list.HideSeparators = true
	c.list.OnSelected = func(i int) {
		c.list.UnselectAll()
		c.open(filepath.Join(c.folder, c.files[i].name))
	}
	up := newPress("Up", theme.MoveUpIcon(), func() { c.open(filepath.Dir(c.folder)) })
	open := newPress("Open", nil, c.take).strong()
	cancel := newPress("Cancel", nil, func() { c.sheet.close() })
	body := around(around(nil, nil, nil, up, c.path), c.said, nil, nil, newPanel(around(nil, nil, nil, nil, c.list)))
	c.sheet = newSheet(s.win.Canvas(), title, fyne.NewSize(640, 460), container.NewPadded(body), []fyne.Focusable{c.path, up, c.list}, cancel, open)
	c.open(folder)
	return c
}

// take opens what the path names.
func (c *choosing) take() {
	path := strings.Trim(strings.TrimSpace(c.path.Text), `"'`)
	if rest, ok := strings.CutPrefix(path, "~"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = home + rest
		}
	}
	if path != "" {
		c.open(path)
	}
}

// open shows a folder, or chooses a file.
func (c *choosing) open(path string) {
	type result struct {
		folder bool
		files  []entry
		err    error
	}
	c.turn++
	turn := c.turn
	later(c.s.crew, c.s.crew.ctx, func(context.Context) (r result) {
		info, err := os.Stat(path)
		if err != nil {
			r.err = err
			return r
		}
		if r.folder = info.IsDir(); r.folder {
			r.files, r.err = c.read(path)
		}
		return r
	}, func(r result) {
		switch {
		case c.sheet.pop == nil || turn != c.turn:
		case r.err != nil:
			tint(c.said, view.Bad)
			c.said.SetText(capital(r.err.Error()))
		case !r.folder:
			c.sheet.close()
			c.chosen(path)
		default:
			c.folder, c.files = path, r.files
			c.path.SetText(path)
			tint(c.said, view.Plain)
			c.said.SetText("")
			if len(r.files) == 0 {
				c.said.SetText("No folder and no file that ends in " + strings.Join(c.ends, " or ") + " is here.")
			}
			c.list.Refresh()
			c.list.ScrollToTop()
		}
	})
}

// read lists the folders and the files of a folder, by name.
func (c *choosing) read(folder string) ([]entry, error) {
	all, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var folders, files []entry
	for _, e := range all {
		name := e.Name()
		dir := e.IsDir()
		if e.Type()&os.ModeSymlink != 0 {
			info, err := os.Stat(filepath.Join(folder, name))
			dir = err == nil && info.IsDir()
		}
		switch {
		case strings.HasPrefix(name, "."):
		case dir:
			folders = append(folders, entry{name, true})
		case c.fits(name):
			files = append(files, entry{name, false})
		}
	}
	out := append(files, folders...)
	return out[:min(len(out), mostFiles)], nil
}

func (c *choosing) fits(name string) bool {
	for _, end := range c.ends {
		if strings.HasSuffix(strings.ToLower(name), end) {
			return true
		}
	}
	return false
}

// downloads is the folder that browsers save to, or the user's own.
func downloads() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return string(filepath.Separator)
	}
	if info, err := os.Stat(filepath.Join(home, "Downloads")); err == nil && info.IsDir() {
		return filepath.Join(home, "Downloads")
	}
	return home
}
