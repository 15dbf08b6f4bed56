package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/catalog"
)

func (a *app) finding() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "finding",
		Short: "Work on what was found to be wrong: failed rules, attempts to go around the gate, differences",
		Long: `A finding is raised by a denied release, by an audit that failed, by an attempt to go around the gate, and
where what runs differs from the record. Somebody triages it (an owner and a date), puts it right, and the
next run shows whether it is so: the next decision of the gate, audit or reconciliation.`,
	}
	cmd.AddCommand(a.findingList(), a.findingShow(), a.findingTriage(), a.findingRemediate(),
		a.findingEnd("dismiss", "dismissal", "Answer for it that nothing is to be done; a validator or auditor alone",
			"  tallystick finding dismiss 01a1fdcb-24be-75b3-be70-454162a8499b --reason \"the report named a test cluster\""),
		a.findingEnd("resolve", "resolution", "Settle a difference or an attempt; a validator or auditor alone",
			"  tallystick finding resolve 01a1fdcb-24be-75b3-be70-454162a8499b --reason \"deployed again from credit@3\""))
	return cmd
}

func findingPath(id string) string { return "/findings/" + url.PathEscape(id) }

func (a *app) findingList() *cobra.Command {
	var model, environment, owner, severity, kind, state string
	var open, all, overdue bool
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List what is open: overdue first, then by severity, then by date", Args: cobra.NoArgs,
		Example: `  tallystick finding list --model credit
  tallystick finding list --overdue --owner bo
  tallystick finding list --all --kind rule_failed --format json`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&open, "open", false, "only those that nobody has settled (the default)")
	flags.BoolVar(&overdue, "overdue", false, "only those whose date has passed")
	flags.BoolVar(&all, "all", false, "settled ones too, the newest first")
	flags.StringVar(&owner, "owner", "", "only those that this `name` is to put right")
	flags.StringVar(&severity, "severity", "", "critical, high, medium or low")
	flags.StringVar(&kind, "kind", "", "what is wrong, such as rule_failed, bypass_attempt or unusual_conduct")
	flags.StringVar(&state, "state", "", "open, triaged or remediated; with --all verified, resolved or dismissed")
	flags.StringVar(&model, "model", "", "about this model")
	flags.StringVar(&environment, "env", "", "in this environment")
	flags.IntVar(&limit, "limit", 0, "at most so many; 0: all")
	cmd.MarkFlagsMutuallyExclusive("open", "all")
	cmd.MarkFlagsMutuallyExclusive("overdue", "all")
	return asks(a, cmd, question[[]catalog.Finding]{
		ask: func(ctx context.Context, s *session, _ []string) ([]catalog.Finding, error) {
			if severity != "" {
				if err := oneOf("--severity", severity, "critical", "high", "medium", "low"); err != nil {
					return nil, err
				}
			}
			if kind != "" {
				if err := oneOf("--kind", kind, kinds()...); err != nil {
					return nil, err
				}
			}
			q := chosen("model", model, "environment", environment, "owner", owner, "severity", severity, "kind", kind, "state", state)
			if !all {
				q.Set("open", "true")
			}
			if overdue {
				q.Set("overdue", "true")
			}
			return client.List[catalog.Finding](ctx, s.Client, "/findings", q, limit)
		},
		text: printFindings,
	})
}

func kinds() (names []string) {
	for _, k := range catalog.FindingKinds() {
		names = append(names, string(k))
	}
	return names
}

func printFindings(w io.Writer, all []catalog.Finding) {
	fmt.Fprintln(w, "ID\tSEVERITY\tSTATE\tDUE\tOWNER\tKIND\tSUBJECT\tMODEL\tENVIRONMENT\tSUMMARY")
	for _, f := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.Severity, f.State, due(f), orDash(f.Owner), f.Kind, orDash(f.Subject),
			orDash(f.Model), orDash(f.Environment), orDash(brief(f.Summary)))
	}
}

// due says until when a finding is to be put right.
func due(f catalog.Finding) string {
	switch {
	case !f.Open():
		return "-"
	case f.Overdue:
		return f.Due.UTC().Format(time.DateOnly) + " overdue"
	}
	return f.Due.UTC().Format(time.DateOnly)
}

const maxBrief = 100 // characters of a sentence in a column

// brief cuts a sentence for a column.
func brief(text string) string {
	if r := []rune(text); len(r) > maxBrief {
		return string(r[:maxBrief-1]) + "…"
	}
	return text
}

func (a *app) findingShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show ID", Short: "Show a finding, what became of it, and what puts it right", Args: cobra.ExactArgs(1),
		Example: `  tallystick finding show 01a1fdcb-24be-75b3-be70-454162a8499b`,
	}, question[api.FindingView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.FindingView, err error) {
			return v, s.Get(ctx, findingPath(args[0]), &v)
		},
		text: func(w io.Writer, v api.FindingView) {
			f := v.Finding
			reopened := ""
			if f.Reopened > 0 {
				reopened = fmt.Sprint(f.Reopened, " times")
			}
			printFields(w, "finding", f.ID, "kind", string(f.Kind), "severity", string(f.Severity), "state", string(f.State), "owner", f.Owner, "due", due(f),
				"summary", f.Summary, "environment", f.Environment, "model", f.Model, "version", f.Version, "subject", f.Subject, "on record", f.Expected,
				"found", f.Observed, "attempted by", f.Suspect, "run", string(f.Run), "first seen", moment(f.First), "last seen", moment(f.Last),
				"reopened", reopened, "settled", moment(f.Resolved), "what was done", f.Resolution, "revision", fmt.Sprint(f.Revision), "next", f.Next())
			for _, step := range v.Steps {
				fmt.Fprintf(w, "%s\t%s by %s%s\n", moment(step.At), step.Step, orDash(step.By), told(step))
			}
		},
	})
}

// told says what a step changed, and what was said.
func told(s catalog.FindingStep) (text string) {
	for _, part := range []struct{ name, value string }{
		{"severity", string(s.Severity)}, {"owner", s.Owner}, {"version", s.Version}, {"ticket", s.Ticket}, {"run", s.Run.Short()},
	} {
		if part.value != "" {
			text += ", " + part.name + " " + part.value
		}
	}
	if !s.Due.IsZero() {
		text += ", due " + s.Due.UTC().Format(time.DateOnly)
	}
	if s.Note != "" {
		text += ": " + s.Note
	}
	return text
}

func (a *app) findingTriage() *cobra.Command {
	var t catalog.FindingTriage
	var severity, date string
	cmd := &cobra.Command{
		Use: "triage ID --owner NAME", Short: "Say who is to put a finding right, how soon, and until when", Args: cobra.ExactArgs(1),
		Long: `Triage gives a finding an owner and a date. Without --due it stays as the severity has it: 7 days for
critical, 30 for high, 90 for medium, 180 for low, from when it was raised. A lower severity, or a longer
time, is given by a validator or auditor alone.`,
		Example: `  tallystick finding triage 01a1fdcb-24be-75b3-be70-454162a8499b --owner bo
  tallystick finding triage 01a1fdcb-24be-75b3-be70-454162a8499b --owner bo --severity critical --due 2026-12-01 --note "in use by branches"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&t.Owner, "owner", "", "who is to put it right: a user, or another `name`")
	flags.StringVar(&severity, "severity", "", "critical, high, medium or low; another one needs --note")
	flags.StringVar(&date, "due", "", "until when, as `2006-01-02`")
	flags.StringVar(&t.Note, "note", "", "why")
	flags.Uint64Var(&t.IfRevision, "if-revision", 0, "only if the finding has this revision still")
	return acts(a, cmd, command[catalog.Finding]{
		do: func(ctx context.Context, s *session, args []string) (f catalog.Finding, _ client.Receipt, err error) {
			if severity != "" {
				if err := oneOf("--severity", severity, "critical", "high", "medium", "low"); err != nil {
					return f, client.Receipt{}, err
				}
			}
			t.Severity = catalog.Severity(severity)
			if t.Due, err = endOf(date); err != nil {
				return f, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, findingPath(args[0])+"/triage", t, &f)
			return f, receipt, err
		},
		text: func(w io.Writer, f catalog.Finding) {
			fmt.Fprintf(w, "%s is to put it right until %s\n", f.Owner, f.Due.UTC().Format(time.DateOnly))
		},
		mustExist: true,
	})
}

// endOf returns the last moment of a day, zero if none is named.
func endOf(date string) (time.Time, error) {
	if date == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return day, tallystick.Errorf(tallystick.Invalid, "--due %q is no date", date).WithHint("write it as 2006-01-02")
	}
	return day.AddDate(0, 0, 1).Add(-time.Millisecond), nil
}

func (a *app) findingRemediate() *cobra.Command {
	var r catalog.FindingRemedy
	cmd := &cobra.Command{
		Use: "remediate ID --note TEXT", Short: "Say that a finding is put right; the next run shows whether it is", Args: cobra.ExactArgs(1),
		Example: `  tallystick finding remediate 01a1fdcb-24be-75b3-be70-454162a8499b --note "retrained without the postcode" --version 4 --ticket RISK-12`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&r.Note, "note", "", "what was done")
	flags.StringVar(&r.Version, "version", "", "the `version` in which it is put right")
	flags.StringVar(&r.Ticket, "ticket", "", "where the work is tracked")
	flags.Uint64Var(&r.IfRevision, "if-revision", 0, "only if the finding has this revision still")
	return acts(a, cmd, command[catalog.Finding]{
		do: func(ctx context.Context, s *session, args []string) (f catalog.Finding, _ client.Receipt, err error) {
			if r.Note == "" {
				return f, client.Receipt{}, usageError(cmd, "--note is missing: what was done")
			}
			receipt, err := s.Post(ctx, findingPath(args[0])+"/remedy", r, &f)
			return f, receipt, err
		},
		text: func(w io.Writer, f catalog.Finding) {
			fmt.Fprintf(w, "it is said to be put right\nnext: %s\n", f.Next())
		},
		mustExist: true,
	})
}

func (a *app) findingEnd(use, path, short, example string) *cobra.Command {
	var e catalog.FindingEnd
	cmd := &cobra.Command{Use: use + " ID --reason TEXT", Short: short, Args: cobra.ExactArgs(1), Example: example}
	cmd.Flags().StringVar(&e.Reason, "reason", "", "what was done about it, or why nothing is")
	cmd.Flags().Uint64Var(&e.IfRevision, "if-revision", 0, "only if the finding has this revision still")
	return acts(a, cmd, command[catalog.Finding]{
		do: func(ctx context.Context, s *session, args []string) (f catalog.Finding, _ client.Receipt, err error) {
			if e.Reason == "" {
				return f, client.Receipt{}, errNoReason("a " + path)
			}
			receipt, err := s.Post(ctx, findingPath(args[0])+"/"+path, e, &f)
			return f, receipt, err
		},
		text: func(w io.Writer, f catalog.Finding) { fmt.Fprintf(w, "it is %s\n", f.State) }, mustExist: true,
	})
}
