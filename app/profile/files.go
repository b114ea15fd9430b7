package profile

import (
	"maps"
	"os"
	"strings"
)

// section is what stands under one heading of a file.
type section map[string]string

// sections are those of both files, by their heading without "profile ".
type sections map[string]section

// partial is set in a section with one half of a key. No file can say that.
const partial = "\n"

// add reads a file. In AWS's config every heading but that of the default says
// what it is of ("[profile work]"); in credentials it is the profile's name.
func (all sections) add(file string, config bool) {
	b, err := os.ReadFile(file)
	if err != nil {
		return // it may well be missing; AWS's tools take one that cannot be read for empty
	}
	found := parse(string(b))
	for heading, s := range found {
		kind, name, named := strings.Cut(heading, " ")
		if !named {
			kind, name = "", heading
		}
		switch {
		case !config && kind == "profile":
			continue
		case config && kind == "profile":
			heading = name
		case config && kind != "sso-session" && !strings.EqualFold(heading, "default"):
			continue
		case config && found["profile "+heading] != nil:
			continue // [profile default] is meant where there is [default] too
		}
		_, id := s["aws_access_key_id"]
		if _, secret := s["aws_secret_access_key"]; id != secret {
			s[partial] = "yes"
		}
		if all[heading] == nil {
			all[heading] = section{}
		}
		delete(all[heading], partial)
		maps.Copy(all[heading], s)
	}
}

// parse reads the form of both files: headings in brackets, and lines of a name
// and a value. A line that is indented goes on with the value before it, or
// belongs to a name without a value; a name and a value there, after a value,
// are taken as if they were not indented, as AWS's tools do.
func parse(text string) map[string]section {
	found := map[string]section{}
	var at section
	last := ""
	for line := range strings.SplitSeq(text, "\n") {
		bare := strings.TrimSpace(line)
		if bare == "" || bare[0] == '#' || bare[0] == ';' {
			continue
		}
		if heading, ok := headingOf(line); ok {
			if found[heading] == nil {
				found[heading] = section{}
			}
			at, last = found[heading], ""
			continue
		}
		indented := line[0] == ' ' || line[0] == '\t'
		if !indented {
			line = uncommented(line)
		}
		name, value, ok := pair(line)
		switch {
		case at == nil: // before the first heading
		case ok && !indented:
			at[name], last = value, name
		case ok && (last == "" || at[last] != ""):
			at[name], last = strings.TrimSpace(uncommented(value)), name
		case !ok && indented && last != "" && at[last] != "":
			at[last] += "\n" + bare
		}
	}
	return found
}

// headingOf is "kind name" of a line "[kind name]", with one space.
func headingOf(line string) (string, bool) {
	line, _, _ = strings.Cut(line, "#")
	line, _, _ = strings.Cut(line, ";")
	line = strings.TrimSpace(line)
	if len(line) < 2 || line[0] != '[' || line[len(line)-1] != ']' {
		return "", false
	}
	line = strings.TrimSpace(line[1 : len(line)-1])
	if i := strings.IndexAny(line, " \t"); i > 0 {
		return line[:i] + " " + strings.TrimLeft(line[i:], " \t"), true
	}
	return line, true
}

// uncommented is a line without the comment at its end, which follows a space.
func uncommented(line string) string {
	for _, mark := range []string{" #", " ;", "\t#", "\t;"} {
		line, _, _ = strings.Cut(line, mark)
	}
	return line
}

// pair splits "name = value", or "name: value". Names may be in capitals, and
// values in quotes.
func pair(line string) (name, value string, ok bool) {
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return "", "", false
	}
	value = strings.TrimSpace(line[i+1:])
	if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	return strings.ToLower(strings.TrimSpace(line[:i])), value, true
}
