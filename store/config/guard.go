package config

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

const (
	// maxDepth is far more than the settings need and far less than a recursive parser can take.
	maxDepth = 16
	// maxNames bounds the parser's time, which grows with the square of the names in one table.
	maxNames = 10_000
)

// guard looks at the tokens before the recursive parser does, and refuses what a settings file has no use for:
// anchors and aliases (a few lines of them can stand for gigabytes), tags, directives, deep nesting.
func (s *source) guard(tokens token.Tokens) Problems {
	flow, names, started := 0, 0, false
	var columns []int // of the block levels that are open
	for i, t := range tokens {
		line, col := t.Position.Line, max(t.Position.Column, 1)
		if t.Type == token.InvalidType {
			return s.fail(line, col, "is not YAML: "+t.Error, hintFor(t.Error))
		}
		if what := refused(t.Type, started); what != "" {
			return s.fail(line, col, what+" cannot be used in this file",
				"write the value out, or put it in quotes if it is meant as text")
		}
		started = started || t.Type != token.CommentType
		level := 0
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType:
			level = col
		case token.MappingValueType:
			if names++; names > maxNames {
				return s.fail(line, col, fmt.Sprintf("holds more than %d names", maxNames), "only settings belong into this file")
			}
			level = col
			if i > 0 && tokens[i-1].Position.Line == line {
				level = tokens[i-1].Position.Column // its key
			}
		default:
		}
		if level > 0 && flow == 0 {
			for len(columns) > 0 && columns[len(columns)-1] >= level {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, level)
		}
		if flow+len(columns) > maxDepth {
			return s.fail(line, col, fmt.Sprintf("is nested more than %d levels deep", maxDepth), "no setting needs that")
		}
	}
	return nil
}

// refused names the form of YAML that t begins if the file may not use it.
func refused(t token.Type, started bool) string {
	switch t {
	case token.AnchorType:
		return "an anchor (&)"
	case token.AliasType:
		return "an alias (*)"
	case token.MergeKeyType:
		return "a merge (<<)"
	case token.TagType:
		return "a tag (!)"
	case token.DirectiveType:
		return "a directive (%)"
	case token.MappingKeyType:
		return "a question mark as a key"
	case token.DocumentEndType:
		return "a document end (...)"
	case token.DocumentHeaderType:
		if started {
			return "a second document (---)"
		}
		return ""
	default:
		return ""
	}
}
