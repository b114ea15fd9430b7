//go:build !nogui

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// icon is a picture of 24 x 24 that takes the theme's colour.
func icon(name, path string) fyne.Resource {
	return theme.NewThemedResource(fyne.NewStaticResource(name+".svg",
		[]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24"><path fill="#000" d="`+path+`"/></svg>`)))
}

func keyIcon() fyne.Resource {
	return icon("key", "M8 6a6 6 0 1 0 5.65 8H16v3h4v-3h2v-4h-8.35A6 6 0 0 0 8 6zm0 4a2 2 0 1 1 0 4 2 2 0 0 1 0-4z")
}

func routesIcon() fyne.Resource {
	return icon("routes", "M4 4h6v2H6v5h6l4-4V4h4v4h-2.6L13 12l4.4 4H20v4h-4v-3l-4-4H6v5h4v2H4z")
}

func spendIcon() fyne.Resource {
	return icon("spend", "M4 13h4v7H4zM10 4h4v16h-4zM16 9h4v11h-4z")
}
