package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/obligation"
)

// obligationFlags choose what is said of obligations.
type obligationFlags struct {
	framework, state, tier, owner, after string
	ahead, gaps                          bool
	format                               string
}

func (a *app) obligations() *cobra.Command {
	var f obligationFlags
	cmd := &cobra.Command{
		Use:   "obligations [MODEL[@VERSION]]",
		Short: "Say which frameworks ask a model for which evidence, and what of it is there",
		Long: `Obligations says for each control of a framework which evidence it asks for, and whether that is present,
stale, missing, or not applicable with its reason: with the event that recorded it, who owes it, and the
command that puts it on record. It judges evidence alone. Whether a duty is met, people have to say.

Without --framework it lists the frameworks and how many controls of each stand how. With --gaps, and
without a model, it says which evidence is lacking in how many models in use, and who owes it, the oldest
first.`,
		Example: `  tallystick obligations credit
  tallystick obligations credit@3 --framework eu-ai-act --state missing
  tallystick obligations credit --framework sr-26-2 --format html > credit.html
  tallystick obligations --gaps --framework eu-ai-act --tier high --ahead`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case f.gaps && len(args) > 0:
				return usageError(cmd, "--gaps is over all models: it takes none")
			case f.gaps && f.state != "":
				return usageError(cmd, "--gaps takes no --state: it lists what is missing or stale")
			case f.gaps:
				return a.gaps(cmd.Context(), f)
			case len(args) == 0:
				return usageError(cmd, "which model? --gaps looks at all of them")
			case f.tier+f.owner+f.after != "":
				return usageError(cmd, "--tier, --owner and --after go with --gaps")
			}
			return a.obligationsOf(cmd.Context(), args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.framework, "framework", "", "`id` of the framework: eu-ai-act, nist-ai-rmf, iso-42001, sr-26-2, ...")
	flags.StringVar(&f.state, "state", "", "only evidence that is present, stale, missing or not_applicable")
	flags.BoolVar(&f.ahead, "ahead", false, "judge controls that are not in force yet as if they were")
	flags.BoolVar(&f.gaps, "gaps", false, "what is lacking in all models in use")
	flags.StringVar(&f.tier, "tier", "", "with --gaps: only models of this risk tier")
	flags.StringVar(&f.owner, "owner", "", "with --gaps: only what this `person or role` owes")
	flags.StringVar(&f.after, "after", "", "with --gaps: the next page, by the `key` that the one before ends with")
	flags.StringVar(&f.format, "format", "text", "text, json, markdown or html")
	return cmd
}

func (a *app) obligationsOf(ctx context.Context, name string, f obligationFlags) error {
	state, err := obligation.ParseState(f.state)
	if err != nil {
		return err
	}
	model, version, err := catalog.ParseVersionName(name)
	if err != nil {
		return err
	}
	q := chosen("version", version, "framework", f.framework, "state", string(state), "ahead", yes(f.ahead))
	return printObligations(ctx, a, f.format, func(s *session) (o obligation.Obligations, err error) {
		return o, s.Get(ctx, modelPath(model)+"/obligations?"+q.Encode(), &o)
	})
}

func (a *app) gaps(ctx context.Context, f obligationFlags) error {
	if f.tier != "" {
		if err := oneOf("--tier", f.tier, "low", "limited", "high"); err != nil {
			return err
		}
	}
	q := chosen("framework", f.framework, "tier", f.tier, "owner", f.owner, "after", f.after, "ahead", yes(f.ahead))
	return printObligations(ctx, a, f.format, func(s *session) (r obligation.GapReport, err error) {
		return r, s.Get(ctx, "/obligations/gaps?"+q.Encode(), &r)
	})
}

// yes writes a flag for a query.
func yes(set bool) string {
	if set {
		return "true"
	}
	return ""
}

// printObligations prints an answer in one of the formats of obligations.
func printObligations[T obligation.Answer](ctx context.Context, a *app, format string, ask func(s *session) (T, error)) error {
	as, err := obligation.ParseFormat(format)
	if err != nil {
		return err
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return err
	}
	answer, err := ask(s)
	if err = errors.Join(err, s.Close(ctx, false)); err != nil {
		return err
	}
	if as == obligation.JSON {
		return a.printJSON(answer)
	}
	return obligation.Render(a.Out, as, answer)
}
