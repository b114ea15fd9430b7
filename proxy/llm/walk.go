package llm

// Object, Array and Skip walk through nested JSON in one pass, where [Fields]
// and [Elements] would scan each level again: whoever is shown a value says
// where it ends, by going into it or by skipping it.

// Object visits the fields of the object that starts at i: keys without quotes
// and with escapes as they are, and where each value starts. visit returns the
// end of the value, or a negative number to give up, as Object itself does,
// also when the JSON is broken. A value that is no object is skipped.
func Object(b []byte, i int, visit func(key []byte, i int) int) int {
	if i < 0 || i >= len(b) || b[i] != '{' {
		return Skip(b, i)
	}
	i = space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return -1
		}
		end := str(b, i)
		if end < 0 {
			return -1
		}
		key := b[i+1 : end-1]
		if i = space(b, end); i == len(b) || b[i] != ':' {
			return -1
		}
		if i = space(b, i+1); i == len(b) {
			return -1
		}
		if end = visit(key, i); end <= i || end > len(b) {
			return -1
		}
		i = space(b, end)
		switch {
		case i == len(b):
			return -1
		case b[i] == '}':
			return i + 1
		case b[i] != ',':
			return -1
		}
		i = space(b, i+1)
	}
}

// Array visits the values of the array that starts at i, as [Object] does an
// object's. A value that is no array is skipped.
func Array(b []byte, i int, visit func(i int) int) int {
	if i < 0 || i >= len(b) || b[i] != '[' {
		return Skip(b, i)
	}
	i = space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i == len(b) {
			return -1
		}
		end := visit(i)
		if end <= i || end > len(b) {
			return -1
		}
		i = space(b, end)
		switch {
		case i == len(b):
			return -1
		case b[i] == ']':
			return i + 1
		case b[i] != ',':
			return -1
		}
		i = space(b, i+1)
	}
}

// Skip is the end of the value that starts at i, or -1.
func Skip(b []byte, i int) int {
	if i < 0 {
		return -1
	}
	return value(b, i, nil)
}
