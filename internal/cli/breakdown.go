package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
)

func (a *app) referenceSeason() *cobra.Command {
	return a.pinBreakdown(&cobra.Command{
		Use: "season MODEL[@VERSION] --from TIME --to TIME", Short: "Count the predictions of some weeks by class of the week, for the check season", Args: cobra.ExactArgs(1),
		Long: `Count the predictions of some weeks by class of the week: working days, Saturdays and Sundays, each in quarters of a day
in UTC. They are counted by the rules of the reference in force, beside which they stand; five weeks or more give every
class the windows that the check season asks for. What was pinned last counts, and the history stays.`,
		Example: `  tallystick reference season credit --from 2026-02-02 --to 2026-03-30`,
	}, &api.BreakdownPin{Kind: monitor.BySeason})
}

func (a *app) referenceSlice() *cobra.Command {
	body := &api.BreakdownPin{Kind: monitor.BySlice}
	cmd := a.pinBreakdown(&cobra.Command{
		Use: "slice MODEL[@VERSION] --from TIME --to TIME", Short: "Count the predictions of a time by slice, for the check slices", Args: cobra.ExactArgs(1),
		Long: `Count the predictions of a time slice by slice, by the rules of the reference in force. A slice is a condition, or one of
the ten most frequent values of a feature. What was pinned last counts, and the history stays.`,
		Example: `  tallystick reference slice credit --by region --where 'age < 25' --from 2026-02-01 --to 2026-03-01`,
	}, body)
	cmd.Flags().StringSliceVar(&body.By, "by", nil, "`features` with texts, a slice for each frequent value")
	cmd.Flags().StringArrayVar(&body.Where, "where", nil, "`condition` that is a slice; may be given several times")
	return cmd
}

// pinBreakdown adds what both kinds have.
func (a *app) pinBreakdown(cmd *cobra.Command, body *api.BreakdownPin) *cobra.Command {
	var from, to string
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&from, "from", "", "predictions from this `time` on")
	flags.StringVar(&to, "to", "", "predictions until this `time`, exclusive")
	flags.StringVar(&body.Environment, "environment", "", "predictions that were made there alone")
	return acts(a, cmd, command[api.BreakdownPinned]{
		do: func(ctx context.Context, s *session, args []string) (out api.BreakdownPinned, _ client.Receipt, err error) {
			model, version, err := catalog.ParseVersionName(args[0])
			if err != nil {
				return out, client.Receipt{}, err
			}
			if from == "" || to == "" {
				return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "of which time predictions are counted is not said").WithHint("give --from and --to")
			}
			body.Version = version
			if body.From, err = timeFlag("--from", from); err == nil {
				body.To, err = timeFlag("--to", to)
			}
			if err != nil {
				return out, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, modelPath(model)+"/breakdowns", body, &out)
			return out, receipt, err
		},
		text: func(w io.Writer, p api.BreakdownPinned) {
			printFields(w, "breakdown", string(p.Breakdown), "reference", string(p.Reference), "parts", fmt.Sprint(p.Parts), "predictions", fmt.Sprint(p.Predictions))
		},
		mustExist: true,
	})
}

func (a *app) referenceBreakdowns() *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use: "breakdowns", Short: "List the references by season and by slice, newest first", Args: cobra.NoArgs,
		Example: `  tallystick reference breakdowns --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	return asks(a, cmd, question[[]monitor.Breakdown]{
		ask: func(ctx context.Context, s *session, _ []string) ([]monitor.Breakdown, error) {
			return client.List[monitor.Breakdown](ctx, s.Client, "/breakdowns", chosen("model", model), 0)
		},
		text: func(w io.Writer, all []monitor.Breakdown) {
			fmt.Fprintln(w, "MODEL\tVERSION\tBY\tPARTS\tPREDICTIONS\tFROM\tTO\tPINNED\tBASELINE")
			for _, b := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", b.Model, orDash(b.Version), b.Kind, b.Parts, b.Predictions, moment(b.From), moment(b.To), moment(b.Pinned), b.Digest)
			}
		},
	})
}
