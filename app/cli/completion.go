package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

var shells = [...]string{"bash", "zsh", "fish", "powershell"}

// completionCommand prints what teaches a shell Keytray's words. Cobra's own
// calls it a success when there is no such shell.
func (f *face) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a script that completes commands with Tab",
		Long: `Completion prints a script for bash, zsh, fish or powershell, after which Tab
completes Keytray's commands, and the names of providers, tools and labels. It
holds for the shell that reads it, and for all if the shell's own start file
does so. In bash it needs the package bash-completion, in zsh compinit.`,
		Example: `  source <(keytray completion bash)
  source <(keytray completion zsh)
  keytray completion fish > ~/.config/fish/completions/keytray.fish
  keytray completion powershell | Out-String | Invoke-Expression`,
		Args:              exactly(1, "a shell: bash, zsh, fish or powershell"),
		ValidArgsFunction: cobra.FixedCompletions(shells[:], cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), f.out()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			default:
				return usage(cmd, fmt.Errorf("there is no completion for %s: it takes bash, zsh, fish or powershell", quote(args[0])))
			}
		},
	}
}
