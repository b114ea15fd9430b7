package cli

import (
	"fmt"
	"io"
	"slices"

	"keytray/app"
	"keytray/app/view"
)

// print writes a table as wide as the terminal allows.
func (f *face) print(t *view.Table) {
	for _, line := range t.Lines(f.columns()) {
		fmt.Fprintln(f.out(), line)
	}
}

// say writes one line.
func (f *face) say(format string, args ...any) { fmt.Fprintf(f.out(), format+"\n", args...) }

// note writes what is not the result, for the person.
func (f *face) note(format string, args ...any) { fmt.Fprintf(f.env.Stderr, format+"\n", args...) }

// object writes one JSON object on one line.
func object(w io.Writer, v any) error { return view.Object(w, v) }

// warn prints a problem that did not keep the command from its work.
func (f *face) warn(said, remedy string) {
	f.note("keytray: warning: %s", advice(said, remedy))
}

// doubts prints what may be misspelt in what goes by a name.
func (f *face) doubts(name string, all []string) {
	for _, said := range all {
		f.note("keytray: note: %s: %s", name, view.PlainText(said))
	}
}

// warnOf prints what the app knows to be wrong with these things. What is not
// grave, as no keychain where the environment has the keys, is left to doctor
// and to keys list.
func (f *face) warnOf(a *app.App, about ...string) {
	for _, p := range a.Status().Problems {
		if p.Grave && slices.Contains(about, p.About) {
			f.warn(p.Message, p.Remedy)
		}
	}
}
