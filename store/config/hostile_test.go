package config

import (
	"strings"
	"testing"
)

type hostileCase struct{ name, text, want string }

func hostile() []hostileCase {
	bomb := "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
	return []hostileCase{
		{"anchor bomb", bomb, "1:4: an anchor (&) cannot be used in this file"},
		{"alias", "active: *x\n", "1:9: an alias (*) cannot be used"},
		{"merge", "<<: {a: 1}\n", "1:1: a merge (<<) cannot be used"},
		{"tag", "active: !!binary aGk=\n", "1:9: a tag (!) cannot be used"},
		{"directive", "%YAML 1.2\n---\nactive: auto\n", "1:1: a directive (%) cannot be used"},
		{"question mark", "? active\n: auto\n", "1:1: a question mark as a key cannot be used"},
		{"two documents", "active: auto\n---\nactive: offline\n", "2:1: a second document (---) cannot be used"},
		{"document end", "active: auto\n...\n", "2:1: a document end (...) cannot be used"},
		{"too large", strings.Repeat("# padding\n", maxSize/10+1), "is larger than 1024 KiB"},
		{"deep brackets", "a: " + strings.Repeat("[", 500_000), "1:19: is nested more than 16 levels"},
		{"deep braces", "a: " + strings.Repeat("{a: ", 200_000), "1:64: is nested more than 16 levels"},
		{"deep dashes", strings.Repeat("- ", 400_000), "1:33: is nested more than 16 levels"},
		{"deep blocks", stairs(1000), "17:18: is nested more than 16 levels"},
		{"deep colons", strings.Repeat("a: ", 300_000), "1:50: is nested more than 16 levels"},
		{"many names", strings.Repeat("a: b\n", 20_000), "10001:2: holds more than 10000 names"},
		{"utf-16", "\xff\xfea\x00:\x00", "1:1: is UTF-16 text; save it as UTF-8"},
		{"not utf-8", "active: auto\n# caf\xe9\n", "2:6: holds a byte that is not UTF-8"},
		{"nul", "active: a\x00b\n", "1:10: holds the control character U+0000"},
		{"bare return", "active: auto\ractive: auto\n", "1:13: holds a bare carriage return"},
		{"tab", "providers:\n\tlab: {}\n", "2:1: a tab is used for indentation; YAML wants spaces"},
		{"tab after spaces", "providers:\n  \tlab: {}\n", "2:3: a tab is used for indentation"},
		{"list", "- a\n- b\n", "1:1: the file is a list"},
		{"text", "hello\n", "1:1: the file is text"},
		{"open quote", "active: 'auto\n", "1:9: is not YAML"},
		{"open bracket", "origins: [a\n", "1:10: is not YAML"},
		{"two colons", "active: a b: c\n", "1:9: is not YAML: mapping value is not allowed in this context; one setting on each line"},
		{"bad indentation", "budget:\n    day: 1\n  month: 2\n", "3:3: is not YAML"},
	}
}

func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestHostile(t *testing.T) {
	for _, c := range hostile() {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("f", []byte(c.text))
			if err == nil {
				t.Fatal("was accepted")
			}
			if !strings.HasPrefix(err.Error(), "f:"+c.want) && !strings.HasPrefix(err.Error(), "f: "+c.want) {
				t.Errorf("got  %s\nwant f:%s", err, c.want)
			}
		})
	}
}

// TestLarge reads files of a quarter of the limit; they must only end, with settings or problems.
func TestLarge(t *testing.T) {
	for name, unit := range map[string]string{
		"comments": "# c\n", "settings": "a: b\n", "items": "- a\n", "quotes": "'a' ", "words": "a b ", "lines": "\n",
		"open braces and closed": "{}", "commas": "[,", "spaces": "      ", "double": "\"", "single": "'", "pipes": "a: |\n  b\n",
		"colons": ":", "hashes": "a #", "carriage": "\r\n", "dashes": "---\n",
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(unit, maxSize/4/len(unit))
			cfg, err := Parse("f", []byte(text))
			if (cfg == nil) == (err == nil) {
				t.Fatalf("settings %v, error %v", cfg, err)
			}
		})
	}
}

// TestOddButGood reads what editors and other systems make of a good file.
func TestOddButGood(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"space":          " \n\n",
		"comments":       "# nothing\n",
		"document start": "---\nlisten: 127.0.0.1:5397\n",
		"byte order":     "\ufefflisten: 127.0.0.1:5397\n",
		"crlf":           "listen: 127.0.0.1:5397\r\nactive: auto\r\n",
		"empty sections": "providers:\nroutes: ~\ntools: {}\nbudget: null\norigins: []\nstand_ins:\nledger:\nactive:\nlisten:\n",
		"first":          first,
		"tab in comment": "\t# x\nactive: auto\t# y\n",
		"no line end":    "active: auto",
		"null":           "null\n",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := Parse("f", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			want := Defaults()
			if len(cfg.Origins) == 0 {
				cfg.Origins = nil
			}
			if cfg.Listen != want.Listen || cfg.Active != want.Active || cfg.Budget != want.Budget || cfg.Ledger != want.Ledger {
				t.Errorf("got %+v", cfg)
			}
		})
	}
}
