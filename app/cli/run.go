package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"keytray/app"
)

func (f *face) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run TOOL [-- ARGS]...",
		Short: "Start a tool that talks to Keytray",
		Long: `Run starts a tool with the address of the running Keytray and a token of the
tool's own in its environment. It touches no file of the tool's, and ends with
its exit code. Any program that reads what the SDKs of OpenAI, Anthropic, Google
or Ollama read can be started so; it knows more about
` + strings.Join(app.Launchable(), ", ") + `.`,
		Example: `  keytray run claude
  keytray run codex -- -m openai/gpt-6-luna
  keytray run aider -- --model openai/openai/gpt-6-luna
  keytray run python3 my-script.py`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd, "`keytray run` needs a tool, such as %s", app.Launchable()[0])
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return app.Launchable(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			var p program
			err := f.with(ctx, func(a *app.App) (err error) {
				p, err = f.program(ctx, a, args[0])
				return err
			})
			if err != nil {
				return err
			}
			p.args = slices.Concat([]string{args[0]}, p.args, trim(args[1:]))
			return f.start(ctx, p)
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows the tool is its own
	return cmd
}

// trim takes away the -- that may stand before a tool's own arguments.
func trim(args []string) []string {
	if len(args) > 0 && args[0] == "--" {
		return args[1:]
	}
	return args
}

// program is what is started.
type program struct {
	path string
	args []string // its name first; from program, what comes before the user's
	env  []string
}

func (f *face) program(ctx context.Context, a *app.App, tool string) (program, error) {
	address, err := a.RunningAddress(ctx)
	if err != nil {
		return program{}, err
	}
	path, err := lookPath(tool)
	if err != nil {
		return program{}, err
	}
	l, err := a.Launch(ctx, filepath.Base(tool), "http://"+address)
	if err != nil {
		return program{}, err
	}
	if l.Program != filepath.Base(tool) {
		if path, err = lookPath(l.Program); err != nil {
			return program{}, err
		}
	}
	return program{path: path, args: l.Args, env: merged(f.env.Environ, l.Env)}, nil
}

func lookPath(tool string) (string, error) {
	path, err := exec.LookPath(tool)
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, exec.ErrDot):
		return "", fmt.Errorf("%s is found in this folder alone, which is not on PATH: write ./%s to start that one", tool, tool)
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("there is no program %s on PATH: install it, or give its path", tool)
	default:
		return "", fmt.Errorf("%s cannot be started: %w", tool, err)
	}
}

// merged is an environment with variables put in, in the place of those of the
// same name.
func merged(env, more []string) []string {
	name := func(v string) string {
		n, _, _ := strings.Cut(v, "=")
		if runtime.GOOS == "windows" {
			n = strings.ToUpper(n)
		}
		return n
	}
	out := slices.Clone(env)
	for _, v := range more {
		out = append(slices.DeleteFunc(out, func(have string) bool { return name(have) == name(v) }), v)
	}
	return out
}
