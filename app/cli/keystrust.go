package cli

import (
	"github.com/spf13/cobra"

	"keytray/app"
)

func (f *face) keysTrust() *cobra.Command {
	return &cobra.Command{
		Use:   "trust PROVIDER",
		Short: "Let a provider's keys go to the host of its base_url",
		Long: `Trust confirms a base_url that was changed in config.yaml. A key goes only to
its provider's own host, to this computer, and to hosts that were confirmed: so a
changed file cannot carry it off.`,
		Example:           `  keytray keys trust openai`,
		Args:              between(1, 1, "a provider, such as openai"),
		ValidArgsFunction: f.completeProviders(func(p app.Provider) bool { return p.NeedsKey }),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), func(a *app.App) error {
				p, err := provide(a, args[0])
				if err != nil {
					return err
				}
				host, err := a.Trust(p.ID)
				if err != nil {
					return err
				}
				f.say("Keys of %s may go to %s.", p.ID, host)
				return nil
			})
		},
	}
}
