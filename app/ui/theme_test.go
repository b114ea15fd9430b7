//go:build !nogui

package ui

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
)

// contrast is the ratio of WCAG 2.2 between two opaque colours.
func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	part := func(v uint32) float64 {
		s := float64(v) / 0xFFFF
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*part(r) + 0.7152*part(g) + 0.0722*part(b)
}

// over lays a colour with transparency over an opaque one.
func over(top, ground color.Color) color.Color {
	t := color.NRGBAModel.Convert(top).(color.NRGBA)
	g := color.NRGBAModel.Convert(ground).(color.NRGBA)
	mix := func(a, b uint8) uint8 { return uint8((int(a)*int(t.A) + int(b)*(255-int(t.A))) / 255) }
	return color.NRGBA{R: mix(t.R, g.R), G: mix(t.G, g.G), B: mix(t.B, g.B), A: 255}
}

func TestWordsCanBeRead(t *testing.T) {
	test.NewTempApp(t)
	for _, choice := range []string{"light", "dark"} {
		l := look{choice}
		get := func(n fyne.ThemeColorName) color.Color { return l.Color(n, theme.VariantLight) }
		grounds := map[string]color.Color{
			"window": get(theme.ColorNameBackground), "panel": get(colorPanel), "side": get(colorSide),
			"sheet": get(theme.ColorNameOverlayBackground), "input": get(theme.ColorNameInputBackground),
			"chosen": over(get(theme.ColorNameSelection), get(colorSide)), "hovered": over(get(theme.ColorNameHover), get(colorPanel)),
		}
		for name, ground := range grounds {
			for _, ink := range []fyne.ThemeColorName{
				theme.ColorNameForeground, theme.ColorNamePlaceHolder, theme.ColorNameDisabled, theme.ColorNamePrimary,
				theme.ColorNameHyperlink, theme.ColorNameError, theme.ColorNameSuccess, theme.ColorNameWarning,
			} {
				if c := contrast(get(ink), ground); c < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f", choice, ink, name, c)
				}
			}
		}
		for on, ground := range map[fyne.ThemeColorName]fyne.ThemeColorName{
			theme.ColorNameForegroundOnPrimary: theme.ColorNamePrimary, theme.ColorNameForegroundOnError: theme.ColorNameError,
			theme.ColorNameForeground: theme.ColorNameButton,
		} {
			if c := contrast(get(on), get(ground)); c < 4.5 {
				t.Errorf("%s: %s has a contrast of %.2f", choice, on, c)
			}
		}
		for i := range 6 {
			if c := contrast(l.series(i, theme.VariantLight), get(colorPanel)); c < 3 {
				t.Errorf("%s: the bars' colour %d has a contrast of %.2f", choice, i, c)
			}
		}
	}
}

func TestThemeFollowsTheSystem(t *testing.T) {
	test.NewTempApp(t)
	bg := func(choice string, v fyne.ThemeVariant) color.Color {
		return look{choice}.Color(theme.ColorNameBackground, v)
	}
	light, dark := bg("light", theme.VariantDark), bg("dark", theme.VariantLight)
	if light == dark {
		t.Fatal("light is dark")
	}
	if bg("system", theme.VariantLight) != light || bg("system", theme.VariantDark) != dark {
		t.Error("the theme does not follow the system")
	}
	if (dense{look{}}).Color(theme.ColorNameBackground, theme.VariantLight) == nil {
		t.Error("tables have no colours")
	}
}
