package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"keytray/app"
)

func (f *face) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Version prints the version of this program, the system it was built for and the Go version that built it.",
		Example: "  keytray version",
		Args:    exactly(0, ""),
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintln(cmd.OutOrStdout(), "keytray version", version())
		},
	}
}

// version has no name in front: cobra writes one before it for --version.
func version() string {
	return fmt.Sprintf("%s %s/%s %s", app.Version, runtime.GOOS, runtime.GOARCH, runtime.Version())
}
