package openai

import (
	"testing"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// A10
func TestParts(t *testing.T) {
	part := func(param string, v []byte) (llm.Block, *llm.Error) {
		s, err := field.String(param+".text", field.Of(v, "text"))
		return llm.Block{Kind: llm.Text, Text: s}, err
	}
	for in, want := range map[string]string{
		`null`:                        "",
		`""`:                          "",
		`"a"`:                         "a|",
		`[]`:                          "",
		`["a",{"text":"b"}]`:          "a|b|",
		`["","a"]`:                    "a|",
		`[{"text":""},{"text":"\n"}]`: "\n|",
		`7`:                           "! c",
		`[7]`:                         "! c[0]",
		`[{"text":"a"},{"text":1}]`:   "! c[1].text",
	} {
		blocks, err := Parts("c", []byte(in), part)
		got := ""
		for _, b := range blocks {
			got += b.Text + "|"
		}
		if err != nil {
			got = "! " + err.Param
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestMedia(t *testing.T) {
	for _, c := range []struct{ in, bare, kind, data, link string }{
		{"https://x/a,b", "", "", "", "https://x/a,b"}, // K6
		{"data:image/png;base64,AAAA", "", "image/png", "AAAA", ""},
		{"data:text/plain;charset=utf-8,a%20b", "", "text/plain", "YSBi", ""},
		{"JVBE", "application/pdf", "application/pdf", "JVBE", ""},
		{"JVBE", "", "", "", "JVBE"},
		{"https://x", "application/pdf", "", "", "https://x"},
	} {
		var b llm.Block
		err := SetURL(&b, "u", c.in, c.bare)
		if m := b.Media; err != nil || m.Type != c.kind || m.Data != c.data || m.URL != c.link {
			t.Errorf("%s: %+v %v", c.in, b.Media, err)
		}
	}
	for _, bad := range []string{"", "data:", "data:image/png;base64,", "data:text/plain,%zz"} {
		if err := SetURL(&llm.Block{}, "u", bad, ""); err == nil || err.Param != "u" {
			t.Errorf("%q is a URL: %v", bad, err)
		}
	}
	for in, want := range map[string]string{
		`{"data":"AA","format":"mp3"}`: "audio/mpeg AA",
		`{"data":"AA","format":"wav"}`: "audio/wav AA",
		`{"data":"AA"}`:                "! s.format",
		`{"format":"wav"}`:             "! s.data",
	} {
		b, err := Sound("s", []byte(in))
		got := b.Media.Type + " " + b.Media.Data
		if err != nil {
			got = "! " + err.Param
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
