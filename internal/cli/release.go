package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/release"
)

func (a *app) release() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "release",
		Short: "Let versions into environments: request, review, promote, roll back, freeze",
		Long: `A release begins with a request. People who are not its author review it, bound to the digest of the
version; the gate judges everything on record; and the promotion carries out what it decided, if the
facts are still those that it judged.`,
	}
	cmd.AddCommand(a.releaseRequest(), a.releaseList(), a.releaseShow(),
		a.releaseReview("approve", release.Approve, "Approve a request; the author cannot"),
		a.releaseReview("reject", release.Reject, "Reject a request, which closes it"),
		a.releaseWithdraw(), a.releasePromote(), a.releaseRollback(), a.freeze(), a.unfreeze(), a.freezeList(), a.decisions(), a.releaseReplay(), a.releaseStats())
	return cmd
}

func releasePath(id string) string { return "/releases/" + url.PathEscape(id) }

// releaseBody is what asks for a release.
type releaseBody struct {
	release.Asking
	Days int `json:"days,omitempty"`
}

func (a *app) releaseRequest() *cobra.Command {
	var t targetFlags
	var days int
	cmd := &cobra.Command{
		Use: "request MODEL@VERSION --to ENVIRONMENT", Short: "Ask that a version be let into an environment", Args: cobra.ExactArgs(1),
		Example: `  tallystick release request credit@3 --to production --reason "better on young applicants"
  tallystick release request credit@4 --to production --role canary --percent 5`,
	}
	t.add(cmd)
	cmd.Flags().StringVar(&t.Reason, "reason", "", "why")
	cmd.Flags().IntVar(&days, "days", 0, "for how many days it can be carried out (default 14)")
	return acts(a, cmd, command[release.Request]{
		do: func(ctx context.Context, s *session, args []string) (r release.Request, _ client.Receipt, err error) {
			if err := t.read(cmd, args[0]); err != nil {
				return r, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, "/releases", releaseBody{t.Asking, days}, &r)
			return r, receipt, err
		},
		text: func(w io.Writer, r release.Request) {
			printReleases(w, []release.Request{r})
		},
		mustExist: true,
	})
}

func (a *app) releaseList() *cobra.Command {
	var f releaseFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List requests, the newest first", Args: cobra.NoArgs,
		Example: `  tallystick release list --open
  tallystick release list --model credit --format json`,
	}
	return lists(a, cmd, listing[release.Request]{"/releases", &f, "only requests that are open", printReleases})
}

func printReleases(w io.Writer, all []release.Request) {
	fmt.Fprintln(w, "REQUEST\tVERSION\tTO\tAS\tKIND\tSTATE\tASKED\tUNTIL")
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%s@%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Model, r.Version, r.Environment, r.Role, r.Kind, r.State, moment(r.Created), moment(r.Expires))
	}
}

func (a *app) releaseShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show REQUEST", Short: "Show a request with its reviews", Args: cobra.ExactArgs(1),
		Example: `  tallystick release show 0198c0de-0000-7000-8000-000000000000`,
	}, question[api.ReleaseView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.ReleaseView, err error) {
			return v, s.Get(ctx, releasePath(args[0]), &v)
		},
		text: func(w io.Writer, v api.ReleaseView) {
			printFields(w, "request", v.ID, "target", v.Name(), "digest", string(v.Digest), "asked by", v.Requester, "reason", v.Reason,
				"state", string(v.State), "asked", moment(v.Created), "until", moment(v.Expires), "closed", moment(v.Closed))
			for _, r := range v.Reviews {
				fmt.Fprintf(w, "%s\tby %s on %s: %s\n", r.Verdict, r.Reviewer, moment(r.Created), orDash(r.Comment))
			}
			if v.Rival != nil && v.Rival.Version != v.Version {
				fmt.Fprintf(w, "What differs from %s@%s: tallystick diff %[1]s@%[2]s %[1]s@%[3]s\n", v.Model, v.Rival.Version, v.Version)
			}
		},
	})
}

func (a *app) releaseReview(use string, verdict release.Opinion, short string) *cobra.Command {
	o := release.Opining{Verdict: verdict}
	cmd := &cobra.Command{
		Use: use + " REQUEST --comment TEXT", Short: short, Args: cobra.ExactArgs(1),
		Example: fmt.Sprintf("  tallystick release %s 0198c0de-0000-7000-8000-000000000000 --comment \"read the report\"", use),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.Comment, "comment", "", "why")
	flags.StringVar((*string)(&o.Digest), "digest", "", "`digest` of the version that was looked at; another one is refused")
	flags.StringVar(&o.Conflict, "conflict", "", "a conflict of interest to declare; the review then does not count")
	return settles(a, cmd, settling[release.Request]{"/releases/", "/reviews", &o, printReleases})
}

// reason is the body of what only says why.
type reason struct {
	Reason string `json:"reason,omitempty"`
}

func (a *app) releaseWithdraw() *cobra.Command {
	var why reason
	cmd := &cobra.Command{
		Use: "withdraw REQUEST", Short: "Take a request back", Args: cobra.ExactArgs(1),
		Example: `  tallystick release withdraw 0198c0de-0000-7000-8000-000000000000 --reason "found a leak in the data"`,
	}
	cmd.Flags().StringVar(&why.Reason, "reason", "", "why")
	return settles(a, cmd, settling[release.Request]{"/releases/", "/withdrawal", &why, printReleases})
}

func (a *app) releasePromote() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "promote REQUEST",
		Short: "Carry out a request, if the gate lets it in",
		Long: `Promote asks the gate and, if it passes, lets the version in, in one transaction. If anything that was
judged has changed meanwhile, nothing is done, and the conflict names it.

Exit code: 0 promoted, 1 the gate denied.`,
		Example: `  tallystick release promote 0198c0de-0000-7000-8000-000000000000`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.judge(cmd.Context(), format, func(ctx context.Context, s *session) (release.Judgement, error) {
				return promote(ctx, s, args[0])
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json, sarif, junit, markdown or github")
	return cmd
}

func promote(ctx context.Context, s *session, id string) (release.Judgement, error) {
	var c api.Carried
	_, err := s.Post(ctx, releasePath(id)+"/promotion", struct{}{}, &c)
	return c.Judgement, err
}

func (a *app) releaseRollback() *cobra.Command {
	var environment, why, format string
	cmd := &cobra.Command{
		Use:   "rollback MODEL --in ENVIRONMENT --reason TEXT",
		Short: "Go back to the last champion that complied",
		Long: `Rollback asks for the last champion before the present one that complied, and carries that out at once:
the gate asks of a rollback only for what can be had in a hurry.

Exit code: 0 rolled back, 1 the gate denied.`,
		Example: `  tallystick release rollback credit --in production --reason "errors on new applicants"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if environment == "" {
				return usageError(cmd, "--in is missing")
			}
			return a.judge(cmd.Context(), format, func(ctx context.Context, s *session) (j release.Judgement, err error) {
				var is catalog.Standing
				if err := s.Get(ctx, "/environments/"+url.PathEscape(environment)+"/models/"+url.PathEscape(args[0]), &is); err != nil {
					return j, err
				}
				if is.LastCompliant == nil {
					return j, tallystick.Errorf(tallystick.Conflict, "no champion of %s in %s before the present one complied", args[0], environment).
						WithHint("`tallystick assignments --model %s --env %s` lists what has served", args[0], environment)
				}
				var r release.Request
				ask := release.Asking{Kind: release.Rollback, Model: args[0], Version: is.LastCompliant.Version, Environment: environment, Reason: why}
				if _, err := s.Post(ctx, "/releases", releaseBody{Asking: ask}, &r); err != nil {
					return j, err
				}
				return promote(ctx, s, r.ID)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&environment, "in", "", "the `environment`")
	flags.StringVar(&why, "reason", "", "why")
	flags.StringVar(&format, "format", "text", "text, json, sarif, junit, markdown or github")
	return cmd
}

// releaseFlags choose rows of a list.
type releaseFlags struct {
	model, environment string
	open, ending       bool
	limit              int
}

func (f *releaseFlags) add(cmd *cobra.Command, open string) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.model, "model", "", "only of this model")
	flags.StringVar(&f.environment, "env", "", "only of this environment")
	if open != "" {
		flags.BoolVar(&f.open, "open", false, open)
	}
	flags.IntVar(&f.limit, "limit", 100, "at most so many; 0: all")
}

func (f *releaseFlags) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"model": f.model, "environment": f.environment} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, only := range map[string]bool{"open": f.open, "ending": f.ending} {
		if only {
			q.Set(name, "true")
		}
	}
	return q
}

func (a *app) decisions() *cobra.Command {
	var f releaseFlags
	cmd := &cobra.Command{
		Use: "decisions", Short: "List what the gate decided, the newest first", Args: cobra.NoArgs,
		Example: `  tallystick release decisions --model credit`,
	}
	return lists(a, cmd, listing[release.GateDecision]{"/decisions", &f, "", printDecisions})
}

func printDecisions(w io.Writer, all []release.GateDecision) {
	fmt.Fprintln(w, "DECISION\tVERSION\tTO\tVERDICT\tDENIED BY\tPOLICY\tAT")
	for _, d := range all {
		denied := "-"
		if len(d.Denied) > 0 {
			denied = fmt.Sprintf("%s and %d more", d.Denied[0], len(d.Denied)-1)
		}
		if len(d.Denied) == 1 {
			denied = d.Denied[0]
		}
		fmt.Fprintf(w, "%s\t%s@%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.Model, d.Version, d.Environment, d.Verdict, denied, d.Policy.Short(), moment(d.At))
	}
}

func (a *app) releaseReplay() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "replay DECISION",
		Short: "Take a decision again from its stored input, and compare",
		Long: `Replay gives the input document of a decision to the same policy again. The decision comes out the same, bit for
bit, or the command says what differs; if the policy is another by now it is a conflict.

Exit code: 0 it is the same, 1 it is not.`,
		Example: `  tallystick release replay 0198c0de-0000-7000-8000-000000000000`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			as, err := policy.ParseFormat(format)
			if err != nil {
				return err
			}
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			var again release.Replayed
			err = s.Get(cmd.Context(), "/decisions/"+url.PathEscape(args[0])+"/replay", &again)
			if err = errors.Join(err, s.Close(cmd.Context(), false)); err != nil {
				return err
			}
			a.refuseUnless(again.Same)
			if as == policy.JSON {
				return a.printJSON(again)
			}
			if err := a.printJudgement(as, release.Judgement{Target: again.Recorded.Target, Decision: again.Decision}); err != nil || as != policy.Text {
				return err
			}
			words := "the same"
			if !again.Same {
				words = "NOT the same"
			}
			_, err = fmt.Fprintf(a.Out, "\n%s as decided on %s: %s, input %s, policy %s\n", words, moment(again.Recorded.At), again.Recorded.Verdict,
				again.Recorded.Input.Short(), again.Recorded.Policy.Short())
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json, sarif, junit, markdown or github")
	return cmd
}
