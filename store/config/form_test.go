package config

import (
	"regexp"
	"strings"
	"testing"
)

// Each form takes what the regular expression in its place takes.
func TestForms(t *testing.T) {
	for pattern, f := range map[string]form{
		`^[a-z0-9][a-z0-9._-]{0,63}$`:                    idForm,
		`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`:            routeForm,
		`^[A-Za-z0-9][A-Za-z0-9 ._:@-]{0,63}$`:           toolForm,
		`^[A-Za-z_][A-Za-z0-9_]{0,127}$`:                 envForm,
		`^[A-Za-z0-9][A-Za-z0-9._:@/+ -]{0,127}$`:        settingForm,
		`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}(?:wont){0}$`: wordForm,
	} {
		want := regexp.MustCompile(pattern)
		samples := []string{"", "é", "aé", "a\n", "\n", "a\x00", strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("a", 128), strings.Repeat("a", 129)}
		for c := range 256 {
			samples = append(samples, string([]byte{byte(c)}), string([]byte{'a', byte(c)}), string([]byte{'a', byte(c), 'a'}))
		}
		for _, s := range samples {
			if got := f.MatchString(s); got != want.MatchString(s) {
				t.Errorf("%s: %q is %v", pattern, s, got)
			}
		}
	}
}
