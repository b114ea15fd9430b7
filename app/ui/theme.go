//go:build !nogui

package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
)

// Colours of our own beside Fyne's.
const (
	colorPanel fyne.ThemeColorName = "keytray.panel"
	colorSide  fyne.ThemeColorName = "keytray.side"
)

// look is Keytray's theme: one accent colour, quiet grounds, and words with a
// contrast of 4.5:1 or more on all of them.
type look struct {
	choice string // light, dark, or system
}

func rgb(v uint32) color.Color {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

func glaze(v uint32, alpha uint8) color.Color {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: alpha}
}

// dark tells which of its two faces the theme shows.
func (l look) dark(v fyne.ThemeVariant) bool {
	switch l.choice {
	case "light":
		return false
	case "dark":
		return true
	default:
		return v == theme.VariantDark
	}
}

// Color is a colour of the theme.
func (l look) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	if l.dark(v) {
		return darkColor(n)
	}
	return lightColor(n)
}

func lightColor(n fyne.ThemeColorName) color.Color {
	switch n {
	case theme.ColorNameBackground:
		return rgb(0xF3F5F8)
	case colorSide:
		return rgb(0xE9EDF2)
	case colorPanel, theme.ColorNameOverlayBackground, theme.ColorNameMenuBackground, theme.ColorNameHeaderBackground:
		return rgb(0xFFFFFF)
	case theme.ColorNameInputBackground:
		return rgb(0xEDF1F5)
	case theme.ColorNameForeground:
		return rgb(0x18212D)
	case theme.ColorNamePlaceHolder, theme.ColorNameDisabled:
		return rgb(0x556172)
	case theme.ColorNamePrimary, theme.ColorNameHyperlink:
		return rgb(0x1C5BA8)
	case theme.ColorNameForegroundOnPrimary, theme.ColorNameForegroundOnError, theme.ColorNameForegroundOnSuccess, theme.ColorNameForegroundOnWarning:
		return rgb(0xFFFFFF)
	case theme.ColorNameFocus:
		return glaze(0x1C5BA8, 0x55)
	case theme.ColorNameSelection:
		return glaze(0x1C5BA8, 0x18)
	case theme.ColorNameHover:
		return glaze(0x1C3A60, 0x12)
	case theme.ColorNamePressed:
		return glaze(0x1C3A60, 0x22)
	case theme.ColorNameButton:
		return rgb(0xE6EBF1)
	case theme.ColorNameDisabledButton:
		return rgb(0xEDF0F4)
	case theme.ColorNameInputBorder:
		return rgb(0x8592A3)
	case theme.ColorNameSeparator:
		return rgb(0xDCE2E9)
	case theme.ColorNameScrollBar:
		return glaze(0x18212D, 0x60)
	case theme.ColorNameScrollBarBackground:
		return color.Transparent
	case theme.ColorNameShadow:
		return glaze(0x0A1626, 0x38)
	case theme.ColorNameError:
		return rgb(0xB3261E)
	case theme.ColorNameSuccess:
		return rgb(0x166A33)
	case theme.ColorNameWarning:
		return rgb(0x855500)
	default:
		return theme.DefaultTheme().Color(n, theme.VariantLight)
	}
}

func darkColor(n fyne.ThemeColorName) color.Color {
	switch n {
	case theme.ColorNameBackground:
		return rgb(0x14181F)
	case colorSide:
		return rgb(0x10141A)
	case colorPanel, theme.ColorNameHeaderBackground:
		return rgb(0x1C222B)
	case theme.ColorNameOverlayBackground, theme.ColorNameMenuBackground:
		return rgb(0x222934)
	case theme.ColorNameInputBackground:
		return rgb(0x262E3A)
	case theme.ColorNameForeground:
		return rgb(0xE6EBF2)
	case theme.ColorNamePlaceHolder, theme.ColorNameDisabled:
		return rgb(0x9CA8B8)
	case theme.ColorNamePrimary, theme.ColorNameHyperlink:
		return rgb(0x7DB0F2)
	case theme.ColorNameForegroundOnPrimary, theme.ColorNameForegroundOnError, theme.ColorNameForegroundOnSuccess, theme.ColorNameForegroundOnWarning:
		return rgb(0x0A1626)
	case theme.ColorNameFocus:
		return glaze(0x7DB0F2, 0x66)
	case theme.ColorNameSelection:
		return glaze(0x7DB0F2, 0x33)
	case theme.ColorNameHover:
		return glaze(0xCFE0F5, 0x14)
	case theme.ColorNamePressed:
		return glaze(0xCFE0F5, 0x26)
	case theme.ColorNameButton:
		return rgb(0x2B3441)
	case theme.ColorNameDisabledButton:
		return rgb(0x222934)
	case theme.ColorNameInputBorder:
		return rgb(0x6B7A90)
	case theme.ColorNameSeparator:
		return rgb(0x2C3541)
	case theme.ColorNameScrollBar:
		return glaze(0xE6EBF2, 0x60)
	case theme.ColorNameScrollBarBackground:
		return color.Transparent
	case theme.ColorNameShadow:
		return glaze(0x000000, 0x80)
	case theme.ColorNameError:
		return rgb(0xFF8F86)
	case theme.ColorNameSuccess:
		return rgb(0x6FD08C)
	case theme.ColorNameWarning:
		return rgb(0xF0C05C)
	default:
		return theme.DefaultTheme().Color(n, theme.VariantDark)
	}
}

// dense is the theme in use with less room around words, for tables.
type dense struct{ fyne.Theme }

// Color is the colour of the theme in use, which may change.
func (dense) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	return fyne.CurrentApp().Settings().Theme().Color(n, v)
}

// Size is a measure of the table.
func (dense) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case theme.SizeNameInnerPadding:
		return 4
	case theme.SizeNameText:
		return 12.5
	default:
		return look{}.Size(n)
	}
}

// tight draws a table densely.
func tight(o fyne.CanvasObject) fyne.CanvasObject {
	return container.NewThemeOverride(o, dense{look{}})
}

// inCard gives a table the place that makes its text begin where a card's other
// text does.
func inCard(table fyne.CanvasObject) fyne.CanvasObject {
	side := look{}.Size(theme.SizeNameInnerPadding) - dense{}.Size(theme.SizeNameInnerPadding)
	return container.New(layout.NewCustomPaddedLayout(0, 0, side, side), table)
}

// series are the colours of a chart's parts; its legend says the names.
func (l look) series(i int, v fyne.ThemeVariant) color.Color {
	light := [...]uint32{0x2F6FBF, 0xC27A0E, 0x24867C, 0x7A55B8, 0xBD4468, 0x75808F}
	dark := [...]uint32{0x6FA8EE, 0xE8B04C, 0x56BDB1, 0xAB8BE6, 0xEC86A4, 0x8E99A8}
	if l.dark(v) {
		return rgb(dark[i%len(dark)])
	}
	return rgb(light[i%len(light)])
}

// Font is Fyne's own.
func (l look) Font(s fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(s) }

// Icon is Fyne's own.
func (l look) Icon(n fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(n) }

// Size is a measure of the theme, in Fyne's device independent pixels.
func (l look) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case theme.SizeNameText:
		return 13
	case theme.SizeNameCaptionText:
		return 11
	case theme.SizeNameSubHeadingText:
		return 16
	case theme.SizeNameHeadingText:
		return 21
	case theme.SizeNamePadding:
		return 4
	case theme.SizeNameInnerPadding:
		return 7
	case theme.SizeNameInlineIcon:
		return 18
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius, theme.SizeNameButtonRadius:
		return 6
	default:
		return theme.DefaultTheme().Size(n)
	}
}

// currentSeries asks the theme in use for a series' colour.
func currentSeries(i int) color.Color {
	s := fyne.CurrentApp().Settings()
	l, ok := s.Theme().(look)
	if !ok {
		return theme.Color(theme.ColorNamePrimary)
	}
	return l.series(i, s.ThemeVariant())
}
