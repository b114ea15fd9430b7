package assets

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io/fs"
	"testing"
)

func TestProvidersAreThere(t *testing.T) {
	names, err := fs.Glob(Providers(), "*.json")
	if err != nil || len(names) < 27 {
		t.Errorf("%d files, %v", len(names), err)
	}
}

func TestIcons(t *testing.T) {
	size := func(b []byte) int {
		img, err := png.DecodeConfig(bytes.NewReader(b))
		if err != nil || img.Width != img.Height {
			t.Errorf("%+v, %v", img, err)
		}
		return img.Width
	}
	drawing := func(b []byte) {
		var doc struct{ XMLName xml.Name }
		if err := xml.Unmarshal(b, &doc); err != nil || doc.XMLName.Local != "svg" {
			t.Errorf("%v, %v", doc.XMLName, err)
		}
	}
	if got := size(IconPNG()); got != 512 {
		t.Errorf("the icon is %d pixels wide", got)
	}
	drawing(IconSVG())
	seen := map[string]State{}
	for _, s := range States() {
		b, err := TrayPNG(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := size(b); got != 64 {
			t.Errorf("%s is %d pixels wide", s, got)
		}
		if other, ok := seen[string(b)]; ok {
			t.Errorf("%s looks like %s", s, other)
		}
		seen[string(b)] = s
		svg, err := TraySVG(s)
		if err != nil {
			t.Fatal(err)
		}
		drawing(svg)
	}
	if _, err := TrayPNG("asleep"); err == nil {
		t.Error("an icon for a state that is none")
	}
}
