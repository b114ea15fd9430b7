package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what Keytray stands on",
		Long: `Doctor looks at the folder, config.yaml, the keychain, the ledger, Ollama and the
environment, and says what to do about what is wrong. It changes nothing and
calls no provider. It ends with code 1 if something is wrong that Keytray needs;
what it can do without is marked "note".`,
		Example: `  keytray doctor
  keytray doctor --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error { return f.report(a.Doctor(ctx), asJSON) })
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// checkJSON is a check in --json.
type checkJSON struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Minor  bool   `json:"minor"`
	Said   string `json:"said"`
	Remedy string `json:"remedy"`
}

func (f *face) report(checks []app.Check, asJSON bool) error {
	bad, width := false, 0
	for _, c := range checks {
		bad = bad || (!c.OK && !c.Minor)
		width = max(width, view.Width(c.Name))
	}
	for _, c := range checks {
		if asJSON {
			if err := object(f.out(), checkJSON{c.Name, c.OK, c.Minor, c.Said, c.Remedy}); err != nil {
				return err
			}
			continue
		}
		mark := "ok"
		switch {
		case !c.OK && c.Minor:
			mark = "note"
		case !c.OK:
			mark = "BAD"
		}
		pad := strings.Repeat(" ", width-view.Width(c.Name))
		f.say("%-4s  %s%s  %s", mark, c.Name, pad, view.PlainText(c.Said))
		if !c.OK && c.Remedy != "" {
			f.say("%s  %s", strings.Repeat(" ", width+6), view.PlainText(c.Remedy))
		}
	}
	if bad {
		return codeError(failed)
	}
	return nil
}
