package config

import "strings"

// remove takes an entry out of a table: whole lines, or what stands between commas. Comment lines above it stay.
func (s *source) remove(parent *node, key string) ([]splice, error) {
	for i, e := range parent.entries {
		if e.key != key {
			continue
		}
		if parent.flow {
			next := -1
			if i+1 < len(parent.entries) {
				next = parent.entries[i+1].start
			}
			return s.cut(e.start, e.value.end, i > 0, next, parent), nil
		}
		start := s.lineStart(e.start)
		if strings.Trim(string(s.raw[start:e.start]), " ") != "" {
			return nil, errLayout
		}
		return []splice{{start, s.nextLine(max(e.value.end, e.start)), ""}}, nil
	}
	return nil, nil
}

// cut takes one of several things between brackets away, with one of the commas beside it. Comments between the
// things stay.
func (s *source) cut(start, end int, notFirst bool, next int, parent *node) []splice {
	if comma := s.comma(end, parent.end); comma >= 0 {
		after := comma + 1
		if next >= 0 && strings.Trim(string(s.raw[after:next]), " ") == "" {
			after = next
		}
		return []splice{{start, end, ""}, {comma, after, ""}}
	}
	if notFirst {
		if comma := s.commaBefore(start); comma >= 0 {
			if strings.Trim(string(s.raw[comma+1:start]), " ") == "" {
				return []splice{{comma, end, ""}}
			}
			return []splice{{comma, comma + 1, ""}, {start, end, ""}}
		}
	}
	return []splice{{start, end, ""}}
}

// comma finds the comma after a thing, over space and comments; -1 when the bracket closes first.
func (s *source) comma(from, limit int) int {
	for i := from; i < limit; i++ {
		switch s.raw[i] {
		case ',':
			return i
		case ' ', '\t', '\r', '\n':
		case '#':
			i = s.lineEnd(i)
		default:
			return -1
		}
	}
	return -1
}

// commaBefore finds the comma before a thing: on its own line, or on the nearest line above that holds more than
// a comment.
func (s *source) commaBefore(start int) int {
	for end := start; end > 0; {
		line := s.lineStart(end)
		text := string(s.raw[line:end])
		if i := strings.Index(text, " #"); i >= 0 && end != start {
			text = text[:i]
		}
		if trimmed := strings.TrimRight(text, " \t\r\n"); trimmed != "" && trimmed[0] != '#' {
			if strings.HasSuffix(trimmed, ",") {
				return line + len(trimmed) - 1
			}
			return -1
		}
		if line == 0 {
			return -1
		}
		end = line - 1
	}
	return -1
}

// replaceItems changes only the items of a list that differ, so that the comments beside the others stay. It
// returns nil when the list has to be written anew.
func (s *source) replaceItems(old, value *node) []splice {
	first := 0
	for first < len(old.items) && first < len(value.items) && old.items[first].same(value.items[first]) {
		first++
	}
	last := 0
	for last < len(old.items)-first && last < len(value.items)-first &&
		old.items[len(old.items)-1-last].same(value.items[len(value.items)-1-last]) {
		last++
	}
	gone := old.items[first : len(old.items)-last]
	come := value.items[first : len(value.items)-last]
	if len(value.items) == 0 {
		return nil
	}
	var out []splice
	for len(gone) > 0 && len(come) > 0 {
		out = append(out, s.replace(gone[0], come[0])...)
		gone, come, first = gone[1:], come[1:], first+1
	}
	for _, item := range gone {
		if old.flow {
			return nil
		}
		start := s.lineStart(item.start)
		if strings.Trim(string(s.raw[start:item.start]), " ") != "-" {
			return nil
		}
		out = append(out, splice{start, s.nextLine(item.end), ""})
	}
	if len(come) == 0 {
		return out
	}
	if old.flow || first == 0 {
		return nil
	}
	after := old.items[first-1]
	start := s.lineStart(after.start)
	lead := string(s.raw[start:after.start])
	if strings.Trim(lead, " ") != "-" {
		return nil
	}
	at := s.nextLine(after.end)
	var b strings.Builder
	if at > 0 && s.raw[at-1] != '\n' {
		b.WriteString(s.newline)
	}
	for _, item := range come {
		b.WriteString(lead + item.String() + s.newline)
	}
	return append(out, splice{at, at, b.String()})
}
