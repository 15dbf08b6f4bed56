package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/monitor"
)

// maxShownRows bounds the rows that passed which are printed.
const maxShownRows = 20

func printJudgement(w io.Writer, j *monitor.WindowJudgement) {
	fmt.Fprintf(w, "%s  %s  %s\n%s\n\n", j.Verdict, j.Monitor, monitor.Window{From: j.From, To: j.To}, j.Words)
	fmt.Fprintln(w, "VERDICT\tCHECK\tOF\tVALUE\tFAILS FROM\tWORDS")
	passed := 0
	for _, r := range j.Worst() {
		if r.Verdict == tallystick.Pass {
			if passed++; passed > maxShownRows {
				continue
			}
		}
		value, threshold := figure.None, figure.None
		if r.Value.Valid() {
			value = figure.Number(float64(r.Value))
		}
		if r.Threshold != nil {
			threshold = figure.Plain(*r.Threshold)
		}
		of := r.Subject
		if r.Slice != "" {
			of = strings.TrimSpace(of + " where " + r.Slice)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Verdict, r.Check, orDash(of), value, threshold, r.Words)
	}
	if more := passed - maxShownRows; more > 0 {
		fmt.Fprintf(w, "and %d more that passed\n", more)
	}
}

func (a *app) monitorJudgements() *cobra.Command {
	var from, to, verdict string
	var all bool
	var limit int
	cmd := &cobra.Command{
		Use: "judgements NAME", Short: "List what a monitor judged, what was judged last first", Args: cobra.ExactArgs(1),
		Example: `  tallystick monitor judgements credit-hourly --verdict fail
  tallystick monitor judgements credit-hourly --from 2026-03-01 --to 2026-04-01 --all`,
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "windows that begin from this `time` on")
	flags.StringVar(&to, "to", "", "windows that begin before this `time`")
	flags.StringVar(&verdict, "verdict", "", "pass, warn, inconclusive, insufficient or fail")
	flags.BoolVar(&all, "all", false, "those too that a later one has taken the place of")
	flags.IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return asks(a, cmd, question[[]monitor.JudgedWindow]{
		ask: func(ctx context.Context, s *session, args []string) ([]monitor.JudgedWindow, error) {
			q := chosen("monitor", args[0], "verdict", verdict)
			if verdict != "" {
				if err := tallystick.Verdict(verdict).Validate(); err != nil {
					return nil, err
				}
			}
			for name, text := range map[string]string{"from": from, "to": to} {
				if text == "" {
					continue
				}
				at, err := timeFlag("--"+name, text)
				if err != nil {
					return nil, err
				}
				q.Set(name, at.Format(time.RFC3339))
			}
			if all {
				q.Set("all", "true")
			}
			return client.List[monitor.JudgedWindow](ctx, s.Client, "/judgements", q, limit)
		},
		text: func(w io.Writer, all []monitor.JudgedWindow) {
			fmt.Fprintln(w, "WINDOW\tVERDICT\tPREDICTIONS\tBACK-FILLED\tJUDGED\tJUDGEMENT")
			for _, j := range all {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\n", moment(j.From), j.Verdict, j.Predictions, j.Backfilled, moment(j.Judged), j.Judgement)
			}
		},
	})
}

func (a *app) monitorJudgement() *cobra.Command {
	var name, at string
	cmd := &cobra.Command{
		Use: "judgement DIGEST | judgement --monitor NAME --window TIME", Short: "Show a judgement on record, with a row for every check", Args: cobra.MaximumNArgs(1),
		Long: `Show a judgement as it was kept, with a row for every check: by its digest or, of the window that TIME is in, the one
that counts now. Nothing is judged anew; "tallystick monitor run" does that.`,
		Example: `  tallystick monitor judgement --monitor credit-hourly --window 2026-03-01T10:00Z
  tallystick monitor judgement sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae --format json`,
	}
	flags := cmd.Flags()
	flags.StringVar(&name, "monitor", "", "`name` of the monitor")
	flags.StringVar(&at, "window", "", "a `time` in the window")
	return asks(a, cmd, question[monitor.WindowJudgement]{
		ask: func(ctx context.Context, s *session, args []string) (j monitor.WindowJudgement, err error) {
			var digest tallystick.Digest
			switch {
			case len(args) == 1 && name == "" && at == "":
				digest, err = tallystick.ParseDigest(args[0])
			case len(args) == 0 && name != "" && at != "":
				digest, err = judgementOf(ctx, s, name, at)
			default:
				err = tallystick.Errorf(tallystick.Invalid, "which judgement is shown is not said").WithHint("give its digest, or --monitor and --window")
			}
			if err != nil {
				return j, err
			}
			return j, s.Get(ctx, "/judgements/"+string(digest), &j)
		},
		text: func(w io.Writer, j monitor.WindowJudgement) { printJudgement(w, &j) },
	})
}

// judgementOf returns the digest of the judgement that counts of the window that a moment is in.
func judgementOf(ctx context.Context, s *session, name, text string) (tallystick.Digest, error) {
	at, err := timeFlag("--window", text)
	if err != nil {
		return "", err
	}
	var view api.MonitorView
	if err := s.Get(ctx, monitorPath(name), &view); err != nil {
		return "", err
	}
	from := at.Add(-monitor.MaxWidth) // of a monitor that was removed nobody knows how long its windows were
	if view.Source != "" {
		doc, err := monitor.Parse([]byte(view.Source), name)
		if err != nil {
			return "", err
		}
		from = doc.WindowAt(at).From
	}
	q := chosen("monitor", name, "from", from.Format(time.RFC3339), "to", at.Add(time.Second).Format(time.RFC3339))
	found, err := client.List[monitor.JudgedWindow](ctx, s.Client, "/judgements", q, 0)
	if err != nil {
		return "", err
	}
	var last *monitor.JudgedWindow
	for i := range found {
		if j := &found[i]; !at.Before(j.From) && at.Before(j.To) && (last == nil || j.Event > last.Event) {
			last = j
		}
	}
	if last == nil {
		return "", tallystick.Errorf(tallystick.NotFound, "%s has judged no window with %s", name, at.Format(time.RFC3339)).
			WithHint("`tallystick monitor judgements %s` lists those that it judged, `tallystick monitor run` judges one", name)
	}
	return last.Judgement, nil
}
