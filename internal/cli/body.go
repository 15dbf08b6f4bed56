package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/selection"
)

func (a *app) body() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "body",
		Short: "Keep bodies of predictions: rules, coverage, the bytes",
		Long: `A body is what was sent to a model, or what came from it, as it was. It is often about a person, so none
is kept unless a rule of the model says so. What no rule keeps is dropped before it is written anywhere; the
record says that it was there, and has a keyed digest of the input.`,
	}
	cmd.AddCommand(a.bodyRule(), a.bodyCoverage(), a.bodyShow())
	return cmd
}

func (a *app) bodyRule() *cobra.Command {
	cmd := &cobra.Command{Use: "rule", Short: "Say which bodies are kept"}
	cmd.AddCommand(a.bodyRuleDefine(), a.bodyRuleRemove(), a.bodyRuleList())
	return cmd
}

func bodyRulePath(model, rule string) string {
	return "/models/" + url.PathEscape(model) + "/body-rules/" + url.PathEscape(rule)
}

func (a *app) bodyRuleDefine() *cobra.Command {
	var r api.BodyRuling
	cmd := &cobra.Command{
		Use: "define MODEL NAME", Short: "Define or change a rule that keeps bodies", Args: cobra.ExactArgs(2),
		Long: `A rule is asked of every prediction with a body that comes in after it was defined. Of those for which all its
conditions hold it keeps the bodies of a share; which ones follows from random bytes of the server's that the
record has, so that no sender can choose and everybody can check. With --by, records are told apart by the
values of fields, and of each stratum and day at least so many are kept, however rare it is. Days are counted by
the server's clock, and anew after it was started again. Where several rules hold, the first by name that keeps
them is the one that the record names.`,
		Example: `  # one in a thousand of all, at least twenty a day of each region
  tallystick body rule define credit sample --share 0.001 --by f_region --at-least 20
  # whatever was flagged as risky, as long as the model is of tier high
  tallystick body rule define credit risky --where 'flags = risk' --where 'tier = high' --share 1 --most 5000`,
	}
	terms := choosingFlags(cmd, &r.Terms, "of which the bodies are kept", "bodies")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			terms()
			receipt, err := s.Put(ctx, bodyRulePath(args[0], args[1]), r, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

// choosingFlags adds the flags of what a rule chooses; what it returns is called once they are read.
func choosingFlags(cmd *cobra.Command, t *selection.Terms, become, things string) func() {
	flags := cmd.Flags()
	flags.SortFlags = false
	var margin float64
	flags.StringArrayVar(&t.Where, "where", nil, "a `condition` that must hold, as in `tallystick predictions`, or of tier; several: all must")
	flags.Float64Var(&margin, "margin", 0, "the score lies within this of the threshold")
	flags.Float64Var(&t.Share, "share", 0, "share of these "+become+", 0 to 1")
	flags.StringSliceVar(&t.Strata, "by", nil, "fields that tell strata apart: environment, version, route, status, decided_by, tier, or f_NAME")
	flags.Int64Var(&t.AtLeast, "at-least", 0, "of each stratum and day so many")
	flags.Int64Var(&t.Most, "most", 1000, "so many "+things+" a day at most")
	return func() {
		if flags.Changed("margin") {
			t.Margin = &margin
		}
	}
}

func (a *app) bodyRuleRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove MODEL NAME", Short: "Let a rule keep no more bodies; those that it kept stay", Args: cobra.ExactArgs(2),
		Example: `  tallystick body rule remove credit sample`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, bodyRulePath(args[0], args[1]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) bodyRuleList() *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use: "list", Short: "List the rules, those that were removed too", Args: cobra.NoArgs,
		Example: `  tallystick body rule list --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	return asks(a, cmd, question[[]body.KeepRule]{
		ask: func(ctx context.Context, s *session, _ []string) ([]body.KeepRule, error) {
			return client.List[body.KeepRule](ctx, s.Client, "/body-rules", chosen("model", model), 0)
		},
		text: func(w io.Writer, all []body.KeepRule) {
			fmt.Fprintln(w, "MODEL\tRULE\tHOLDS FOR\tSHARE\tBY\tAT LEAST\tMOST")
			for _, r := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%s\t%d\t%d\n", r.Model, r.Name+map[bool]string{true: " (removed)"}[r.Removed], r.Holding(), r.Share,
					orDash(strings.Join(r.Strata, ",")), r.AtLeast, r.Most)
			}
		},
	})
}

func (a *app) bodyCoverage() *cobra.Command {
	var by []string
	var since, until string
	cmd := &cobra.Command{
		Use: "coverage MODEL", Short: "Count which share of the bodies that were sent was kept", Args: cobra.ExactArgs(1),
		Long: `Count from the records which share of the bodies that were sent was kept, with its 95 % Wilson interval, for all and
by the values of up to four columns. Where none was sent there is no share.`,
		Example: `  tallystick body coverage credit --by f_region,environment
  tallystick body coverage credit --by day --since 2026-03-01`,
	}
	cmd.Flags().StringSliceVar(&by, "by", nil, "`columns` whose values make the strata; hour, day, month and tier too")
	cmd.Flags().StringVar(&since, "since", "", "with predictions from this `time` on")
	cmd.Flags().StringVar(&until, "until", "", "with predictions until this `time`, exclusive")
	return asks(a, cmd, question[body.Coverage]{
		ask: func(ctx context.Context, s *session, args []string) (out body.Coverage, err error) {
			q := url.Values{}
			if len(by) > 0 {
				q.Set("by", strings.Join(by, ","))
			}
			if err := addTimes(q, "since", since, "until", until); err != nil {
				return out, err
			}
			err = s.Get(ctx, "/models/"+url.PathEscape(args[0])+"/body-coverage?"+q.Encode(), &out)
			return out, err
		},
		text: func(w io.Writer, c body.Coverage) { printBodyCoverage(w, by, c) },
	})
}

func printBodyCoverage(w io.Writer, by []string, c body.Coverage) {
	fmt.Fprintln(w, strings.Join(append(slices.Clone(by), "PREDICTIONS\tSENT\tKEPT\tSHARE\t95 % INTERVAL"), "\t"))
	row := func(key []string, c body.Covered) {
		share, interval := "none sent", "-"
		if c.Share != nil {
			share, interval = figure.Percent(*c.Share), figure.Percent(*c.Low)+" to "+figure.Percent(*c.High)
		}
		if c.All {
			interval = "all"
		}
		figures := fmt.Sprintf("%d\t%d\t%d\t%s\t%s", c.Predictions, c.Sent, c.Kept, share, interval)
		fmt.Fprintln(w, strings.Join(append(key, figures), "\t"))
	}
	for _, s := range c.Strata {
		key := make([]string, len(s.Key))
		for i, v := range s.Key {
			if key[i] = fmt.Sprint(v); v == nil {
				key[i] = "-"
			}
		}
		row(key, s.Covered)
	}
	all := make([]string, len(by))
	for i := range all {
		all[i] = "(all)"
	}
	if c.More > 0 {
		fmt.Fprintf(w, "and %d more\n", c.More)
	}
	row(all, c.Covered)
}

func (a *app) bodyShow() *cobra.Command {
	var response bool
	var output string
	cmd := &cobra.Command{
		Use: "show ID", Short: "Write the body of a prediction as it was; that it was read is recorded", Args: cobra.ExactArgs(1),
		Example: `  tallystick body show 019cb3a5-1f6e-7c31-8a4e-0f2f64a5a001 --purpose "complaint 12"
  tallystick body show 019cb3a5-1f6e-7c31-8a4e-0f2f64a5a001 --response -o answer.json`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close(cmd.Context(), true)) }()
			part := "request"
			if response {
				part = "response"
			}
			from, err := s.Download(cmd.Context(), "/predictions/"+url.PathEscape(args[0])+"/bodies/"+part)
			if err != nil {
				return err
			}
			data, err := io.ReadAll(io.LimitReader(from, prediction.MaxBody+1))
			if err = errors.Join(err, from.Close()); err != nil {
				return err
			}
			return a.write(output, data)
		},
	}
	cmd.Flags().BoolVar(&response, "response", false, "what came from the model, not what was sent to it")
	cmd.Flags().StringVarP(&output, "output", "o", "-", "`file` to write; - is standard output")
	return cmd
}
