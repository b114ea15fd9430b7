package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"keytray/app"
)

func (f *face) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Store, list and test provider keys",
		Long: `Keys stores provider keys in the system's keychain, and in no file of
Keytray's. A key is asked for at a prompt that does not show it, or read from
standard input; it is never an argument, where others could see it.

A provider may have several keys, told apart by labels. The first one there is
signs, in this order: serve --key, the provider's environment variable, the
keychain in the order of adding. Alone, keys lists them, with those that only
the running Keytray was given.`,
		Example: `  keytray keys add openai
  pass openai | keytray keys add openai --label work
  keytray keys test`,
		Args: f.commandOnly,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.listKeys(cmd.Context(), false, false) },
	}
	cmd.AddCommand(f.keysAdd(), f.keysList(), f.keysTest(), f.keysRemove(), f.keysRename(), f.keysReplace(), f.keysTrust())
	return cmd
}

// secretArgument refuses a key among the arguments, without repeating it.
func secretArgument(least int, names string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > least {
			return usage(cmd, errors.New("a key is never an argument, because other programs and the shell's history would see it: leave it out and it is asked for, or pipe it in"))
		}
		return exactly(least, names)(cmd, args)
	}
}

func (f *face) keysAdd() *cobra.Command {
	var label string
	cmd := &cobra.Command{
		Use:   "add PROVIDER",
		Short: "Store a key in the keychain",
		Long: `Add stores a key in the system's keychain. It asks for it without showing it,
or reads it from standard input.

A key of Bedrock may be an API key, or an AWS key as ACCESS:SECRET,
ACCESS:SECRET:SESSION or JSON; one of Vertex AI is the JSON file of a service
account.`,
		Example: `  keytray keys add anthropic
  keytray keys add openai --label work < key.txt
  keytray keys add vertex < service-account.json`,
		Args:              secretArgument(1, "a provider, such as openai"),
		ValidArgsFunction: f.completeProviders(func(p app.Provider) bool { return p.NeedsKey && p.Built }),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error {
				p, err := provide(a, args[0])
				if err != nil {
					return err
				}
				if !p.Built {
					f.note("keytray: note: %s cannot be called yet: %s", p.Name, p.Why)
				}
				if err := a.MayStore(ctx); err != nil && f.asks() {
					return err
				}
				if p.KeysURL != "" && f.asks() {
					f.note("Get a key at %s", p.KeysURL)
				}
				if p.KeyForm != "" && f.asks() {
					f.note("A key is %s.", p.KeyForm)
				}
				secret, err := f.secret(ctx, fmt.Sprintf("Key for %s (not shown): ", p.Name))
				if err != nil {
					return err
				}
				if err := a.AddKey(ctx, p.ID, label, secret); err != nil {
					return err
				}
				f.stored(ctx, a, p, label, "stored")
				return nil
			})
		},
	}
	f.labelFlag(cmd, &label, `tells keys of one provider apart; "default" if left out`)
	return cmd
}

func (f *face) keysReplace() *cobra.Command {
	var label string
	cmd := &cobra.Command{
		Use:   "replace PROVIDER",
		Short: "Give a stored key a new secret",
		Long:  "Replace puts a new secret in the place of a stored key and keeps its label. It asks for it without showing it, or reads it from standard input.",
		Example: `  keytray keys replace openai
  keytray keys replace openai --label work < new-key.txt`,
		Args:              secretArgument(1, "a provider, such as openai"),
		ValidArgsFunction: f.completeProviders(hasStored),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error {
				p, err := provide(a, args[0])
				if err != nil {
					return err
				}
				k, err := choose(ctx, a, p, label)
				if err != nil {
					return err
				}
				secret, err := f.secret(ctx, fmt.Sprintf("New key for %s, %s (not shown): ", p.Name, k.Label))
				if err != nil {
					return err
				}
				if err := a.ReplaceKey(ctx, p.ID, k.Label, secret); err != nil {
					return err
				}
				f.stored(ctx, a, p, k.Label, "replaced")
				return nil
			})
		},
	}
	f.labelFlag(cmd, &label, "which key, if the provider has several")
	return cmd
}

func (f *face) keysRemove() *cobra.Command {
	var label string
	cmd := &cobra.Command{
		Use:               "remove PROVIDER",
		Aliases:           []string{"rm"},
		Short:             "Take a key out of the keychain",
		Long:              "Remove takes a stored key out of the system's keychain. The provider goes on accepting it: revoke it there if others may know it.",
		Example:           "  keytray keys remove openai --label work",
		Args:              exactly(1, "a provider, such as openai"),
		ValidArgsFunction: f.completeProviders(hasStored),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error {
				p, err := provide(a, args[0])
				if err != nil {
					return err
				}
				k, err := choose(ctx, a, p, label)
				if err != nil {
					return err
				}
				if err := a.RemoveKey(ctx, p.ID, k.Label); err != nil {
					return err
				}
				f.say("removed %s %s %s", p.ID, k.Label, k.Hint)
				if left := inUse(ctx, a, p.ID); left != nil {
					f.say("in use now: %s %s (%s)", left.Label, left.Hint, left.Where)
				} else {
					f.say("%s has no key left: calls to it are refused", p.ID)
				}
				return nil
			})
		},
	}
	f.labelFlag(cmd, &label, "which key, if the provider has several")
	return cmd
}

func (f *face) keysRename() *cobra.Command {
	return &cobra.Command{
		Use:               "rename PROVIDER LABEL NEW-LABEL",
		Short:             "Give a stored key another label",
		Long:              "Rename gives a stored key another label. Rows that were written before keep the old one.",
		Example:           "  keytray keys rename openai default work",
		Args:              exactly(3, "a provider, the key's label and a new label"),
		ValidArgsFunction: f.completeProviders(hasStored),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error {
				p, err := provide(a, args[0])
				if err != nil {
					return err
				}
				if err := a.RenameKey(ctx, p.ID, args[1], args[2]); err != nil {
					return err
				}
				f.say("renamed %s %s to %s", p.ID, args[1], args[2])
				return nil
			})
		},
	}
}

func (f *face) keysTrust() *cobra.Command {
	return &cobra.Command{
		Use:   "trust PROVIDER",
		Short: "Let a provider's keys go to its changed address",
		Long: `Trust lets a provider's keys go to the host that base_url in config.yaml names
now. Until then no key goes to a host that is neither the provider's own nor this
computer, so that a changed file cannot carry a key off. What was confirmed is
kept in trusted.json.`,
		Example:           "  keytray keys trust openai",
		Args:              exactly(1, "a provider, such as openai"),
		ValidArgsFunction: f.completeProviders(func(p app.Provider) bool { return p.Built && !p.Off }),
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
				f.say("keys of %s may go to %s", p.ID, host)
				return nil
			})
		},
	}
}

// stored says where a key went and which one signs.
func (f *face) stored(ctx context.Context, a *app.App, p app.Provider, label, what string) {
	if label = strings.TrimSpace(label); label == "" {
		label = "default"
	}
	first := inUse(ctx, a, p.ID)
	for _, k := range a.CachedKeys() {
		if k.Provider == p.ID && k.Stored && strings.EqualFold(k.Label, label) {
			f.say("%s %s %s %s %s", what, p.ID, k.Label, k.Hint, k.Where)
			if k.Admin {
				f.saidAdmin(a, p)
			} else if first != nil && !k.InUse {
				f.say("in use is still %s %s (%s), which comes before it", first.Label, first.Hint, first.Where)
			}
		}
	}
	if p.Built {
		f.note("Ask %s whether it accepts it: keytray keys test %s --label %s", p.Name, p.ID, word(label))
	}
}

// inUse is the key that signs for a provider, or nil.
func inUse(ctx context.Context, a *app.App, provider string) *app.Key {
	keys, _ := a.Keys(ctx) // those that were read are good
	for _, k := range keys {
		if k.Provider == provider && k.InUse {
			return &k
		}
	}
	return nil
}

// word quotes a label for a shell if it needs it.
func word(s string) string {
	if strings.ContainsAny(s, " \t") {
		return `"` + s + `"`
	}
	return s
}
