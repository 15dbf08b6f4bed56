package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/replay"
)

// replaying are the flags of a replay.
type replaying struct {
	against, as, model, version, ids, tokens, format string
	since, until, output, score, tensor              string
	where, features, which                           []string
	limit                                            int
	atMost                                           float64
	dryRun                                           bool
	terms                                            replay.Terms
	sending                                          replay.Sending
}

func (a *app) replay() *cobra.Command {
	var f replaying
	cmd := &cobra.Command{
		Use: "replay [INCIDENT] --against URL", Short: "Ask another version what was asked before, and compare its answers with what was recorded", Args: cobra.MaximumNArgs(1),
		Long: `Send the inputs that were kept of predictions to the server of another version, and hold its answers against what was
recorded: decisions that changed, with the exact interval of their share, differences of scores, faults, latency. Of an
incident the predictions are those of its evidence, and what came of it is added to that; with --model nothing is kept.
What was asked is never recorded as a prediction; each request says so with the header Tallystick-Replay.

  --as json    an object of features; the answer has output and score, or is one value
  --as mlflow  dataframe_split to /invocations; the answer is the first of predictions
  --as v2      Open Inference Protocol to /v2/models/MODEL/infer; the answer is the first value of the first output
  --as body    the body that was kept (tallystick body rule), as it was

One value is held against the output of a record, or its score if it has no output. This machine asks, not the server of
tallystick; no redirect is followed. Predictions of which no input was kept are counted. The exit code is 1 if --at-most
is stated and not shown to hold.`,
		Example: `  tallystick replay 01a1fdcb-24be-75b3-be70-454162a8499b --against http://127.0.0.1:8080/predict --version 2 --dry-run
  tallystick replay 01a1fdcb-24be-75b3-be70-454162a8499b --against https://staging.example.org --as mlflow --version 2 --at-most 0.05
  tallystick replay --model credit --since 2026-03-01 --limit 500 --against http://127.0.0.1:8080 --as v2 --score outputs.1.data.0`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.against, "against", "", "`URL` of the server; without a path, the one of the protocol")
	flags.StringVar(&f.as, "as", "json", "protocol: json, mlflow, v2 or body")
	flags.StringVar(&f.version, "version", "", "`version` that answers there, for the record")
	flags.StringVar(&f.model, "model", "", "predictions of this `model`, without an incident")
	flags.StringVar(&f.since, "since", "", "with --model: from this `time` on")
	flags.StringVar(&f.until, "until", "", "with --model: until this `time`, exclusive")
	flags.StringArrayVar(&f.where, "where", nil, "with --model: with this `condition`; may be repeated")
	flags.StringSliceVar(&f.which, "which", nil, "of an incident: failed, slow, recent; all, if absent")
	flags.StringVar(&f.ids, "ids", "", "these predictions: a `file` with an id in each line; - is standard input")
	flags.IntVar(&f.limit, "limit", 100, "at most so many, up to 1000")
	flags.StringSliceVar(&f.features, "features", nil, "these `features`, in this order; all by name, if absent")
	flags.StringVar(&f.tensor, "tensor", "", "v2: all features as one tensor of numbers of this `name`")
	flags.StringVar(&f.output, "output", "", "where the output is in an answer, a `path` such as predictions.0.label")
	flags.StringVar(&f.score, "score", "", "where the score is in an answer, a `path`")
	flags.StringVar(&f.tokens, "token-file", "", "send the bearer token of this `file`")
	flags.Float64Var(&f.terms.Tolerance, "tolerance", 1e-6, "numbers that differ by no more are the same")
	flags.Float64Var(&f.atMost, "at-most", 0, "judge: so large a `share` of decisions may change")
	flags.IntVar(&f.sending.Clients, "clients", 4, "requests at the same time, up to 32")
	flags.DurationVar(&f.sending.Timeout, "timeout", 30*time.Second, "of one request")
	flags.BoolVar(&f.dryRun, "dry-run", false, "send nothing, and say what would be sent")
	flags.StringVar(&f.format, "format", "text", "text or json")
	cmd.MarkFlagsMutuallyExclusive("ids", "which")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if flags.Changed("at-most") {
			f.terms.AtMost = &f.atMost
		}
		if f.against == "" || (len(args) == 1) == (f.model != "") {
			return usageError(cmd, "--against is needed, and an incident or --model")
		}
		return a.runReplay(cmd.Context(), &f, strings.Join(args, ""))
	}
	return cmd
}

// chosenInputs are the predictions that a replay is about.
type chosenInputs struct {
	model    string
	requests []replay.Request
	asked    replay.Asked
	lacking  map[string]int // why no input could be sent
}

func (a *app) runReplay(ctx context.Context, f *replaying, id string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(ctx, err == nil && !f.dryRun)) }()
	in := &chosenInputs{model: f.model, lacking: map[string]int{}}
	var is api.IncidentView
	if id != "" {
		if err := s.Get(ctx, incidentPath(id), &is); err != nil {
			return err
		}
		in.model = is.Model
	}
	plan, err := replay.NewPlan(replay.Format(f.as), f.against, in.model)
	if err != nil {
		return fmt.Errorf("--against: %w", err)
	}
	plan.Features, plan.Tensor, plan.Output, plan.Score = f.features, f.tensor, f.output, f.score
	in.asked = replay.Asked{Against: plan.Address(), As: plan.Format, Version: f.version, Terms: f.terms}
	bar := a.progress()
	defer bar.done()
	if err := f.gather(ctx, s, plan, in, is.Brief, bar); err != nil {
		return err
	}
	if len(in.requests) == 0 {
		return in.nothing()
	}
	if f.dryRun {
		bar.done()
		return a.printDryRun(f.format, plan, in)
	}
	if f.sending.By, err = f.dialer(plan); err != nil {
		return err
	}
	f.sending.Told = func(done int) { bar.show("asking", int64(done), int64(len(in.requests))) }
	answers, err := plan.Send(ctx, in.requests, f.sending)
	bar.done()
	if err != nil {
		return err
	}
	report, receipt := in.report(answers), client.Receipt{}
	if id != "" {
		if receipt, err = s.Post(ctx, incidentPath(id)+"/replays", incident.AskedAgain{Asked: in.asked, Answers: answers}, report); err != nil {
			return err
		}
	}
	if v := report.Outcome.Verdict; v != "" && v != tallystick.Pass {
		a.code = exitRefused
	}
	if f.format == "json" {
		return writeJSON(a.Out, done[*replay.Report]{receipt.Event, receipt.Sequence, report})
	}
	return printColumns(a.Out, func(w io.Writer) {
		printReplay(w, report, in, answers)
		if id != "" {
			printReceipt(w, receipt)
		}
	})
}

func (f *replaying) check() error {
	if err := errors.Join(oneOf("--format", f.format, "text", "json"), oneOf("--as", f.as, "json", "mlflow", "v2", "body"), f.terms.Check(), f.sending.Check()); err != nil {
		return err
	}
	for _, why := range f.which {
		if err := oneOf("--which", why, "failed", "slow", "recent"); err != nil {
			return err
		}
	}
	if f.limit < 1 || f.limit > replay.MaxRecords {
		return tallystick.Errorf(tallystick.Invalid, "--limit %d cannot be", f.limit).WithHint("1 to %d", replay.MaxRecords)
	}
	if f.tokens != "" {
		token, err := readFile(f.tokens, 64<<10)
		if err != nil {
			return err
		}
		f.sending.Token = strings.TrimSpace(string(token))
	}
	return nil
}

// dialer returns what sends requests: to the host that the user named, wherever that is, and to no other.
func (f *replaying) dialer(plan *replay.Plan) (*dial.Client, error) {
	allowed, err := dial.ParseAllowList([]string{plan.Against.Scheme + "://" + plan.Against.Host, "0.0.0.0/0", "::/0"})
	if err != nil {
		return nil, fmt.Errorf("--against: %w", err)
	}
	later := f.sending.Timeout + 10*time.Second // the time-out of the sending comes first, and is told as such
	return dial.New(dial.Config{Allow: allowed, Header: later, Total: later, Idle: later, MaxBytes: 16 << 20}), nil
}

// report compares here, without a server: what an incident keeps is compared by the server again.
func (in *chosenInputs) report(answers []replay.Reply) *replay.Report {
	r := &replay.Report{Schema: replay.Schema, Model: in.model, Made: time.Now().UTC().Truncate(time.Millisecond), Asked: in.asked, Recorded: map[string]int64{}}
	var records []*prediction.Record
	for _, request := range in.requests {
		records = append(records, request.Record)
		r.Sent = append(r.Sent, request.Record.ID.String())
		r.Recorded[request.Record.Version]++
	}
	r.Outcome = replay.Compare(records, answers, in.asked.Terms)
	return r
}

func predictionPath(id string) string { return "/predictions/" + url.PathEscape(id) }
