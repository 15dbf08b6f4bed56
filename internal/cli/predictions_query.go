package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/internal/query"
)

func (a *app) predictions() *cobra.Command {
	cmd := a.predictionList("predictions MODEL")
	cmd.Short = "Record predictions, and see which there are, what they say, and how they turned out"
	list := a.predictionList("list MODEL")
	list.Short = "List predictions, newest first: the same as without list"
	cmd.AddCommand(a.predictionsRecord(), a.predictionsImport(), list, a.predictionStats(), a.predictionExport(), a.predictionFiles(), a.predictionsRetain(), a.predictionsErase())
	return cmd
}

const whereHelp = `A condition is COLUMN OP VALUE with =, !=, <, <=, > or >=, and all must hold. Columns are the fields of a record (docs/prediction.md),
f_NAME for a feature, a_NAME for an attribution, label for the outcome, and hour, day and month. A value in quotation
marks is text. flags=WORD asks for a flag, COLUMN=null for what is absent.`

// predictionFilter are the flags that choose predictions.
type predictionFilter struct {
	version, since, until, subject, trace, status, decided, flag, asOf string
	where                                                              []string
	registered                                                         uint64
}

func (f *predictionFilter) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.version, "version", "", "of this `version`")
	flags.StringVar(&f.since, "since", "", "from this `time` on: 2026-01-31, or RFC 3339")
	flags.StringVar(&f.until, "until", "", "until this `time`, exclusive")
	flags.StringVar(&f.subject, "subject", "", "about this `pseudonym`")
	flags.StringVar(&f.trace, "trace", "", "of this trace `id`")
	flags.StringVar(&f.status, "status", "", "ok, error, timeout or fallback")
	flags.StringVar(&f.decided, "decided-by", "", "automated or human")
	flags.StringVar(&f.flag, "flag", "", "with this `flag`")
	flags.StringArrayVar(&f.where, "where", nil, "with this `condition`, as in 'f_income >= 30000'; may be repeated")
	flags.StringVar(&f.asOf, "as-of", "", "labels as they were known at this `time`")
	flags.Uint64Var(&f.registered, "registered", 0, "only what came on record up to the event of this `sequence`; 0: all")
}

func (f *predictionFilter) values(model string) (url.Values, error) {
	q := chosen("model", model, "version", f.version, "subject", f.subject, "trace_id", f.trace, "status", f.status, "decided_by", f.decided, "flag", f.flag)
	for _, text := range f.where {
		if _, err := query.ParseCondition(text); err != nil {
			return nil, err
		}
		q.Add("where", text)
	}
	if f.registered > 0 {
		q.Set("registered", strconv.FormatUint(f.registered, 10))
	}
	return q, errors.Join(addTimes(q, "since", f.since, "until", f.until), addAsOf(q, f.asOf))
}

func (a *app) predictionList(use string) *cobra.Command {
	var f predictionFilter
	var limit int
	name, _, _ := strings.Cut(use, " ")
	if name == "list" {
		name = "predictions list"
	}
	cmd := &cobra.Command{
		Use: use, Args: cobra.ExactArgs(1),
		Long: "List predictions of a model, newest first. That they were read is recorded.\n\n" + whereHelp,
		Example: fmt.Sprintf(`  tallystick %[1]s credit --since 2026-03-01 --where 'f_income >= 30000' --where 'label = 1'
  tallystick %[1]s credit --subject 7f3a --limit 5 --format json`, name),
	}
	f.flags(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "at most so many; 0: all")
	return asks(a, cmd, question[[]api.ListedPrediction]{
		ask: func(ctx context.Context, s *session, args []string) ([]api.ListedPrediction, error) {
			q, err := f.values(args[0])
			if err != nil {
				return nil, err
			}
			if limit > 0 && limit < 100 {
				q.Set("limit", strconv.Itoa(limit))
			}
			return client.List[api.ListedPrediction](ctx, s.Client, "/predictions", q, limit)
		},
		text: printPredictions,
	})
}

func printPredictions(w io.Writer, all []api.ListedPrediction) {
	fmt.Fprintln(w, "ID\tTIME\tVERSION\tOUTPUT\tSCORE\tSTATUS\tDECIDED BY\tSUBJECT\tLABEL\tFLAGS")
	for _, p := range all {
		var r struct {
			ID, Version, Status, Subject string
			Time                         time.Time
			DecidedBy                    string `json:"decided_by"`
			Output, Score                any
			Flags                        []string
		}
		if json.Unmarshal(p.Record, &r) != nil {
			continue // the server has written it
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, moment(r.Time), orDash(r.Version), cell(r.Output), cell(r.Score), orDash(r.Status),
			orDash(r.DecidedBy), orDash(brief(r.Subject)), cell(p.Label), orDash(strings.Join(r.Flags, ",")))
	}
}

func (a *app) predictionStats() *cobra.Command {
	var f predictionFilter
	var by, means, rates, quantiles, histograms []string
	var groups int
	cmd := &cobra.Command{
		Use: "stats MODEL", Short: "Count predictions by groups, and tell of their numbers", Args: cobra.ExactArgs(1),
		Long: `Count the predictions of a model, by the values of up to four columns, with shares, means, quantiles and histograms.
Shares have 95 % Wilson intervals. Quantiles are exact for up to 4,194,304 numbers, and within 1/1024 beyond.

` + whereHelp,
		Example: `  tallystick predictions stats credit --by version,f_region --rate 'output = approve' --mean score
  tallystick predictions stats credit --by day --quantile score:0.5,0.9 --since 2026-03-01
  tallystick predictions stats credit --histogram score:20`,
	}
	f.flags(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&by, "by", nil, "`columns` whose values make the groups; hour, day and month too")
	flags.StringArrayVar(&rates, "rate", nil, "the share of which this `condition` holds; may be repeated")
	flags.StringSliceVar(&means, "mean", nil, "mean, smallest and greatest of these `columns`")
	flags.StringArrayVar(&quantiles, "quantile", nil, "quantiles `COLUMN:Q,Q...`, as in score:0.5,0.9; may be repeated")
	flags.StringArrayVar(&histograms, "histogram", nil, "histogram `COLUMN[:BINS[:LOW:HIGH]]`; may be repeated")
	flags.IntVar(&groups, "groups", 0, "at most so many groups; 0: 100")
	return asks(a, cmd, question[query.Figured]{
		ask: func(ctx context.Context, s *session, args []string) (out query.Figured, err error) {
			q, err := f.question(args[0])
			if err != nil {
				return out, err
			}
			q.By, q.Rates, q.Means, q.Groups = by, rates, means, groups
			if q.Quantiles, err = quantileQuestions(quantiles); err != nil {
				return out, err
			}
			if q.Histograms, err = histogramQuestions(histograms); err != nil {
				return out, err
			}
			_, err = s.Await(ctx, "/predictions/aggregate", q, &out)
			return out, err
		},
		text: func(w io.Writer, out query.Figured) { printPredictionFigures(w, by, out) },
	})
}

// question returns a question for figures of what the flags choose.
func (f *predictionFilter) question(model string) (q api.FigureQuestion, err error) {
	values, err := f.values(model) // which looks at them all
	if err != nil {
		return q, err
	}
	q.Model, q.Where = model, f.where
	for column, text := range map[string]string{"version": f.version, "subject": f.subject, "trace_id": f.trace, "status": f.status, "decided_by": f.decided, "flags": f.flag} {
		if text != "" {
			q.Where = append(q.Where, query.Equals(column, text).String())
		}
	}
	for name, at := range map[string]*time.Time{"since": &q.Since, "until": &q.Until, "as_of": &q.AsOf} {
		if text := values.Get(name); text != "" {
			if *at, err = time.Parse(time.RFC3339Nano, text); err != nil {
				return q, err
			}
		}
	}
	return q, nil
}

func quantileQuestions(given []string) (all []api.QuantileQuestion, err error) {
	for _, text := range given {
		column, list, ok := strings.Cut(text, ":")
		q := api.QuantileQuestion{Column: column}
		for part := range strings.SplitSeq(list, ",") {
			at, err := strconv.ParseFloat(part, 64)
			if !ok || err != nil {
				return nil, tallystick.Errorf(tallystick.Invalid, "--quantile %q is not COLUMN:Q,Q", text).WithHint("write --quantile score:0.5,0.9")
			}
			q.At = append(q.At, at)
		}
		all = append(all, q)
	}
	return all, nil
}

func histogramQuestions(given []string) (all []api.HistogramQuestion, err error) {
	for _, text := range given {
		parts := strings.Split(text, ":")
		h := api.HistogramQuestion{Column: parts[0]}
		ok := len(parts) == 1 || len(parts) == 2 || len(parts) == 4
		if ok && len(parts) > 1 {
			h.Bins, err = strconv.Atoi(parts[1])
			ok = err == nil && h.Bins > 0
		}
		if ok && len(parts) == 4 {
			var low, high error
			h.Low, low = strconv.ParseFloat(parts[2], 64)
			h.High, high = strconv.ParseFloat(parts[3], 64)
			ok = low == nil && high == nil && h.Low < h.High
		}
		if !ok {
			return nil, tallystick.Errorf(tallystick.Invalid, "--histogram %q is not COLUMN[:BINS[:LOW:HIGH]]", text).WithHint("write --histogram score:20:0:1")
		}
		all = append(all, h)
	}
	return all, nil
}

func printPredictionFigures(w io.Writer, by []string, out query.Figured) {
	if len(out.Groups) == 0 {
		fmt.Fprintln(w, "there are no such predictions")
		return
	}
	var head []string
	for _, name := range by {
		head = append(head, strings.ToUpper(name))
	}
	head = append(head, "PREDICTIONS")
	first := out.Groups[0]
	for _, r := range first.Rates {
		head = append(head, "SHARE OF "+r.Of, "95 % INTERVAL")
	}
	for _, m := range first.Means {
		head = append(head, "MEAN "+m.Column, "MIN", "MAX", "N")
	}
	for _, q := range first.Quantiles {
		for _, at := range q.At {
			head = append(head, fmt.Sprintf("%s AT %v", q.Column, at))
		}
	}
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, g := range out.Groups {
		fmt.Fprintln(w, strings.Join(figureRow(g), "\t"))
	}
	if out.More > 0 || out.Ungrouped > 0 {
		fmt.Fprintf(w, "and %d groups more (--groups)", out.More)
		if out.Ungrouped > 0 {
			fmt.Fprintf(w, ", and %d predictions of groups beyond the 10,000 that figures are kept of", out.Ungrouped)
		}
		fmt.Fprintln(w)
	}
	for _, q := range first.Quantiles {
		if q.Method != "exact" {
			fmt.Fprintf(w, "quantiles of %s: %s\n", q.Column, q.Method)
		}
	}
	for _, g := range out.Groups {
		for _, h := range g.Histograms {
			printBars(w, g, h)
		}
	}
}

func figureRow(g query.FiguredGroup) (row []string) {
	for _, v := range g.Key {
		row = append(row, cell(v))
	}
	row = append(row, strconv.FormatInt(g.Count, 10))
	for _, r := range g.Rates {
		if r.N == 0 {
			row = append(row, "-", "-")
			continue
		}
		row = append(row, fmt.Sprintf("%.2f %%", 100*r.Rate), fmt.Sprintf("%.2f to %.2f %%", 100*r.Low, 100*r.High))
	}
	for _, m := range g.Means {
		row = append(row, number(m.Mean), number(m.Min), number(m.Max), strconv.FormatInt(m.N, 10))
	}
	for _, q := range g.Quantiles {
		for i := range q.At {
			if i < len(q.Values) {
				row = append(row, number(&q.Values[i]))
			} else {
				row = append(row, "-")
			}
		}
	}
	return row
}

func number(x *float64) string {
	if x == nil {
		return "-"
	}
	return strconv.FormatFloat(*x, 'g', 6, 64)
}

// barWidth is how many characters the longest bar has.
const barWidth = 40

// printBars draws a histogram in text.
func printBars(w io.Writer, g query.FiguredGroup, h query.FiguredBars) {
	of := ""
	for _, v := range g.Key {
		of += " " + cell(v)
	}
	fmt.Fprintf(w, "\n%s%s\n", h.Column, of)
	most := int64(1)
	for _, n := range h.Counts {
		most = max(most, n)
	}
	if len(h.Counts) == 0 {
		fmt.Fprintln(w, "no numbers")
	}
	for i, n := range h.Counts {
		width := (h.High - h.Low) / float64(len(h.Counts))
		low, high := h.Low+float64(i)*width, h.Low+float64(i+1)*width
		bar := strings.Repeat("█", int(math.Round(float64(n)/float64(most)*barWidth)))
		if n > 0 && bar == "" {
			bar = "▏"
		}
		fmt.Fprintf(w, "%s to %s\t%d\t%s\n", number(&low), number(&high), n, bar)
	}
	if h.Under+h.Over > 0 {
		fmt.Fprintf(w, "below\t%d\t\nabove\t%d\t\n", h.Under, h.Over)
	}
}

func (a *app) predictionExport() *cobra.Command {
	var f predictionFilter
	var output, form string
	var bodies bool
	cmd := &cobra.Command{
		Use: "export MODEL -o FILE", Short: "Export predictions to a Parquet or CSV file, or as lines of JSON", Args: cobra.ExactArgs(1),
		Long: `Export predictions of a model in the order in which they came in. The form follows from the end of FILE (.parquet, .csv,
.ndjson, .jsonl), or from --as. Lines of JSON and Parquet have the whole records; CSV has a column for each feature,
and the labels. That they were exported is recorded before the first is given out.

With --bodies the bodies that are kept go along: in lines of JSON as they were sent, in Parquet as the columns
request_body and response_body. A Parquet file has up to 16,777,216 predictions; the other forms any number.

` + whereHelp,
		Example: `  tallystick predictions export credit -o credit.parquet --since 2026-03-01
  tallystick predictions export credit --as ndjson -o - --where 'flags = edge'
  tallystick predictions export credit -o risky.ndjson --bodies --where 'body_rule = risky' --purpose 'complaint 12'`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if output == "" {
				return usageError(cmd, "--output is missing")
			}
			if form == "" {
				form = map[string]string{".parquet": "parquet", ".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}[strings.ToLower(filepath.Ext(output))]
			}
			if err := oneOf("--as", form, "ndjson", "csv", "parquet"); err != nil {
				return err
			}
			q, err := f.values(args[0])
			if err != nil {
				return err
			}
			q.Set("form", form)
			if bodies {
				if form == "csv" {
					return usageError(cmd, "bodies do not go into a CSV file: write .ndjson or .parquet")
				}
				q.Set("bodies", "true")
			}
			if output != "-" {
				if err := writable("--output", output); err != nil { // before anything is read, since that is recorded
					return err
				}
			}
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close(cmd.Context(), true)) }()
			body, err := s.Download(cmd.Context(), "/predictions/export?"+q.Encode())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, body.Close()) }()
			pour := func(w io.Writer) error {
				_, err := io.Copy(w, body)
				return err
			}
			if output == "-" {
				return pour(a.Out)
			}
			return durable.WriteFile(output, 0o600, pour)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write; - is standard output")
	cmd.Flags().StringVar(&form, "as", "", "ndjson, csv or parquet")
	cmd.Flags().BoolVar(&bodies, "bodies", false, "with the bodies that are kept; not in CSV")
	return cmd
}

func (a *app) predictionFiles() *cobra.Command {
	var since, until string
	var paths bool
	cmd := &cobra.Command{
		Use: "files MODEL", Short: "Say in which Parquet files the predictions of a model are", Args: cobra.ExactArgs(1),
		Long: `List the files that have predictions of a model, for DuckDB, Spark, ClickHouse and others to read. They are never
changed, but may be joined with others, or written anew without an erased prediction, at any time: ask again before
each use. With --server the paths are those below the workspace of the server.`,
		Example: `  tallystick predictions files credit --since 2026-03-01
  duckdb -c "SELECT count(*) FROM read_parquet(['$(tallystick predictions files credit --paths | paste -sd, | sed "s/,/','/g")'], union_by_name = true)"`,
	}
	cmd.Flags().StringVar(&since, "since", "", "with predictions from this `time` on")
	cmd.Flags().StringVar(&until, "until", "", "with predictions until this `time`, exclusive")
	cmd.Flags().BoolVar(&paths, "paths", false, "print the paths alone")
	return asks(a, cmd, question[[]query.KeptFile]{
		ask: func(ctx context.Context, s *session, args []string) ([]query.KeptFile, error) {
			q := chosen("model", args[0])
			if err := addTimes(q, "since", since, "until", until); err != nil {
				return nil, err
			}
			found, err := client.List[query.KeptFile](ctx, s.Client, "/predictions/files", q, 0)
			for i := range found {
				if s.local != nil {
					found[i].Path = filepath.Join(s.local.Dir(), filepath.FromSlash(found[i].Path))
				}
			}
			return found, err
		},
		text: func(w io.Writer, found []query.KeptFile) {
			if !paths {
				fmt.Fprintln(w, "PREDICTIONS\tFROM\tTO\tSEGMENTS\tPATH")
			}
			for _, k := range found {
				if paths {
					fmt.Fprintln(w, k.Path)
					continue
				}
				fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\n", k.Predictions, moment(k.First.Time()), moment(k.Last.Time()), k.Segments, k.Path)
			}
		},
	})
}
