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
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/schedule"
)

// reactionOffice returns the office that keeps reactions and carries them out.
func (h house) reactionOffice() *reaction.Office {
	return reaction.New(reaction.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Catalog: h.catalog, People: h.access, Alerts: h.alerts, Comparisons: h.compared, Monitors: h.monitors, Incidents: h.incidents,
		Releases: h.releases, Asker: query.New(h.DB, h.archive, h.labels), Evidence: h.Evidence, Now: time.Now,
	})
}

// reactionJob looks whether reactions are due.
func (h house) reactionJob() schedule.Job {
	return schedule.Job{Name: "react", Period: evaluateEvery, Tell: h.reactions.Run}
}

func (a *app) reaction() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reaction",
		Short: "Say what is done when a model is judged bad: training anew, rollback, pause",
		Long: `A reaction says in YAML what follows an alert that fires, a budget that is used up, or a comparison that says rollback.
It proposes: it opens the request for a rollback, or names the command. One of the mode act does it by itself, once
somebody else than who applied it has approved it; a rollback goes through the gate all the same.`,
	}
	cmd.AddCommand(a.reactionApply(), a.reactionApprove(), a.reactionList(), a.reactionShow(), a.reactionTest(), a.reactionHistory(), a.reactionRun(), a.reactionRemove())
	return cmd
}

func reactionPath(name string) string { return "/reactions/" + url.PathEscape(name) }

// readReaction reads the document of -f or an argument, and its name.
func readReaction(file string) (name string, data []byte, err error) {
	if file == "" {
		return "", nil, tallystick.Errorf(tallystick.Invalid, "which reaction is meant is not said").WithHint("give the file with -f")
	}
	if data, err = readFile(file, reaction.MaxDocument); err != nil {
		return "", nil, err
	}
	doc, err := reaction.Parse(data, file)
	if err != nil {
		return "", nil, err
	}
	return doc.Name, data, nil
}

func (a *app) reactionApply() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Put a reaction in force; the same again changes nothing", Args: cobra.NoArgs,
		Example: `  tallystick reaction apply -f reactions/credit-rollback.yaml`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the reaction, as YAML")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, _ []string) (out api.Recorded, _ client.Receipt, err error) {
			name, data, err := readReaction(file)
			if err != nil {
				return out, client.Receipt{}, err
			}
			receipt, err := s.Put(ctx, reactionPath(name), api.ReactionDocument{Document: string(data)}, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) reactionApprove() *cobra.Command {
	var in api.ReactionApproval
	var digest string
	cmd := &cobra.Command{
		Use: "approve NAME", Short: "Let a reaction of the mode act do so; somebody else than who applied it", Args: cobra.ExactArgs(1),
		Long: `Approve lets the document that is in force act by itself. It counts for that document alone, and only while you may approve.
Whoever approves counts as an author of what it asks for, and does not review that.`,
		Example: `  tallystick reaction approve credit-rollback --comment "tried on the last quarter"
  tallystick reaction approve credit-rollback --document sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
	}
	cmd.Flags().StringVar(&in.Comment, "comment", "", "why")
	cmd.Flags().StringVar(&digest, "document", "", "refuse if the document in force is not that of this `digest`")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			in.Document = tallystick.Digest(digest)
			receipt, err := s.Post(ctx, reactionPath(args[0])+"/approval", in, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) reactionRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove NAME", Short: "Do nothing by a reaction any more; what it did stays", Args: cobra.ExactArgs(1), Example: `  tallystick reaction remove credit-rollback`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, reactionPath(args[0]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) reactionList() *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use: "list", Short: "List the reactions", Args: cobra.NoArgs, Example: `  tallystick reaction list --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	return asks(a, cmd, question[[]reaction.Reaction]{
		ask: func(ctx context.Context, s *session, _ []string) ([]reaction.Reaction, error) {
			return client.List[reaction.Reaction](ctx, s.Client, "/reactions", chosen("model", model), 0)
		},
		text: func(w io.Writer, all []reaction.Reaction) {
			fmt.Fprintln(w, "REACTION\tMODEL\tAPPLIED\tAPPROVED\tDOCUMENT")
			for _, r := range all {
				at := moment(r.Applied)
				if r.Removed {
					at = "removed"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Model, at, orDash(momentOrNone(r.Approved)), orDash(string(r.Document)))
			}
		},
	})
}

func (a *app) reactionShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show NAME", Short: "Print a reaction as it was written, and who let it act", Args: cobra.ExactArgs(1), Example: `  tallystick reaction show credit-rollback`,
	}, question[api.ReactionView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.ReactionView, err error) {
			return v, s.Get(ctx, reactionPath(args[0]), &v)
		},
		text: func(w io.Writer, v api.ReactionView) {
			approval := "nobody has approved it: it proposes at most"
			switch {
			case v.Removed:
				approval = "it was removed on " + moment(v.Applied)
			case !v.Approved.IsZero():
				approval = "approved on " + moment(v.Approved) + " by " + v.ApprovedBy
			}
			fmt.Fprintf(w, "# %s; applied by %s\n%s", approval, orDash(v.AppliedBy), v.Source)
		},
	})
}

func (a *app) reactionTest() *cobra.Command {
	var since, until string
	cmd := &cobra.Command{
		Use: "test FILE --since TIME", Short: "Say what a reaction would have tried of what is on record; nothing is done", Args: cobra.ExactArgs(1),
		Long: `Test goes through the alerts or comparisons on record, with what kept them back, the cool-down and the bounds, and says what
would have been tried when. What the gate would have decided then it does not say.`,
		Example: `  tallystick reaction test reactions/credit-rollback.yaml --since 2026-01-01
  tallystick reaction test reactions/credit-rollback.yaml --since 2026-01-01 --until 2026-04-01 --format json`,
	}
	cmd.Flags().StringVar(&since, "since", "", "what fired from this `time` on: 2026-01-31, or RFC 3339")
	cmd.Flags().StringVar(&until, "until", "", "until this `time`, exclusive; now, if absent")
	return asks(a, cmd, question[reaction.Rehearsal]{
		ask: func(ctx context.Context, s *session, args []string) (r reaction.Rehearsal, err error) {
			if since == "" {
				return r, usageError(cmd, "--since is missing")
			}
			_, data, err := readReaction(args[0])
			if err != nil {
				return r, err
			}
			in := api.ReactionRehearsal{Document: string(data)}
			if in.From, err = timeFlag("--since", since); err != nil {
				return r, err
			}
			if until != "" {
				if in.To, err = timeFlag("--until", until); err != nil {
					return r, err
				}
			}
			_, err = s.Post(ctx, "/reaction-rehearsals", in, &r)
			return r, err
		},
		text: func(w io.Writer, r reaction.Rehearsal) {
			fmt.Fprintln(w, "AT\tWOULD\tDEED\tINCIDENT\tCAUSE\tREASON")
			acted := 0
			for _, s := range r.Steps {
				if s.Would != "skip" {
					acted++
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", moment(s.At), s.Would, s.Deed, orDash(s.Incident), s.About, orDash(s.Reason))
			}
			fmt.Fprintf(w, "\n%d looked at, %d made the condition true: %d deeds, %d skipped\n", r.Looked, r.Matched, acted, len(r.Steps)-acted)
			if r.More {
				fmt.Fprintln(w, "there was more than is looked at: take a shorter time")
			}
		},
	})
}

func (a *app) reactionHistory() *cobra.Command {
	var model, incident, is string
	var limit int
	cmd := &cobra.Command{
		Use: "history [NAME]", Short: "List what reactions tried, and what came of it, the newest first", Args: cobra.MaximumNArgs(1),
		Example: `  tallystick reaction history credit-rollback
  tallystick reaction history --model credit --state refused --format json`,
	}
	flags := cmd.Flags()
	flags.StringVar(&model, "model", "", "of this model")
	flags.StringVar(&incident, "incident", "", "for this `incident`")
	flags.StringVar(&is, "state", "", "proposed, begun, done, refused, lapsed or skipped")
	flags.IntVar(&limit, "limit", 100, "at most so many; 0: all")
	return asks(a, cmd, question[[]reaction.Try]{
		ask: func(ctx context.Context, s *session, args []string) ([]reaction.Try, error) {
			if is != "" {
				if err := oneOf("--state", is, "proposed", "begun", "done", "refused", "lapsed", "skipped"); err != nil {
					return nil, err
				}
			}
			return client.List[reaction.Try](ctx, s.Client, "/reaction-tries", chosen("reaction", strings.Join(args, ""), "model", model, "incident", incident, "state", is), limit)
		},
		text: func(w io.Writer, all []reaction.Try) {
			fmt.Fprintln(w, "TRIED\tSTATE\tDEED\tREACTION\tMODEL\tENVIRONMENT\tCAUSE\tRESULT")
			for _, t := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", moment(t.Tried), t.State, t.Deed, t.Reaction, versionOf(t.Model, t.Version), orDash(t.Environment), t.Rule, orDash(resultOf(&t)))
			}
		},
	})
}

func versionOf(model, version string) string {
	if version == "" {
		return model
	}
	return model + "@" + version
}

// resultOf says what came of a try.
func resultOf(t *reaction.Try) string {
	var parts []string
	if t.Target != "" {
		parts = append(parts, "to "+t.Target)
	}
	for _, part := range []struct{ is, name string }{{t.Release, "release"}, {t.Retrain, "retrain"}} {
		if part.is != "" {
			parts = append(parts, part.name+" "+part.is)
		}
	}
	if t.Reason != "" {
		parts = append(parts, t.Reason)
	}
	if t.Command != "" && t.State == reaction.Proposed {
		parts = append(parts, "`"+t.Command+"`")
	}
	return strings.Join(parts, "; ")
}

func (a *app) reactionRun() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "run", Short: "Look at once whether reactions are due; a server does so every ten seconds", Args: cobra.NoArgs, Example: `  tallystick reaction run`,
	}, question[api.ReactionsRun]{
		ask: func(ctx context.Context, s *session, _ []string) (out api.ReactionsRun, err error) {
			_, err = s.Post(ctx, "/reaction-runs", struct{}{}, &out)
			return out, err
		},
		text: func(w io.Writer, out api.ReactionsRun) {
			if out.Outcome == "" {
				out.Outcome = "nothing was due"
			}
			fmt.Fprintln(w, out.Outcome)
		},
	})
}
