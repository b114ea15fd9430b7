//go:build !nogui

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// press is a button that Enter presses too, and that passes Escape on.
type press struct {
	widget.Button
	id     string // the same for the same button in the next drawing
	escape func()
}

func newPress(text string, icon fyne.Resource, f func()) *press {
	b := &press{}
	b.Text, b.Icon, b.OnTapped = text, icon, f
	b.ExtendBaseWidget(b)
	return b
}

// TypedKey presses the button with Enter or the space bar.
func (b *press) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		// Not Tapped: that takes the focus away, and the keyboard would lose its place.
		if !b.Disabled() {
			call(b.OnTapped)
		}
	case fyne.KeyEscape:
		call(b.escape)
	}
}

func (b *press) onEscape(f func()) { b.escape = f }

// strong makes it the one button that a page is about.
func (b *press) strong() *press {
	b.Importance = widget.HighImportance
	return b
}

// grave makes it one that cannot be undone.
func (b *press) grave() *press {
	b.Importance = widget.DangerImportance
	return b
}

// light makes it one of many.
func (b *press) light() *press {
	b.Importance = widget.LowImportance
	return b
}

// leading makes it one that leads to another screen.
func (b *press) leading() *press {
	b.IconPlacement = widget.ButtonIconTrailingText
	return b.light()
}

func (b *press) named(id string) *press {
	b.id = id
	return b
}

func enable(b interface {
	Enable()
	Disable()
}, yes bool,
) {
	if yes {
		b.Enable()
	} else {
		b.Disable()
	}
}

// field is an entry that passes Escape on.
type field struct {
	widget.Entry
	escape func()
	submit func() // what Ctrl+Enter does, or Cmd+Enter on a Mac
}

func newField(placeholder string) *field {
	f := &field{}
	f.PlaceHolder = placeholder
	f.Wrapping = fyne.TextWrapOff
	f.ExtendBaseWidget(f)
	return f
}

// newSecretField hides what is typed, with an eye to show it.
func newSecretField(placeholder string) *field {
	f := newField(placeholder)
	f.Password = true
	return f
}

// TypedKey passes Escape on.
func (f *field) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		call(f.escape)
		return
	}
	f.Entry.TypedKey(e)
}

// TypedShortcut passes the window's shortcuts on; those of text are the entry's.
func (f *field) TypedShortcut(s fyne.Shortcut) {
	if k, ok := s.(*desktop.CustomShortcut); ok {
		if f.submit != nil && (k.KeyName == fyne.KeyReturn || k.KeyName == fyne.KeyEnter) && k.Modifier == fyne.KeyModifierShortcutDefault {
			f.submit()
			return
		}
		if c, ok := fyne.CurrentApp().Driver().CanvasForObject(f).(fyne.Shortcutable); ok {
			c.TypedShortcut(s)
			return
		}
	}
	f.Entry.TypedShortcut(s)
}

func (f *field) onEscape(do func()) { f.escape = do }

// rows is a list whose row Enter opens, and that passes Escape on.
type rows struct {
	widget.List
	escape func()
}

func newRows(length func() int, create func() fyne.CanvasObject, update func(int, fyne.CanvasObject)) *rows {
	r := &rows{}
	r.Length, r.CreateItem, r.UpdateItem = length, create, update
	r.ExtendBaseWidget(r)
	return r
}

// TypedKey opens a row with Enter or the space bar.
func (r *rows) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		r.List.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	case fyne.KeyEscape:
		call(r.escape)
	default:
		r.List.TypedKey(e)
	}
}

func (r *rows) onEscape(f func()) { r.escape = f }

func call(f func()) {
	if f != nil {
		f()
	}
}

// picker is a choice from a list that Enter opens too.
type picker struct {
	widget.Select
	escape func()
}

func newPicker(options []string, changed func(string)) *picker {
	p := &picker{}
	p.Options, p.OnChanged, p.PlaceHolder = options, changed, " "
	p.ExtendBaseWidget(p)
	return p
}

// MinSize has room for the longest choice.
func (p *picker) MinSize() fyne.Size {
	size := p.Select.MinSize()
	style := fyne.TextStyle{}
	th := p.Theme()
	for _, o := range p.Options {
		w := fyne.MeasureText(o, th.Size(theme.SizeNameText), style).Width
		size.Width = max(size.Width, w+3*th.Size(theme.SizeNameInnerPadding)+th.Size(theme.SizeNameInlineIcon)+4)
	}
	return size
}

func (p *picker) onEscape(f func()) { p.escape = f }

// TypedKey opens the list with Enter or the space bar, and passes Escape on.
func (p *picker) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		call(p.escape)
		return
	}
	if e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter {
		e = &fyne.KeyEvent{Name: fyne.KeySpace}
	}
	p.Select.TypedKey(e)
}

// tick is a check that Enter turns too.
type tick struct{ widget.Check }

func newTick(changed func(bool)) *tick {
	t := &tick{}
	t.OnChanged = changed
	t.ExtendBaseWidget(t)
	return t
}

// TypedKey turns the check with Enter or the space bar.
func (t *tick) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		t.SetChecked(!t.Checked)
	}
}

// TypedRune does nothing: the space bar comes as a key.
func (t *tick) TypedRune(rune) {}
