package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) purgeCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Remove everything that Keytray has stored",
		Long: `Purge removes all that Keytray has ever stored on this computer: the keys in the
keychain, the tools' tokens, the record of calls, the settings and their copies,
and its folder. It lists what will go and asks first. Nothing of it comes back:
keytray export keeps a copy of the record of calls.

Keys stay valid at their providers, and tools that were pointed at Keytray keep
its address. Keytray itself, the program, is not removed.`,
		Example: `  keytray export > calls.csv
  keytray purge`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			a, err := f.open(ctx, app.Options{})
			if err != nil {
				return err
			}
			return errors.Join(f.purge(ctx, a, yes), a.Close())
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "remove it without being asked")
	return cmd
}

func (f *face) purge(ctx context.Context, a *app.App, yes bool) error {
	if err := a.Alone(ctx); err != nil {
		return err
	}
	b, err := a.Belongings(ctx)
	if err != nil {
		return err
	}
	f.say("This will be removed, for good:")
	if b.Calls > 0 {
		f.say("  the record of %s: `keytray export > calls.csv` keeps a copy", view.Plural(b.Calls, "call"))
	}
	if len(b.Keys) > 0 {
		f.say("  %s: %s", view.Plural(int64(len(b.Keys)), "key"), strings.Join(b.Keys, ", "))
	}
	if len(b.Tools) > 0 {
		f.say("  %s: %s", view.Plural(int64(len(b.Tools)), "token"), strings.Join(b.Tools, ", "))
	}
	for _, file := range b.Files {
		f.say("  %s", file)
	}
	if b.Unseen != nil {
		f.note("keytray: warning: %s, so keys and tokens that Keytray has put into a keychain stay there. To remove them too, run `keytray purge` where it can be reached, such as in a desktop session, and before this: the list of tokens goes with the rest.", view.PlainText(b.Unseen.Error()))
	}
	if err := f.agreed(ctx, yes, "Remove all of it?", "nothing was removed"); err != nil {
		return err
	}
	left, err := a.Purge(ctx)
	if err != nil {
		return err
	}
	f.say("removed")
	for _, file := range left {
		f.note("left, as it is not Keytray's: %s", file)
	}
	return nil
}
