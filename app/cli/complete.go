package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
)

// patience is how long a person who presses Tab waits at most.
const patience = 2 * time.Second

type completion = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective)

// complete offers words for the first argument. It asks no keychain, and says
// nothing when something is wrong: the command itself will.
func (f *face) complete(words func(context.Context, *app.App) []string) completion {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f.offer(cmd, begun, words), cobra.ShellCompDirectiveNoFileComp
	}
}

func (f *face) offer(cmd *cobra.Command, begun string, words func(context.Context, *app.App) []string) []cobra.Completion {
	ctx, cancel := context.WithTimeout(cmd.Context(), patience)
	defer cancel()
	var out []cobra.Completion
	_ = f.with(ctx, func(a *app.App) error {
		for _, w := range words(ctx, a) {
			if strings.HasPrefix(w, begun) {
				out = append(out, w)
			}
		}
		return nil
	})
	return out
}

func (f *face) completeProviders(which func(app.Provider) bool) completion {
	return f.complete(func(_ context.Context, a *app.App) []string {
		var out []string
		for _, p := range a.Providers() {
			if which(p) {
				out = append(out, p.ID+"\t"+p.Name)
			}
		}
		return out
	})
}

// completeLabels offers the labels of the provider that is named already.
func (f *face) completeLabels(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return f.offer(cmd, begun, func(ctx context.Context, a *app.App) []string {
		keys, _ := a.Keys(ctx) // none is an answer too
		var out []string
		for _, k := range keys {
			if len(args) == 0 || k.Provider == args[0] {
				out = append(out, k.Label)
			}
		}
		return out
	}), cobra.ShellCompDirectiveNoFileComp
}
