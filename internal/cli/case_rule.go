package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/casework"
)

func (a *app) caseRule() *cobra.Command {
	cmd := &cobra.Command{Use: "rule", Short: "Say which predictions people look at"}
	cmd.AddCommand(a.caseRuleDefine(), a.caseRuleRemove(), a.caseRuleList())
	return cmd
}

func caseRulePath(model, rule string) string {
	return "/models/" + url.PathEscape(model) + "/case-rules/" + url.PathEscape(rule)
}

func (a *app) caseRuleDefine() *cobra.Command {
	var r api.CaseRuling
	var within time.Duration
	cmd := &cobra.Command{
		Use: "define MODEL NAME", Short: "Define or change a rule that chooses predictions", Args: cobra.ExactArgs(2),
		Long: `A rule is asked of every prediction that is put on record after it was defined. Of those for which all its
conditions hold it takes a share; which ones follows from the hash of the record, in which there are random
bytes of the server's, so that no sender can choose and everybody can check. With --by, records are told
apart by the values of fields, and of each stratum and day at least so many are taken, however rare it is.`,
		Example: `  # whatever the model was not sure of, to the specialists
  tallystick case rule define credit unsure --margin 0.05 --share 1 --queue specialists
  # one in two hundred of all, at least five a day of each region; a fifth with a second opinion
  tallystick case rule define credit sample --share 0.005 --by f_region,environment --at-least 5 --second 0.2
  # what was flagged as risky
  tallystick case rule define credit risky --where 'flags = risk' --share 1 --within 24h`,
	}
	flags, terms := cmd.Flags(), choosingFlags(cmd, &r.Terms, "that become cases", "cases")
	flags.Float64Var(&r.Second, "second", 0, "share of the cases that need a second opinion")
	flags.DurationVar(&within, "within", 7*24*time.Hour, "in this time a case is to be decided")
	flags.StringVar(&r.Queue, "queue", "", "put the cases into this queue")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			terms()
			if within <= 0 { // which would not be sent, and so mean the usual time
				return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "--within %s leaves no time to decide", within).WithHint("give a minute to a year, or leave it out for 168h")
			}
			r.Within = casework.Hours(within.Hours())
			receipt, err := s.Put(ctx, caseRulePath(args[0], args[1]), r, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) caseRuleRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove MODEL NAME", Short: "Let a rule choose no more predictions; its cases stay", Args: cobra.ExactArgs(2),
		Example: `  tallystick case rule remove credit sample`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, caseRulePath(args[0], args[1]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) caseRuleList() *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use: "list", Short: "List the rules, those that were removed too", Args: cobra.NoArgs,
		Example: `  tallystick case rule list --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	return asks(a, cmd, question[[]casework.CaseRule]{
		ask: func(ctx context.Context, s *session, _ []string) ([]casework.CaseRule, error) {
			return client.List[casework.CaseRule](ctx, s.Client, "/case-rules", chosen("model", model), 0)
		},
		text: func(w io.Writer, all []casework.CaseRule) {
			fmt.Fprintln(w, "MODEL\tRULE\tHOLDS FOR\tSHARE\tBY\tAT LEAST\tMOST\tSECOND\tWITHIN\tQUEUE")
			for _, r := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%v\t%s\t%d\t%d\t%v\t%s\t%s\n", r.Model, r.Name+map[bool]string{true: " (removed)"}[r.Removed], r.Holding(), r.Share,
					orDash(strings.Join(r.Strata, ",")), r.AtLeast, r.Most, r.Second, strconv.FormatFloat(float64(r.Within), 'f', -1, 64)+"h", orDash(r.Queue))
			}
		},
	})
}
