// Package cli is Keytray at a prompt: every use case that the window has, one
// command each.
//
// Run does all of it. What a command prints on standard output is its result,
// and nothing else; notes, warnings and errors go to standard error. With
// --json each result is one object on one line.
package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"keytray/app"
)

// Env is the world that a command runs in.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Getenv reads the environment; nil is os.Getenv.
	Getenv func(string) string
	// Environ is what `keytray run` hands on to a tool, as KEY=VALUE; nil is
	// os.Environ().
	Environ []string
	// Window shows the window of an App that is open and serves if it could,
	// and returns when the user quits. It may be NoWindow, or nil for the same.
	Window func(*app.App) error
	// Keychain replaces the system's, in tests.
	Keychain app.Keychain
}

// Run runs the command that args name (without the program's own name) and
// returns its exit code: 0 done, 1 failed, 2 wrong usage. When ctx ends, serve
// drains and the others stop.
func Run(ctx context.Context, args []string, env Env) int {
	f := &face{env: env.complete()}
	root := f.root()
	root.SetArgs(args)
	root.SetIn(f.env.Stdin)
	root.SetOut(f.out())
	root.SetErr(f.env.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = f.output.err
	}
	return f.fail(cmd, err)
}

// face is one run of one command.
type face struct {
	env    Env
	output output
}

func (f *face) root() *cobra.Command {
	// Else a double click on Windows ends in a lecture about command lines.
	cobra.MousetrapHelpText = ""
	root := &cobra.Command{
		Use:   "keytray",
		Short: "Keytray: one local address for every model, with your own keys",
		Long: `Keytray answers local tools at one address, http://127.0.0.1:5397, routes each
call to a provider or to Ollama, signs it with your own key, and writes down
what it cost. Without a command it opens the window and the tray.

Keys are kept in the system's keychain; each provider's environment variable
(such as OPENAI_API_KEY) comes before it, and serve --key before that.

The settings are in config.yaml, the record of calls in ledger.db and the
tools' tokens, as hashes, in tokens.json. They are in the folder that
KEYTRAY_HOME names, else where the system keeps such things; keytray doctor
shows where.`,
		Example: `  keytray                      open the window
  keytray serve                answer without one
  keytray keys add openai      store a key; it is asked for, or piped in
  keytray token my-editor      the token that a tool sends as its API key
  keytray spend --by model     what it cost`,
		Args:          f.commandOnly,
		RunE:          f.window,
		SilenceErrors: true,
		SilenceUsage:  true,
		// A template of one's own would bring in text/template, which keeps the
		// linker from leaving out methods that nobody calls.
		Version: version(),
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err) })
	root.AddCommand(
		f.serveCommand(),
		f.keysCommand(),
		f.tokenCommand(),
		f.useCommand(),
		f.routesCommand(),
		f.modelsCommand(),
		f.pricesCommand(),
		f.spendCommand(),
		f.budgetCommand(),
		f.reconcileCommand(),
		f.requestsCommand(),
		f.exportCommand(),
		f.runCommand(),
		f.doctorCommand(),
		f.purgeCommand(),
		f.versionCommand(),
		f.completionCommand(),
	)
	root.SetHelpCommand(f.helpCommand(root))
	return root
}
