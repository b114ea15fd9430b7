package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// longestSecret is far above any key, and keeps a wrong file out.
const longestSecret = 64 << 10

// terminal is standard input, if a person is there.
func (f *face) terminal() (fd int, ok bool) {
	file, ok := f.env.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	return int(file.Fd()), true
}

// asks tells whether a prompt can be answered.
func (f *face) asks() bool {
	_, ok := f.terminal()
	return ok
}

// secret reads a key: from a prompt that does not show it, or from standard
// input if that is no terminal.
func (f *face) secret(ctx context.Context, prompt string) (string, error) {
	fd, ok := f.terminal()
	if !ok {
		b, err := io.ReadAll(io.LimitReader(f.env.Stdin, longestSecret+1))
		if err != nil {
			return "", fmt.Errorf("read the key from standard input: %w", err)
		}
		if len(b) > longestSecret {
			return "", errors.New("what standard input holds is too long for a key: pipe in the key alone")
		}
		return oneLine(string(b))
	}
	state, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the key: %w", err)
	}
	fmt.Fprint(f.env.Stderr, prompt)
	type answer struct {
		text []byte
		err  error
	}
	// Nothing can stop a terminal's read; the program ends soon after ctx.
	read := make(chan answer, 1)
	go func() {
		b, err := term.ReadPassword(fd)
		read <- answer{b, err}
	}()
	select {
	case <-ctx.Done():
		_ = term.Restore(fd, state) // the shell shows what is typed again
		fmt.Fprintln(f.env.Stderr)
		return "", ctx.Err()
	case got := <-read:
		fmt.Fprintln(f.env.Stderr)
		if got.err != nil {
			return "", fmt.Errorf("read the key: %w", got.err)
		}
		return oneLine(string(got.text))
	}
}

func oneLine(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", errors.New("no key was given; type or paste it at the prompt, or pipe it in")
	case strings.HasPrefix(text, "{"): // the JSON of a key that has several parts
		return strings.Join(strings.Fields(text), " "), nil
	case strings.ContainsAny(text, "\r\n"):
		return "", errors.New("a key is one line, and there were several: pipe in the key alone")
	}
	return text, nil
}
