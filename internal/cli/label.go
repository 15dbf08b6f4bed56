package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/query"
)

func (a *app) label() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "label",
		Short: "Record how predictions turned out, and see how many have",
		Long: `A label is the outcome of a prediction that is known later: that a loan was paid back, that a
diagnosis was right. Labels come in any order, twice and corrected: of several for one prediction the one that was
stated last counts, and what was known at a moment can be asked for ever after.`,
	}
	cmd.AddCommand(a.labelRecord(), a.labelShow(), a.labelCoverage())
	return cmd
}

func labelsPath(model string) string { return "/models/" + url.PathEscape(model) + "/labels" }

// recordedLabels is what became of a file of labels.
type recordedLabels struct {
	Model      string                `json:"model"`
	Batches    int                   `json:"batches"`
	Repeated   int                   `json:"repeated_batches"`
	Labels     int64                 `json:"labels"`
	Corrected  int64                 `json:"corrected"`
	Duplicates int64                 `json:"duplicates"`
	Count      int64                 `json:"rejected_count"`
	Rejected   []label.RejectedLabel `json:"rejected,omitempty"` // index in the file
}

func (a *app) labelRecord() *cobra.Command {
	var batch, format string
	cmd := &cobra.Command{
		Use:   "record MODEL FILE",
		Short: "Record labels from a CSV file or from lines of JSON; - reads lines of JSON from standard input",
		Long: `Record the labels in FILE: .csv with a header line, or lines of JSON. A label has prediction (the id that
the prediction was given), value and time; beside them stated, source and note. In the place of prediction it can
have trace_id or subject, if one prediction of the model alone has that.

Of several labels of a prediction the one that was stated last counts; what does not say when it was stated was
stated when it was received. A label that says what counts already is a duplicate and does nothing. A label can
come before its prediction, and waits for it.

A file goes in batches of up to 10,000 labels. They are named after the content of the file, so that the same file
recorded twice does nothing; --batch names them otherwise. One bad label costs the others nothing.

Exit code: 0 all taken, 1 some rejected.`,
		Example: `  tallystick label record credit outcomes.csv
  echo '{"prediction":"019cb3a5-1f6e-7c31-8a4e-0f2f64a5a001","value":1,"time":"2026-05-01T00:00:00Z"}' | tallystick label record credit -`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			in, name, err := labelFile(args[1], batch, a.In)
			if err != nil {
				return err
			}
			defer in.Close()
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			done, err := recordLabels(cmd.Context(), s, args[0], name, labelsOf(args[1], in))
			if err = errors.Join(err, s.Close(cmd.Context(), true)); err != nil {
				return err
			}
			if done.Count > 0 {
				a.code = 1
			}
			if format == "json" {
				return a.printJSON(done)
			}
			return printColumns(a.Out, func(w io.Writer) { printRecordedLabels(w, done) })
		},
	}
	cmd.Flags().StringVar(&batch, "batch", "", "`name` of the batches, followed by a number if they are several")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// labelFile opens a file of labels, and names its batches.
func labelFile(path, batch string, stdin io.Reader) (in io.ReadCloser, name string, err error) {
	if path == "-" {
		return io.NopCloser(stdin), batch, nil
	}
	file, err := openFile(path)
	if err != nil {
		return nil, "", err
	}
	if name = batch; name == "" {
		digest, err := digestOfFile(file)
		if err == nil {
			_, err = file.Seek(0, io.SeekStart)
		}
		if err != nil {
			return nil, "", errors.Join(err, file.Close())
		}
		name = digest.Hex()
	}
	return file, name, nil
}

func digestOfFile(file *os.File) (tallystick.Digest, error) {
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", fmt.Errorf("read %s: %w", file.Name(), err)
	}
	return tallystick.Digest(fmt.Sprintf("sha256:%x", h.Sum(nil))), nil
}

func labelsOf(path string, in io.Reader) iter.Seq2[label.Sent, error] {
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		return label.ReadCSV(in)
	}
	return label.ReadLines(in)
}

// recordLabels sends labels in batches. What cannot be read is rejected here, and not sent.
func recordLabels(ctx context.Context, s *session, model, name string, all iter.Seq2[label.Sent, error]) (done recordedLabels, err error) {
	done.Model = model
	var batch label.Batch
	var places []int // in the file
	reject := func(r label.RejectedLabel) {
		if done.Count++; len(done.Rejected) < 100 {
			done.Rejected = append(done.Rejected, r)
		}
	}
	send := func() error {
		if len(batch.Labels) == 0 {
			return nil
		}
		if done.Batches++; name != "" {
			batch.ID = name + "." + strconv.Itoa(done.Batches)
		}
		var out label.BatchOutcome
		if _, err := s.Post(ctx, labelsPath(model), batch, &out); err != nil {
			return err
		}
		if out.Repeated {
			done.Repeated++
		} else {
			done.Labels, done.Corrected, done.Duplicates = done.Labels+out.Labels, done.Corrected+out.Corrected, done.Duplicates+out.Duplicates
		}
		for _, r := range out.Rejected {
			r.Index = places[r.Index]
			reject(r)
		}
		done.Count += out.Count - int64(len(out.Rejected))
		batch.Labels, places = batch.Labels[:0], places[:0]
		return nil
	}
	at := 0
	for sent, err := range all {
		if err != nil {
			return done, err
		}
		if sent.Err != nil {
			reject(label.Reject(at, sent.Err))
		} else {
			batch.Labels, places = append(batch.Labels, sent), append(places, at)
		}
		if at++; len(batch.Labels) == label.MaxLabels {
			if err := send(); err != nil {
				return done, err
			}
		}
	}
	return done, send()
}

func printRecordedLabels(w io.Writer, d recordedLabels) {
	fmt.Fprintf(w, "%d labels of %s recorded, %d of them corrections; %d were on record already, %d rejected\n", d.Labels, d.Model, d.Corrected, d.Duplicates, d.Count)
	if d.Repeated > 0 {
		fmt.Fprintf(w, "%d of %d batches had come before: nothing was done for them; --batch NAME sends them as others\n", d.Repeated, d.Batches)
	}
	for _, r := range d.Rejected {
		fmt.Fprintf(w, "label %d: %s", r.Index+1, r.Message)
		if r.Hint != "" {
			fmt.Fprintf(w, "; %s", r.Hint)
		}
		fmt.Fprintln(w)
	}
	if more := d.Count - int64(len(d.Rejected)); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
}

func (a *app) labelShow() *cobra.Command {
	var asOf string
	cmd := &cobra.Command{
		Use: "show MODEL PREDICTION", Short: "Show what is known of the outcome of a prediction, and what was before", Args: cobra.ExactArgs(2),
		Example: `  tallystick label show credit 019cb3a5-1f6e-7c31-8a4e-0f2f64a5a001
  tallystick label show credit 019cb3a5-1f6e-7c31-8a4e-0f2f64a5a001 --as-of 2026-05-01`,
	}
	cmd.Flags().StringVar(&asOf, "as-of", "", "as it was known at this `time`")
	return asks(a, cmd, question[api.LabelHistory]{
		ask: func(ctx context.Context, s *session, args []string) (h api.LabelHistory, err error) {
			q := url.Values{}
			if err := addAsOf(q, asOf); err != nil {
				return h, err
			}
			return h, s.Get(ctx, labelsPath(args[0])+"/"+url.PathEscape(args[1])+"?"+q.Encode(), &h)
		},
		text: func(w io.Writer, h api.LabelHistory) {
			fmt.Fprintln(w, "COUNTS\tVALUE\tOUTCOME\tSTATED\tRECORDED\tSOURCE\tEVENT\tNOTE")
			for _, k := range h.Labels {
				counts := ""
				if k.Counts {
					counts = "yes"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", orDash(counts), cell(k.Value), moment(k.Time.Time()), moment(k.Stated.Time()), moment(k.Recorded),
					orDash(k.Source), k.Event, orDash(brief(k.Note)))
			}
		},
	})
}

func addAsOf(q url.Values, s string) error {
	t, err := parseTime("--as-of", s)
	if err == nil && !t.IsZero() {
		q.Set("as_of", t.Format(time.RFC3339Nano))
	}
	return err
}

// cell writes a value of JSON for a column.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return brief(fmt.Sprint(v))
}

func (a *app) labelCoverage() *cobra.Command {
	var since, until, asOf string
	var days float64
	cmd := &cobra.Command{
		Use: "coverage MODEL", Short: "Say how many predictions have labels, and how long those took", Args: cobra.ExactArgs(1),
		Example: `  tallystick label coverage credit --mature-days 30
  tallystick label coverage credit --since 2026-01-01 --until 2026-02-01 --as-of 2026-05-01`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Float64Var(&days, "mature-days", 0, "age from which a prediction should have a label; younger ones do not count")
	flags.StringVar(&since, "since", "", "predictions from this `time` on")
	flags.StringVar(&until, "until", "", "predictions until this `time`, exclusive")
	flags.StringVar(&asOf, "as-of", "", "labels as they were known at this `time`")
	return asks(a, cmd, question[query.LabelCoverage]{
		ask: func(ctx context.Context, s *session, args []string) (c query.LabelCoverage, err error) {
			q := url.Values{}
			if err := errors.Join(addTimes(q, "since", since, "until", until), addAsOf(q, asOf)); err != nil {
				return c, err
			}
			if days < 0 || days > 36_500 {
				return c, usageError(cmd, "--mature-days is not between 0 and 36500")
			}
			q.Set("mature_seconds", strconv.FormatInt(int64(days*86_400), 10))
			return c, s.Get(ctx, labelsPath(args[0])+"/coverage?"+q.Encode(), &c)
		},
		text: printCoverage,
	})
}

func printCoverage(w io.Writer, c query.LabelCoverage) {
	fmt.Fprintln(w, "\tPREDICTIONS\tMATURED\tLABELLED\tSHARE\t95 % INTERVAL\tLAG MEDIAN\tP90\tN")
	row := func(name string, c *query.Covered) {
		share, interval := "-", "-"
		if c.Rate != nil {
			share, interval = fmt.Sprintf("%.1f %%", 100**c.Rate), fmt.Sprintf("%.1f to %.1f %%", 100**c.Low, 100**c.High)
		}
		median, p90, n := "-", "-", int64(0)
		if c.Lag != nil {
			median, p90, n = lagWords(c.Lag.Median), lagWords(c.Lag.P90), c.Lag.N
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%d\n", name, c.Predictions, c.Matured, c.Labelled, share, interval, median, p90, n)
	}
	row("all", &c.All)
	for i := range c.By {
		row("version "+orDash(c.By[i].Name), &c.By[i].Covered)
	}
	for i := range c.Ages {
		if c.Ages[i].Predictions > 0 {
			row(c.Ages[i].Name, &c.Ages[i].Covered)
		}
	}
	if c.Waiting != nil && *c.Waiting > 0 {
		fmt.Fprintf(w, "%d predictions have labels, but are not on record themselves\n", *c.Waiting)
	}
}

// lagWords writes seconds for people.
func lagWords(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	case d >= time.Minute:
		return d.Round(time.Second).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}
