package audit

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/table"
)

// Measure reads the files and measures everything. The document lacks its gate decision and its
// summary. Errors of code Invalid are about the input or the flags.
func Measure(ctx context.Context, cfg Config) (*report.Document, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	in, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer in.close()
	return measure(ctx, cfg, in)
}

// open opens the tables of the audit, or none.
func open(ctx context.Context, cfg Config) (in inputs, err error) {
	defer func() {
		if err != nil {
			in.close()
		}
	}()
	text := []string{}
	if cfg.ID != "" {
		text = append(text, cfg.ID)
	}
	for _, t := range []struct {
		into  **table.Table
		paths []string
		stage string
	}{{&in.data, cfg.Files, "reading"}, {&in.reference, cfg.Reference, "reading the reference"}, {&in.labels, cfg.Labels, "reading labels"}} {
		if len(t.paths) == 0 {
			continue
		}
		options := table.Options{
			Text: text, TempDir: cfg.TempDir,
			Progress: func(done, total int64) { cfg.Progress(t.stage, done, total) },
		}
		if cfg.Contract != nil && t.into != &in.labels {
			*t.into, err = contract.Open(ctx, t.paths, cfg.Contract, options)
		} else {
			*t.into, err = table.Open(ctx, t.paths, options)
		}
		if err != nil {
			return in, err
		}
		if (*t.into).Rows() == 0 {
			return in, tallystick.Errorf(tallystick.Invalid, "%s has no rows", t.paths[0]).WithHint("check that the file is whole")
		}
	}
	return in, nil
}

func (in inputs) close() {
	for _, t := range []*table.Table{in.data, in.reference, in.labels} {
		if t != nil {
			_ = t.Close() // read only: nothing can be lost
		}
	}
}

func measure(ctx context.Context, cfg Config, in inputs) (*report.Document, error) {
	p, err := newPlan(ctx, cfg, in)
	if err != nil {
		return nil, err
	}
	doc := newDocument(cfg, in, p)
	var late *lateLabels
	if in.labels != nil {
		if late, err = readLateLabels(ctx, p, in.labels); err != nil {
			return nil, err
		}
	}
	r, err := p.core(ctx, cfg, in, late)
	if err != nil {
		return nil, err
	}
	doc.Labelled = r.labelled
	if late != nil {
		if doc.Labels, err = late.report(p, in.labels); err != nil {
			return nil, err
		}
	}
	if err := doc.performance(ctx, cfg, p, in, r); err != nil {
		return nil, err
	}
	r.release()
	cols, err := measureColumns(ctx, cfg, p, in, r)
	if err != nil {
		return nil, err
	}
	doc.columns(cfg, p, in, cols)
	doc.windows(cfg, p, r, cols)
	if cfg.Contract != nil {
		result, err := contract.CheckTable(ctx, in.data, cfg.Contract, cfg.Now())
		if err != nil {
			return nil, fmt.Errorf("check contract: %w", err)
		}
		doc.Contract = &result
	}
	doc.limits(cfg, p, in, r)
	return doc.Document, nil
}

// document is a report in the making.
type document struct {
	*report.Document
	reference *performance.Performance // of the reference, if it has labels and predictions
	windowed  []*performance.Performance
}

func newDocument(cfg Config, in inputs, p *plan) *document {
	doc := &report.Document{
		Schema: report.Schema, Tool: cfg.Tool, ID: tallystick.NewID(cfg.Now()), Generated: cfg.Now().UTC(),
		Model:   report.Model{Name: cfg.Model, Version: cfg.Version, Owner: cfg.Owner, Tier: cfg.Tier},
		Data:    dataOf(in.data),
		Columns: p.Roles, Guesses: slices.Concat(p.guesses, in.warnings()), Rows: in.data.Rows(),
	}
	if in.reference != nil {
		d := dataOf(in.reference)
		doc.Reference = &d
	}
	return &document{Document: doc}
}

// warnings are what the tables had to guess when they were read. Files go by their base names, as
// everywhere in a report.
func (in inputs) warnings() (warnings []string) {
	for _, t := range []*table.Table{in.data, in.reference, in.labels} {
		if t == nil {
			continue
		}
		for _, w := range t.Warnings() {
			for _, f := range t.Files() {
				w = strings.ReplaceAll(w, f.Path, filepath.Base(f.Path))
			}
			if !contains(warnings, w) {
				warnings = append(warnings, w)
			}
		}
	}
	return warnings
}

func dataOf(t *table.Table) report.Data {
	d := report.Data{Digest: t.Digest(), Rows: t.Rows()}
	for _, f := range t.Files() {
		d.Files = append(d.Files, report.File{
			Name: filepath.Base(f.Path), Format: f.Format, Bytes: f.Bytes, Rows: f.Rows, Digest: f.Digest,
		})
	}
	return d
}

// performance measures predictions against labels: the whole, the reference, the windows, the
// groups, and how well scores are calibrated.
func (doc *document) performance(ctx context.Context, cfg Config, p *plan, in inputs, r *rows) error {
	if r.labelled == 0 && (p.Label != "" || in.labels != nil) {
		return tallystick.Errorf(tallystick.Invalid, "no row has both a label in %q and a prediction", p.Label).
			WithHint("check the columns named by --label and --prediction")
	}
	limits := fairness.DefaultLimits()
	if cfg.Contract != nil {
		limits = fairnessLimits(cfg.Contract.Limits, limits)
	}
	if doc.Fairness = r.fair(p, limits); r.labelled == 0 {
		return nil
	}
	whole, err := r.performances(r.whole)
	if err != nil {
		return err
	}
	doc.Performance = whole[0]
	if b, ok := r.whole.parts[0].(*binaryPart); ok && b.scores != nil {
		doc.Calibration = performance.Calibrate(b.scores)
	}
	r.whole.parts = nil
	if r.byWindow != nil {
		if doc.windowed, err = r.performances(r.byWindow); err != nil {
			return err
		}
		r.byWindow.parts = nil
	}
	if err := r.scoreGroups(p, doc.Fairness, doc.Calibration); err != nil {
		return err
	}
	if doc.reference, err = referencePerformance(ctx, cfg, p, in); err != nil {
		return err
	}
	switch {
	case cfg.Champion != nil && cfg.Champion.Performance != nil:
		name := cfg.Champion.Model.Name + "@" + cfg.Champion.Model.Version
		doc.Baseline = baseline("champion", "the champion "+name, name, doc.Performance, cfg.Champion.Performance)
	case doc.reference != nil:
		doc.Baseline = baseline("reference", "the reference", doc.Reference.Files[0].Name, doc.Performance, doc.reference)
	}
	return nil
}

func baseline(source, words, name string, current, base *performance.Performance) *report.Baseline {
	b := performance.Baseline{Performance: base, Name: words}
	return &report.Baseline{Source: source, Name: name, Metrics: b.Compare(current)}
}

// referencePerformance measures the reference where it has the columns; nil where it has not.
func referencePerformance(ctx context.Context, cfg Config, p *plan, in inputs) (*performance.Performance, error) {
	if in.reference == nil || p.Label == "" {
		return nil, nil
	}
	for _, name := range []string{p.Label, p.Prediction, p.Score, p.Query, p.Item} {
		if name == "" {
			continue
		}
		if _, err := in.reference.Column(name); err != nil {
			return nil, nil //nolint:nilerror // a reference without labels has no performance
		}
	}
	own := *p
	own.groups, own.Groups = nil, nil
	whole := cfg
	whole.Window, whole.Chunk = "", 0
	r, err := own.core(ctx, whole, inputs{data: in.reference}, nil)
	if err != nil || r.labelled == 0 {
		return nil, err
	}
	measured, err := r.performances(r.whole)
	if err != nil {
		return nil, err
	}
	return measured[0], nil
}

// columns puts in what the pass over the columns showed.
func (doc *document) columns(cfg Config, p *plan, in inputs, cols *columns) {
	doc.Quality = quality.New(doc.Rows, cols.quality, cols.duplicates, cols.ids)
	doc.Slices, doc.Leakage = cols.slices, cols.leaks
	if doc.Leakage == nil && doc.Labelled > 0 {
		doc.Leakage = []quality.Leak{} // looked, and no column is of a kind that can leak
	}
	if in.reference != nil {
		doc.Drift = drift.Judge(cols.drift, in.reference.Rows(), in.data.Rows(), driftThresholds(cfg))
		if len(cols.noDrift) > 0 {
			slices.Sort(cols.noDrift)
			doc.Guesses = append(doc.Guesses, "not compared with the reference: "+quoted(cols.noDrift, 10))
		}
	}
}

// limits says what the audit cannot show.
func (doc *document) limits(cfg Config, p *plan, in inputs, r *rows) {
	doc.Limits = append(doc.Limits,
		"An audit measures the file that it was given. It cannot show that the file holds what the model really predicted, or that no other file was tried before.")
	if doc.Labelled < doc.Rows {
		doc.Limits = append(doc.Limits, fmt.Sprintf("%d of %d rows have no label or no prediction; nothing is known about their errors.", doc.Rows-doc.Labelled, doc.Rows))
	}
	if n := r.scored[0] + r.scored[1]; r.task == performance.Binary && p.Score != "" && n < r.labelled {
		doc.Limits = append(doc.Limits, fmt.Sprintf("%d of %d labelled rows have no score and take no part in ROC AUC, calibration and losses.", r.labelled-n, r.labelled))
	}
	if n := r.queryless; n > 0 {
		doc.Limits = append(doc.Limits, fmt.Sprintf("%d of %d rows have no query in %q and are in no ranked list.", n, doc.Rows, p.Query))
	}
	if n := r.itemless; n > 0 {
		doc.Limits = append(doc.Limits, fmt.Sprintf("%d of %d rows have no item in %q; they keep their rank and count for no item in coverage and popularity.", n, doc.Rows, p.Item))
	}
	if n := r.windows.without(doc.Rows); n > 0 {
		doc.Limits = append(doc.Limits, fmt.Sprintf("%d of %d rows have no time and are in no window.", n, doc.Rows))
	}
	if len(p.Groups) > 0 && doc.Fairness == nil {
		doc.Limits = append(doc.Limits, fmt.Sprintf("Groups are compared where predictions are binary; those of %s were not.", quoted(p.Groups, 10)))
	}
	if in.reference == nil {
		doc.Limits = append(doc.Limits, "Without --reference nothing can be said about drift or unseen values.")
	}
	doc.Limits = append(doc.Limits, r.inexact(cfg, p, in)...)
	if doc.Fairness != nil {
		doc.Limits = append(doc.Limits, "Equal error rates and equal predictive values cannot both hold where base rates differ (Kleinberg et al. 2016, Chouldechova 2017): which one matters is for people to decide. Groups are compared as the data names them.")
	}
	if doc.Calibration != nil && doc.Calibration.Skipped != "" {
		doc.Limits = append(doc.Limits, "Calibration was not judged: "+doc.Calibration.Skipped+".")
	}
}
