package cli

import "github.com/spf13/cobra"

func (a *app) mergekitCommand() *cobra.Command { return &cobra.Command{Use: "mergekit"} }
