package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/label"
)

func (a *app) casework() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "case",
		Short: "Have people look at predictions: rules, queue, opinions, agreement",
		Long: `A case is a prediction that people look at. Rules choose predictions as they are put on record: those of
which the model was not sure, those of a kind, and a share of all, stratum by stratum; anybody may open one
too. A reviewer claims it and gives an opinion with the reason for it. Some need a second opinion, which is
given blind; where the two differ, a third person decides. What is decided is the label of the prediction.`,
	}
	cmd.AddCommand(a.caseList(), a.caseShow(), a.caseOpen(), a.caseClaim(), a.caseRelease(), a.caseJudge(), a.caseStatus(), a.caseRule())
	return cmd
}

func casePath(id string) string { return "/cases/" + url.PathEscape(id) }

func (a *app) caseList() *cobra.Command {
	var model, queue, rule, state, about string
	var all, mine, overdue bool
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List the cases that wait, what is due first first", Args: cobra.NoArgs,
		Example: `  tallystick case list --model credit
  tallystick case list --mine
  tallystick case list --all --state decided --format json`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&model, "model", "", "of this model")
	flags.StringVar(&queue, "queue", "", "in this queue")
	flags.StringVar(&rule, "rule", "", "chosen by this rule")
	flags.StringVar(&about, "prediction", "", "about the prediction of this `id`")
	flags.StringVar(&state, "state", "", "open, second, disputed or, with --all, decided")
	flags.BoolVar(&mine, "mine", false, "only those that you have claimed")
	flags.BoolVar(&overdue, "overdue", false, "only those whose time has passed")
	flags.BoolVar(&all, "all", false, "decided ones too, the newest first")
	flags.IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return asks(a, cmd, question[[]casework.Case]{
		ask: func(ctx context.Context, s *session, _ []string) ([]casework.Case, error) {
			if state != "" {
				if err := oneOf("--state", state, "open", "second", "disputed", "decided"); err != nil {
					return nil, err
				}
			}
			q := chosen("model", model, "queue", queue, "rule", rule, "state", state, "prediction", about)
			for name, on := range map[string]bool{"waiting": !all && state != "decided", "mine": mine, "overdue": overdue} {
				if on {
					q.Set(name, "true")
				}
			}
			return client.List[casework.Case](ctx, s.Client, "/cases", q, limit)
		},
		text: func(w io.Writer, all []casework.Case) {
			fmt.Fprintln(w, "ID\tSTATE\tDUE\tQUEUE\tMODEL\tRULE\tSTRATUM\tMODEL SAID\tANSWER")
			for _, c := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, standsAt(c), moment(c.Due), orDash(c.Queue), c.Model, orDash(c.Rule),
					orDash(strings.Join(c.Stratum, " ")), orDash(brief(string(c.Output))), orDash(brief(string(c.Outcome))))
			}
		},
	})
}

func standsAt(c casework.Case) string {
	if c.ClaimedBy != "" && c.State != casework.Decided {
		return string(c.State) + ", claimed"
	}
	return string(c.State)
}

func (a *app) caseShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show ID", Short: "Show a case with its prediction and the opinions that you may see", Args: cobra.ExactArgs(1),
		Long: `Show gives out what the prediction says, which is recorded as reading. While a second opinion is waited
for, the first is shown to nobody but who gave it.`,
		Example: `  tallystick case show 01a1fdcb-24be-75b3-be70-454162a8499b`,
	}, question[api.CaseView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.CaseView, err error) {
			return v, s.Get(ctx, casePath(args[0]), &v)
		},
		text: printCase,
	})
}

func printCase(w io.Writer, v api.CaseView) {
	c := v.Case
	version := c.Model
	if c.Version != "" {
		version += "@" + c.Version
	}
	second := ""
	if c.NeedsSecond {
		second = "needed"
	}
	claimed := ""
	if c.ClaimedBy != "" {
		claimed = c.ClaimedBy + " until " + moment(c.ClaimedTo)
	}
	agrees := ""
	if c.Agrees != nil {
		agrees = map[bool]string{true: "yes", false: "no"}[*c.Agrees]
	}
	printFields(w, "case", c.ID, "state", string(c.State), "prediction", c.Prediction, "model", version, "environment", c.Environment,
		"why", strings.TrimSpace(strings.Join([]string{c.Reason, map[bool]string{true: "rule " + c.Rule}[c.Rule != ""]}, " ")), "stratum", strings.Join(c.Stratum, " "), "queue", c.Queue,
		"second opinion", second, "claimed by", claimed, "opened", moment(c.Opened), "due", moment(c.Due), "decided", moment(c.DecidedAt),
		"model said", string(c.Output), "answer", string(c.Outcome), "model was right", agrees)
	for _, o := range v.Opinions {
		fmt.Fprintf(w, "opinion %d\t%s by %s, %s: %s\n", o.Number, o.Outcome, o.Reviewer, moment(o.Given), o.Rationale)
	}
	var record map[string]json.RawMessage
	if json.Unmarshal(v.Record, &record) == nil && record != nil {
		for _, field := range []string{"time", "subject", "score", "threshold", "rule", "output", "decided_by", "rationale", "flags", "features", "attributions"} {
			if value, ok := record[field]; ok {
				fmt.Fprintf(w, "%s\t%s\n", field, value)
			}
		}
	}
	if c.State != casework.Decided {
		fmt.Fprintf(w, "next\ttallystick case judge %s --answer VALUE --rationale TEXT\n", c.ID)
	}
}

func (a *app) caseOpen() *cobra.Command {
	var o api.CaseOpening
	var within time.Duration
	cmd := &cobra.Command{
		Use: "open PREDICTION --reason TEXT", Short: "Have people look at a prediction", Args: cobra.ExactArgs(1),
		Example: `  tallystick case open 019f0a3c-6b1e-7a44-9d2f-0c8e5a7b1234 --reason "the customer complains about the refusal" --second`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.Reason, "reason", "", "why")
	flags.StringVar(&o.Queue, "queue", "", "in this queue, such as that of the specialists")
	flags.BoolVar(&o.Second, "second", false, "it needs a second opinion")
	flags.DurationVar(&within, "within", 7*24*time.Hour, "in this time it is to be decided")
	return acts(a, cmd, command[casework.Case]{
		do: func(ctx context.Context, s *session, args []string) (c casework.Case, _ client.Receipt, err error) {
			if o.Reason == "" {
				return c, client.Receipt{}, errNoReason("a case")
			}
			o.Prediction, o.Within = args[0], casework.Hours(within.Hours())
			receipt, err := s.Post(ctx, "/cases", o, &c)
			return c, receipt, err
		},
		text: func(w io.Writer, c casework.Case) {
			fmt.Fprintf(w, "case %s is open, due %s\n", c.ID, moment(c.Due))
		},
		mustExist: true,
	})
}

func (a *app) caseClaim() *cobra.Command {
	return a.caseAct("claim", "Take a case to work on it: for eight hours it is yours", func(c casework.Case) string {
		return "it is yours until " + moment(c.ClaimedTo)
	})
}

func (a *app) caseRelease() *cobra.Command {
	return a.caseAct("release", "Give a case back that you have claimed", func(casework.Case) string { return "it is anybody's again" })
}

func (a *app) caseAct(verb, short string, says func(casework.Case) string) *cobra.Command {
	return acts(a, &cobra.Command{
		Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1), Example: "  tallystick case " + verb + " 01a1fdcb-24be-75b3-be70-454162a8499b",
	}, command[casework.Case]{
		do: func(ctx context.Context, s *session, args []string) (c casework.Case, _ client.Receipt, err error) {
			receipt, err := s.Post(ctx, casePath(args[0])+"/"+verb, nil, &c)
			return c, receipt, err
		},
		text: func(w io.Writer, c casework.Case) { fmt.Fprintln(w, says(c)) }, mustExist: true,
	})
}

func (a *app) caseJudge() *cobra.Command {
	var j api.CaseJudgement
	var answer string
	cmd := &cobra.Command{
		Use: "judge ID --answer VALUE --rationale TEXT", Short: "Give an opinion on a case: what the right answer is, and why", Args: cobra.ExactArgs(1),
		Long: `An answer is a number, true or false if it looks like one, else text; what the model could have said. If it
decides the case it is recorded as the label of the prediction, which metrics and monitors use.`,
		Example: `  tallystick case judge 01a1fdcb-24be-75b3-be70-454162a8499b --answer approve --rationale "income was read from the wrong year"
  tallystick case judge 01a1fdcb-24be-75b3-be70-454162a8499b --answer 1 --rationale "matches the file" --second`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&answer, "answer", "", "the right answer, a `value`")
	flags.StringVar(&j.Rationale, "rationale", "", "why")
	flags.BoolVar(&j.Second, "second", false, "another person is to look at it too")
	return acts(a, cmd, command[casework.Case]{
		do: func(ctx context.Context, s *session, args []string) (c casework.Case, _ client.Receipt, err error) {
			if answer == "" || j.Rationale == "" {
				return c, client.Receipt{}, usageError(cmd, "--answer and --rationale are needed: what the right answer is, and why")
			}
			j.Answer = label.ValueOf(answer)
			receipt, err := s.Post(ctx, casePath(args[0])+"/judgement", j, &c)
			return c, receipt, err
		},
		text: func(w io.Writer, c casework.Case) {
			switch c.State {
			case casework.Second:
				fmt.Fprintln(w, "it waits for a second opinion, of somebody who does not see yours")
			case casework.Disputed:
				fmt.Fprintln(w, "the two opinions differ: a third person decides")
			default:
				fmt.Fprintf(w, "it is decided: %s, the label of prediction %s\n", c.Outcome, c.Prediction)
			}
		},
		mustExist: true,
	})
}

func (a *app) caseStatus() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "status [MODEL]", Short: "Say how the work stands: what waits, what rules chose of how many, how far reviewers and model agree", Args: cobra.MaximumNArgs(1),
		Example: `  tallystick case status credit
  tallystick case status credit --from 2026-07-01 --format json`,
	}
	cmd.Flags().StringVar(&from, "from", "", "cases opened from this `time` on: 2026-01-31, or RFC 3339")
	cmd.Flags().StringVar(&to, "to", "", "cases opened before this `time`")
	return asks(a, cmd, question[casework.Workload]{
		ask: func(ctx context.Context, s *session, args []string) (st casework.Workload, err error) {
			q := chosen("model", first(args))
			if err := addTimes(q, "from", from, "to", to); err != nil {
				return st, err
			}
			return st, s.Get(ctx, "/cases/workload?"+q.Encode(), &st)
		},
		text: printStanding,
	})
}

func printStanding(w io.Writer, s casework.Workload) {
	fmt.Fprintf(w, "waiting\t%d, of them %d overdue and %d disputed\n", s.Waiting, s.Overdue, s.Disputed)
	fmt.Fprintf(w, "decided\t%d", s.Decided)
	if s.Decided > 0 {
		fmt.Fprintf(w, ", half of them within %s hours", strconv.FormatFloat(float64(s.Median), 'f', 1, 64))
	}
	fmt.Fprintf(w, "\nmodel was right\t%s, of those in which it had said something\n", s.Agreement.Words())
	fmt.Fprintf(w, "opinions agree\t%s, of the cases with two\n", s.Same.Words())
	if s.Kappa != nil {
		fmt.Fprintf(w, "Cohen's kappa\t%.2f, from %.2f to %.2f at 95 %%\n", s.Kappa.Value, s.Kappa.Low, s.Kappa.High)
	}
	if len(s.Sampled) == 0 {
		return
	}
	fmt.Fprintln(w, "\nRULE\tSTRATUM\tHELD FOR\tCASES\tLEFT OUT")
	for _, c := range s.Sampled {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", c.Rule, orDash(strings.Join(c.Stratum, " ")), c.Held, c.Taken, c.LeftOut)
	}
}
