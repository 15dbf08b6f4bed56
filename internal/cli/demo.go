package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/demo"
	"github.com/tallystick/tallystick/internal/server"
)

func (a *app) demo() *cobra.Command {
	config := demo.Config{Out: a.Out}
	var exit bool
	cmd := &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Watch a made-up lender release a model, answer for one decision, and prove both",
		Long: `Demo starts a server in DIR (default tally-demo) and plays the release of a credit score on made-up data: what the
gate denies and what to do, data without consent, evidence, an author who may not approve, those who may, the
promotion, an attempt to go around it, a customer who complains of a decision and the two people who look at it,
drift in a pilot with its incident and the way back, the auditor's package, and a changed byte that is caught. Each step is one line, with the page that shows it if
there is one. Every step runs a command that you can run yourself: --commands prints them.

The server then stays up until Ctrl-C, with sign-in links for the author, the approver and the auditor.

Exit code: 0 every step held, 3 one did not.`,
		Example: `  tallystick demo
  tallystick demo --exit --commands`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			config.Dir, config.Stay = "tally-demo", !exit
			if len(args) > 0 {
				config.Dir = args[0]
			}
			if config.Program, err = os.Executable(); err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			if exit && !cmd.Flags().Changed("listen") {
				config.Listen = "127.0.0.1:0"
			}
			return demo.Play(cmd.Context(), config)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&exit, "exit", false, "end after the last step")
	flags.BoolVar(&config.Commands, "commands", false, "print each command before it runs")
	flags.StringVar(&config.Listen, "listen", server.DefaultListen, "address of the server, as `HOST:PORT`; with --exit a free port")
	return cmd
}
