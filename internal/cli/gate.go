package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/release"
)

// targetFlags say what is to be let in, and where.
type targetFlags struct {
	release.Asking
	role string
}

func (t *targetFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&t.Environment, "to", "", "the `environment`")
	flags.StringVar(&t.role, "role", "champion", "champion, challenger, shadow or canary")
	flags.Int64Var(&t.Percent, "percent", 0, "share of the requests that a canary answers, 1 to 99")
}

func (t *targetFlags) read(cmd *cobra.Command, name string) (err error) {
	if t.Environment == "" {
		return usageError(cmd, "--to is missing")
	}
	if err := oneOf("--role", t.role, "champion", "challenger", "shadow", "canary"); err != nil {
		return err
	}
	t.Role = catalog.Role(t.role)
	t.Model, t.Version, err = versionName(name)
	return err
}

func (a *app) gate() *cobra.Command {
	var t targetFlags
	var format string
	cmd := &cobra.Command{
		Use:   "gate MODEL@VERSION --to ENVIRONMENT",
		Short: "Ask the gate whether a version may be let into an environment",
		Long: `Gate judges everything that is on record of a version (evidence, audit, data, signatures, approvals,
waivers, freezes) by the policy of the model's tier, and prints one row for every rule. What denies says
what is missing and the command that produces it. The decision is recorded, and can be taken again from
its stored input.

Exit code: 0 the gate passes, 1 it denies.`,
		Example: `  tallystick gate credit@3 --to production
  tallystick gate credit@3 --to production --format sarif > gate.sarif`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.read(cmd, args[0]); err != nil {
				return err
			}
			return a.judge(cmd.Context(), format, func(ctx context.Context, s *session) (j release.Judgement, err error) {
				_, err = s.Post(ctx, "/gate", t.Asking, &j)
				return j, err
			})
		},
	}
	t.add(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "text, json, sarif, junit, markdown or github")
	return cmd
}

// judge prints what the gate decided, and ends with 1 if it denied.
func (a *app) judge(ctx context.Context, format string, ask func(ctx context.Context, s *session) (release.Judgement, error)) error {
	as, err := policy.ParseFormat(format)
	if err != nil {
		return err
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return err
	}
	j, err := ask(ctx, s)
	if err = errors.Join(err, s.Close(ctx, err == nil)); err != nil {
		return err
	}
	if j.Decision.Verdict != tallystick.Pass {
		a.code = exitRefused
	}
	return a.printJudgement(as, j)
}

func (a *app) printJudgement(as policy.Format, j release.Judgement) error {
	if as == policy.JSON {
		return a.printJSON(j)
	}
	if as == policy.Text {
		fmt.Fprintf(a.Out, "%s\n\n", j.Target.Name())
	}
	return policy.Render(a.Out, as, j.Decision, policy.RenderOptions{Model: j.Model, Version: j.Version, Tool: tool().Version, Width: a.width(), Colour: a.colour()})
}
