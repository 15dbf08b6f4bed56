package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/obligation"
)

func (a *app) obligations() *cobra.Command {
	var q obligation.Query
	var state, format string
	cmd := &cobra.Command{
		Use:   "obligations MODEL[@VERSION]",
		Short: "Say which frameworks ask a model for which evidence, and what of it is there",
		Long: `Obligations says for each control of a framework which evidence it asks for, and whether that is present,
stale, missing, or not applicable with its reason: with the event that recorded it, who owes it, and the
command that puts it on record. It judges evidence alone. Whether a duty is met, people have to say.

Without --framework it lists the frameworks and how many controls of each stand how.`,
		Example: `  tallystick obligations credit
  tallystick obligations credit@3 --framework eu-ai-act --state missing
  tallystick obligations credit --framework sr-26-2 --format markdown > credit.md`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if q.State, err = obligation.ParseState(state); err != nil {
				return err
			}
			if q.Model, q.Version, err = catalog.ParseVersionName(args[0]); err != nil {
				return err
			}
			chosen := chosen("version", q.Version, "framework", q.Framework, "state", string(q.State), "ahead", yes(q.Ahead))
			return render(a, cmd.Context(), format, func(ctx context.Context, s *session) (o obligation.Obligations, err error) {
				return o, s.Get(ctx, modelPath(q.Model)+"/obligations?"+chosen.Encode(), &o)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&q.Framework, "framework", "", "`id` of the framework: eu-ai-act, nist-ai-rmf, iso-42001, sr-26-2, ...")
	flags.StringVar(&state, "state", "", "only evidence that is present, stale, missing or not_applicable")
	flags.BoolVar(&q.Ahead, "ahead", false, "judge controls that are not in force yet as if they were")
	flags.StringVar(&format, "format", "text", "text, json or markdown")
	return cmd
}

// yes writes a flag for a query.
func yes(set bool) string {
	if set {
		return "true"
	}
	return ""
}

// render prints an answer in one of the formats of obligations.
func render[T obligation.Answer](a *app, ctx context.Context, format string, ask func(ctx context.Context, s *session) (T, error)) error {
	as, err := obligation.ParseFormat(format)
	if err != nil {
		return err
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return err
	}
	answer, err := ask(ctx, s)
	if err = errors.Join(err, s.Close(ctx, false)); err != nil {
		return err
	}
	if as == obligation.JSON {
		return a.printJSON(answer)
	}
	return obligation.Render(a.Out, as, answer)
}
