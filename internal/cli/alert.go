package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/monitor"
)

func (a *app) alert() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alert",
		Short: "See what was judged bad so often that somebody is to know",
		Long: `Alerts follow judgements: what was bad in a window is pending, fires when it was bad in 2 of 3 windows, and resolves
after 3 windows that pass. Missing telemetry fires at once. A policy says it otherwise, and how urgent it is. A window
in which too little was seen neither fires an alert nor resolves it.`,
	}
	cmd.AddCommand(a.alertList(), a.alertShow(), a.alertHistory(), a.alertResolve(), a.alertEvaluate(), a.alertPolicy())
	return cmd
}

func alertPath(id string) string { return "/alerts/" + url.PathEscape(id) }

func (a *app) alertList() *cobra.Command {
	var model, environment, is, severity string
	var all bool
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List the alerts that are pending or firing, or all", Args: cobra.NoArgs,
		Example: `  tallystick alert list
  tallystick alert list --model credit --all
  tallystick alert list --env production --severity page
  tallystick alert list --state firing --severity page --format json`,
	}
	flags := cmd.Flags()
	flags.StringVar(&model, "model", "", "of this model")
	flags.StringVar(&environment, "env", "", "in this environment")
	flags.StringVar(&is, "state", "", "pending, firing or resolved")
	flags.StringVar(&severity, "severity", "", "page or ticket")
	flags.BoolVar(&all, "all", false, "those too that are resolved")
	flags.IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return asks(a, cmd, question[[]alert.Alert]{
		ask: func(ctx context.Context, s *session, _ []string) ([]alert.Alert, error) {
			if is != "" {
				if err := oneOf("--state", is, "pending", "firing", "resolved"); err != nil {
					return nil, err
				}
			}
			if severity != "" {
				if err := oneOf("--severity", severity, "page", "ticket"); err != nil {
					return nil, err
				}
			}
			q := chosen("model", model, "environment", environment, "state", is, "severity", severity)
			if !all && is == "" {
				q.Set("live", "true")
			}
			return client.List[alert.Alert](ctx, s.Client, "/alerts", q, limit)
		},
		text: func(w io.Writer, all []alert.Alert) {
			fmt.Fprintln(w, "STATE\tSEVERITY\tSINCE\tMODEL\tRULE\tOF\tSUPPRESSED BY\tALERT")
			for i := range all {
				a := &all[i]
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.State, a.Severity, moment(since(a)), modelOf(a), a.Rule, orDash(a.Subject), orDash(a.SuppressedBy), a.ID)
			}
		},
	})
}

// since returns when the alert came into its state.
func since(a *alert.Alert) time.Time {
	switch {
	case a.State == alert.Ended:
		return a.Resolved
	case a.State == alert.Firing:
		return a.Fired
	}
	return a.Pending
}

func modelOf(a *alert.Alert) string {
	name := a.Model
	if a.Version != "" {
		name += "@" + a.Version
	}
	if a.Environment != "" {
		name += " (" + a.Environment + ")"
	}
	return name
}

func (a *app) alertShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show ALERT", Short: "Show one alert: what was judged, in words, and how it goes on", Args: cobra.ExactArgs(1),
		Example: `  tallystick alert show 0197c1e0-5f4e-7d31-9c7e-6c1f0e1d2a3b`,
	}, question[alert.Alert]{
		ask: func(ctx context.Context, s *session, args []string) (v alert.Alert, err error) {
			return v, s.Get(ctx, alertPath(args[0]), &v)
		},
		text: func(w io.Writer, v alert.Alert) { printAlert(w, &v) },
	})
}

func printAlert(w io.Writer, v *alert.Alert) {
	fmt.Fprintf(w, "%s  %s  %s\n", v.State, v.Severity, v.Summary())
	if v.Words != "" {
		fmt.Fprintln(w, v.Words)
	}
	fmt.Fprintln(w)
	for _, row := range [][2]string{
		{"rule", v.Rule}, {"model", modelOf(v)}, {"subject", v.Subject}, {"slice", v.Segment},
		{"window", monitor.Window{From: v.From, To: v.To}.String()}, {"verdict", string(v.Verdict)}, {"evidence", string(v.Evidence)},
		{"pending", momentOrNone(v.Pending)}, {"fired", momentOrNone(v.Fired)}, {"resolved", momentOrNone(v.Resolved)},
		{"cause", v.Cause}, {"reason", v.Reason}, {"suppressed by", v.SuppressedBy}, {"labels", strings.Join(v.Labels, " ")}, {"runbook", v.Runbook},
		{"alert", v.ID}, {"fingerprint", string(v.Fingerprint)},
	} {
		if row[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
	if s := v.Standing; s != nil {
		fmt.Fprintf(w, "last window\t%s: %s\n", moment(s.Last), s.Verdict)
		if s.Unjudged > 0 {
			fmt.Fprintf(w, "not judged\t%d windows since %s say nothing: too little was seen, or an interval crosses its limit\n", s.Unjudged, moment(s.UnjudgedSince))
		}
	}
}

func momentOrNone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return moment(t)
}

func (a *app) alertHistory() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "history ALERT", Short: "Tell what became of the thing that an alert is about, newest first", Args: cobra.ExactArgs(1),
		Example: `  tallystick alert history 0197c1e0-5f4e-7d31-9c7e-6c1f0e1d2a3b`,
	}
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return asks(a, cmd, question[[]alert.Happening]{
		ask: func(ctx context.Context, s *session, args []string) ([]alert.Happening, error) {
			return client.List[alert.Happening](ctx, s.Client, alertPath(args[0])+"/history", url.Values{}, limit)
		},
		text: func(w io.Writer, all []alert.Happening) {
			fmt.Fprintln(w, "TIME\tEVENT\tTYPE\tWHAT HAPPENED")
			for _, l := range all {
				fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", moment(l.Time), l.Event, l.Type, l.Words)
			}
		},
	})
}

func (a *app) alertResolve() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "resolve ALERT --reason TEXT", Short: "Resolve an alert by hand; what is bad raises another", Args: cobra.ExactArgs(1),
		Example: `  tallystick alert resolve 0197c1e0-5f4e-7d31-9c7e-6c1f0e1d2a3b --reason 'the feature was taken out of the monitor'`,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Post(ctx, alertPath(args[0])+"/resolution", api.AlertEnd{Reason: reason}, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) alertEvaluate() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "evaluate", Short: "Look at new judgements at once; a server does so every ten seconds", Args: cobra.NoArgs,
		Example: `  tallystick monitor run credit-hourly --window 2026-03-01T10:00Z
  tallystick alert evaluate`,
	}, command[api.AlertsEvaluated]{
		do: func(ctx context.Context, s *session, _ []string) (out api.AlertsEvaluated, _ client.Receipt, err error) {
			receipt, err := s.Post(ctx, "/alert-evaluations", nil, &out)
			return out, receipt, err
		},
		text: func(w io.Writer, out api.AlertsEvaluated) {
			if out.Outcome == "" {
				out.Outcome = "no alert changed"
			}
			fmt.Fprintln(w, out.Outcome)
		}, mustExist: true, unsaid: true,
	})
}

func (a *app) alertPolicy() *cobra.Command {
	cmd := &cobra.Command{
		Use: "policy", Short: "Say when alerts fire and resolve, how urgent they are, and what is to be done",
		Long: `A policy is YAML: rules, of which the first that matches an alert says how many bad windows fire it and good ones resolve
it, whether somebody is paged, and which labels and runbook it has. Rules of a model's policies come before those for
all models.`,
	}
	cmd.AddCommand(a.alertPolicyApply(), a.alertPolicyList(), a.alertPolicyShow(), a.alertPolicyRemove())
	return cmd
}

func alertPolicyPath(name string) string { return "/alert-policies/" + url.PathEscape(name) }

func (a *app) alertPolicyApply() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Say how alerts are; the same again changes nothing", Args: cobra.NoArgs,
		Example: `  tallystick alert policy apply -f alerts/credit.yaml`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the policy, as YAML")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, _ []string) (out api.Recorded, _ client.Receipt, err error) {
			if file == "" {
				return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "which policy is applied is not said").WithHint("give the file with -f")
			}
			data, err := readFile(file, alert.MaxPolicy)
			if err != nil {
				return out, client.Receipt{}, err
			}
			doc, err := alert.ParsePolicy(data, file)
			if err != nil {
				return out, client.Receipt{}, err
			}
			receipt, err := s.Put(ctx, alertPolicyPath(doc.Name), api.AlertPolicyDocument{Document: string(data)}, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) alertPolicyList() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "list", Short: "List the policies, those that were removed too", Args: cobra.NoArgs,
		Example: `  tallystick alert policy list`,
	}, question[[]alert.Policy]{
		ask: func(ctx context.Context, s *session, _ []string) ([]alert.Policy, error) {
			return client.List[alert.Policy](ctx, s.Client, "/alert-policies", url.Values{}, 0)
		},
		text: func(w io.Writer, all []alert.Policy) {
			fmt.Fprintln(w, "POLICY\tMODEL\tAPPLIED\tDOCUMENT")
			for _, p := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Name+map[bool]string{true: " (removed)"}[p.Removed], orDash(p.Model), moment(p.Applied), orDash(string(p.Document)))
			}
		},
	})
}

func (a *app) alertPolicyShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show NAME", Short: "Print a policy as it was written", Args: cobra.ExactArgs(1),
		Example: `  tallystick alert policy show credit > alerts/credit.yaml`,
	}, question[api.AlertPolicyView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.AlertPolicyView, err error) {
			return v, s.Get(ctx, alertPolicyPath(args[0]), &v)
		},
		text: func(w io.Writer, v api.AlertPolicyView) {
			if v.Removed {
				fmt.Fprintf(w, "# %s was removed on %s\n", v.Name, moment(v.Applied))
			}
			fmt.Fprint(w, v.Source)
		},
	})
}

func (a *app) alertPolicyRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove NAME", Short: "Let a policy count no more", Args: cobra.ExactArgs(1),
		Example: `  tallystick alert policy remove credit`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, alertPolicyPath(args[0]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}
