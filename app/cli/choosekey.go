package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"keytray/app"
)

func (f *face) labelFlag(cmd *cobra.Command, label *string, help string) {
	cmd.Flags().StringVar(label, "label", "", help)
	_ = cmd.RegisterFlagCompletionFunc("label", f.completeLabels) // the flag exists
}

// choose finds the stored key that a command is about: the labelled one, or
// the only one.
func choose(ctx context.Context, a *app.App, p app.Provider, label string) (app.Key, error) {
	all, err := a.Keys(ctx)
	var stored []app.Key
	var elsewhere string
	for _, k := range all {
		switch {
		case k.Provider != p.ID:
		case k.Stored:
			stored = append(stored, k)
		default:
			elsewhere = k.Where
		}
	}
	var labels []string
	for _, k := range stored {
		if label != "" && strings.EqualFold(k.Label, strings.TrimSpace(label)) {
			return k, nil
		}
		labels = append(labels, fmt.Sprintf("%q", k.Label))
	}
	switch {
	case label == "" && len(stored) == 1:
		return stored[0], nil
	case len(stored) > 0 && label == "":
		return app.Key{}, fmt.Errorf("%s has %d keys: say which with --label %s", p.ID, len(stored), strings.Join(labels, " or "))
	case len(stored) > 0:
		return app.Key{}, fmt.Errorf("%s has no key labelled %s; it has %s", p.ID, quote(label), strings.Join(labels, ", "))
	case err != nil:
		return app.Key{}, err
	case elsewhere != "":
		return app.Key{}, fmt.Errorf("the key of %s comes %s, not out of the keychain: change it there", p.ID, elsewhere)
	default:
		return app.Key{}, fmt.Errorf("no key of %s is stored; store one with `keytray keys add %s`", p.ID, p.ID)
	}
}

func hasStored(app.Provider) bool { return true }
