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
	"github.com/tallystick/tallystick/internal/monitor"
)

func (a *app) monitor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "monitor",
		Short: "Watch how the predictions of a model behave, window by window",
		Long: `A monitor says in YAML what of a model is watched and by which limits. Each window of its predictions is compared
with the reference that was pinned: drift of scores, outputs and features, new and missing values, latency, errors,
and whether there are predictions at all. What comes of it is a judgement, which stands on the trail.`,
	}
	cmd.AddCommand(a.monitorApply(), a.monitorList(), a.monitorShow(), a.monitorRemove(), a.monitorRun(), a.monitorJudgements(), a.monitorJudgement(), a.monitorTest(), a.monitorChecks(), a.monitorCorrelate())
	return cmd
}

func monitorPath(name string) string { return "/monitors/" + url.PathEscape(name) }

// timeFlag reads a time that a flag gives.
func timeFlag(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, tallystick.Errorf(tallystick.Invalid, "%s %q is no time", flag, text).WithHint("write 2026-03-01 or 2026-03-01T10:00:00Z")
}

func (a *app) monitorApply() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Say what is watched; the same again changes nothing", Args: cobra.NoArgs,
		Example: `  tallystick monitor apply -f monitors/credit.yaml`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the monitor, as YAML")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, _ []string) (out api.Recorded, _ client.Receipt, err error) {
			if file == "" {
				return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "which monitor is applied is not said").WithHint("give the file with -f")
			}
			data, err := readFile(file, monitor.MaxBytes)
			if err != nil {
				return out, client.Receipt{}, err
			}
			doc, err := monitor.Parse(data, file)
			if err != nil {
				return out, client.Receipt{}, err
			}
			receipt, err := s.Put(ctx, monitorPath(doc.Name), api.MonitorDocument{Document: string(data)}, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) monitorList() *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use: "list", Short: "List the monitors, those that were removed too", Args: cobra.NoArgs,
		Example: `  tallystick monitor list --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	return asks(a, cmd, question[[]monitor.Monitor]{
		ask: func(ctx context.Context, s *session, _ []string) ([]monitor.Monitor, error) {
			return client.List[monitor.Monitor](ctx, s.Client, "/monitors", chosen("model", model), 0)
		},
		text: func(w io.Writer, all []monitor.Monitor) {
			fmt.Fprintln(w, "MONITOR\tMODEL\tAPPLIED\tDOCUMENT")
			for _, m := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.Name+map[bool]string{true: " (removed)"}[m.Removed], m.Model, moment(m.Applied), orDash(string(m.Document)))
			}
		},
	})
}

func (a *app) monitorShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show NAME", Short: "Print a monitor as it was written", Args: cobra.ExactArgs(1),
		Example: `  tallystick monitor show credit-hourly > monitors/credit.yaml`,
	}, question[api.MonitorView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.MonitorView, err error) {
			return v, s.Get(ctx, monitorPath(args[0]), &v)
		},
		text: func(w io.Writer, v api.MonitorView) {
			if v.Removed {
				fmt.Fprintf(w, "# %s was removed on %s\n", v.Name, moment(v.Applied))
			}
			fmt.Fprint(w, v.Source)
		},
	})
}

func (a *app) monitorRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove NAME", Short: "Let a monitor judge no more; what it judged stays", Args: cobra.ExactArgs(1),
		Example: `  tallystick monitor remove credit-hourly`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, monitorPath(args[0]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) monitorRun() *cobra.Command {
	var at, asOf string
	cmd := &cobra.Command{
		Use: "run NAME --window TIME", Short: "Judge a window, as it is known now or was at a moment", Args: cobra.ExactArgs(1),
		Long: `Judge the window that TIME is in. With --as-of, the monitor, the reference and the predictions are those that were on
record then, and what comes of it is the judgement of then, byte for byte, unless predictions were erased since. A
judgement that differs from the last one of the window takes its place, and both stay on the trail.`,
		Example: `  tallystick monitor run credit-hourly --window 2026-03-01T10:00Z
  tallystick monitor run credit-hourly --window 2026-03-01T10:00Z --as-of 2026-03-01T11:10:00Z --format json`,
	}
	cmd.Flags().StringVar(&at, "window", "", "a `time` in the window")
	cmd.Flags().StringVar(&asOf, "as-of", "", "as it was known at this `time`")
	return acts(a, cmd, command[monitor.WindowJudgement]{
		do: func(ctx context.Context, s *session, args []string) (j monitor.WindowJudgement, _ client.Receipt, err error) {
			var body api.WindowToJudge
			if at == "" {
				return j, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "which window is judged is not said").WithHint("give a time in it with --window")
			}
			if body.Window, err = timeFlag("--window", at); err == nil && asOf != "" {
				body.AsOf, err = timeFlag("--as-of", asOf)
			}
			if err != nil {
				return j, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, monitorPath(args[0])+"/judgements", body, &j)
			return j, receipt, err
		},
		text: func(w io.Writer, j monitor.WindowJudgement) { printJudgement(w, &j) }, mustExist: true,
	})
}
