package monitor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/window"
)

// The kinds of breakdowns: of which parts of the predictions they tell.
const (
	BySeason = "season"
	BySlice  = "slice"
)

const breakdownSchema = "tallystick.monitor.breakdown/1"

// maxBreakdownDays bounds the time that a breakdown is counted of.
const maxBreakdownDays = 366

// Breakdown is what parts of the predictions of a time looked like: of each hour-of-week class, or of each slice. It is counted
// by the rules of a reference, beside which it stands.
type Breakdown struct {
	Model       string            `json:"model" doc:"name of the model"`
	Version     string            `json:"version,omitempty" doc:"version that it is for; absent: every one that has none of its own"`
	Kind        string            `json:"kind" enum:"season,slice" doc:"what its parts are"`
	Digest      tallystick.Digest `json:"breakdown_digest" doc:"of the document"`
	Reference   tallystick.Digest `json:"reference_digest" doc:"of the reference by whose rules it was counted"`
	Parts       int64             `json:"parts" doc:"classes or slices that have predictions"`
	Predictions int64             `json:"predictions" doc:"that it was counted of"`
	Environment string            `json:"environment,omitempty" doc:"of those predictions"`
	From        time.Time         `json:"from" doc:"of those predictions"`
	To          time.Time         `json:"to" doc:"exclusive"`
	Pinned      time.Time         `json:"pinned"`
	Event       uint64            `json:"event" doc:"sequence of the event that pinned it"`
}

// BreakdownPin says of which predictions a breakdown is counted, and of which parts of them: of the hours of the week, or of
// slices.
type BreakdownPin struct {
	Model, Version, Environment string
	From, To                    time.Time
	Kind                        string
	By, Where                   []string // slices: by the values of features, and by conditions
}

// breakdownDocument is a breakdown as it is kept.
type breakdownDocument struct {
	Schema    string            `json:"schema"`
	Kind      string            `json:"kind"`
	Reference tallystick.Digest `json:"reference_digest"`
	Parts     []breakdownPart   `json:"parts"` // by name

	rows int64
}

// breakdownPart is one class or slice.
type breakdownPart struct {
	Name    string `json:"name"`
	Windows int64  `json:"windows,omitempty"` // of a class: its stretches of six hours that had predictions
	Rows    int64  `json:"rows"`
	Profile []byte `json:"profile"`
}

// PrepareBreakdown counts and keeps a breakdown by the reference in force, and returns the change that pins it.
func (o *Office) PrepareBreakdown(ctx context.Context, p BreakdownPin) (*BreakdownPinned, error) {
	if p.From.IsZero() || p.To.IsZero() || p.To.Sub(p.From) > maxBreakdownDays*day {
		return nil, tallystick.Errorf(tallystick.Invalid, "from when until when predictions are counted is not said, or is more than %d days", maxBreakdownDays)
	}
	var is Reference
	err := o.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		is, err = newestReference(tx, p.Model, p.Version, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	reference, err := o.reference(ctx, is.Digest)
	if err != nil {
		return nil, err
	}
	document := &breakdownDocument{Schema: breakdownSchema, Kind: p.Kind, Reference: is.Digest}
	d := Document{Environment: p.Environment}
	s := query.Selection{Model: p.Model, From: p.From, To: p.To, Where: d.where(p.Version)}
	switch p.Kind {
	case BySeason:
		err = o.gatherSeasons(ctx, document, s, reference)
	case BySlice:
		err = o.gatherSlices(ctx, document, s, reference, p)
	default:
		err = tallystick.Errorf(tallystick.Invalid, "a breakdown of the kind %.40q is none", p.Kind).WithHint("use season or slice")
	}
	if err != nil {
		return nil, err
	}
	if document.rows == 0 {
		return nil, tallystick.Errorf(tallystick.NotFound, "there are no such predictions of %s", p.Model).WithHint("`tallystick predictions stats %s --by day` says when there are", p.Model)
	}
	data, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("breakdown of %s: %w", p.Model, err)
	}
	digest, err := o.config.Evidence.Put(ctx, data)
	return &BreakdownPinned{
		Model: p.Model, Version: p.Version, Kind: p.Kind, Breakdown: digest, Reference: is.Digest, Parts: int64(len(document.Parts)), Predictions: document.rows,
		Environment: p.Environment, From: stamp(p.From), To: stamp(p.To),
	}, err
}

// add puts a part that was counted into the document, unless it is empty.
func (b *breakdownDocument) add(name string, windows int64, t *rollup.Tally) error {
	if t.Predictions == 0 {
		return nil
	}
	data, err := t.Profile.Marshal()
	b.Parts = append(b.Parts, breakdownPart{name, windows, t.Predictions, data})
	return err
}

// gatherSeasons counts predictions by the class of the week that they were made in.
func (o *Office) gatherSeasons(ctx context.Context, b *breakdownDocument, s query.Selection, reference *window.Reference) error {
	rules := &rollup.Rules{Reference: reference}
	counter, tallies, windows := rollup.NewCounter(rules, 0), map[string]*rollup.Tally{}, map[string]map[int64]bool{}
	rows := map[string][]int{}
	for block, err := range o.config.Asker.Blocks(ctx, s, rules.Columns()) {
		if err != nil {
			return err
		}
		clear(rows)
		for k := range block.Rows() {
			at := block.Time(k).Time()
			name := seasonOf(at)
			if tallies[name] == nil {
				tallies[name], windows[name] = rules.Tally(), map[int64]bool{}
			}
			rows[name] = append(rows[name], k)
			windows[name][at.Truncate(seasonLength).Unix()] = true
		}
		for name, some := range rows {
			counter.AddRows(tallies[name], block, some)
		}
		b.rows += int64(block.Rows())
	}
	for _, name := range slices.Sorted(maps.Keys(tallies)) {
		if err := b.add(name, int64(len(windows[name])), tallies[name]); err != nil {
			return err
		}
	}
	return nil
}

// gatherSlices counts the predictions of slices.
func (o *Office) gatherSlices(ctx context.Context, b *breakdownDocument, s query.Selection, reference *window.Reference, p BreakdownPin) error {
	conditions, err := slicesOf(reference, p.By, p.Where)
	if err != nil {
		return err
	}
	rules := &rollup.Rules{Reference: reference, Slices: conditions}
	counter, all, parts := rollup.NewCounter(rules, 0), rules.Tally(), make([]*rollup.Tally, len(conditions))
	for i := range parts {
		parts[i] = rules.Tally()
	}
	for block, err := range o.config.Asker.Blocks(ctx, s, rules.Columns()) {
		if err != nil {
			return err
		}
		counter.Add(all, parts, block)
	}
	b.rows = all.Predictions
	for i, c := range conditions {
		if err := b.add(c.String(), 0, parts[i]); err != nil {
			return err
		}
	}
	return nil
}

// ProposeBreakdown returns the change, nil if the newest breakdown of the kind is this one already.
func (o *Office) ProposeBreakdown(tx *state.Tx, b *BreakdownPinned) (trail.Change, error) {
	if _, err := o.config.Catalog.ModelIn(tx, b.Model); err != nil {
		return nil, err
	}
	is, err := newestBreakdown(tx, b.Kind, b.Model, b.Version, 0)
	if err == nil && is.Version == b.Version && is.Digest == b.Breakdown {
		return nil, nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return b, nil
}

const breakdownColumns = "event, model, version, kind, digest, reference_digest, parts, predictions, environment, from_us, to_us, pinned_ms"

func scanBreakdown(row state.Scanner) (b Breakdown, err error) {
	var from, to, pinned int64
	err = row.Scan(&b.Event, &b.Model, &b.Version, &b.Kind, &b.Digest, &b.Reference, &b.Parts, &b.Predictions, &b.Environment, &from, &to, &pinned)
	b.From, b.To, b.Pinned = instant(from), instant(to), time.UnixMilli(pinned).UTC()
	return b, err
}

// newestBreakdown returns that of the version or, if it has none, that of the model, pinned by events up to until; 0 is no
// bound. It is sql.ErrNoRows if there is none.
func newestBreakdown(tx *state.Tx, kind, model, version string, until uint64) (Breakdown, error) {
	return scanBreakdown(tx.QueryRow("SELECT "+breakdownColumns+" FROM model_breakdowns WHERE kind = ? AND model = ? AND (version = ? OR version = '') AND event <= ? ORDER BY version DESC, event DESC LIMIT 1",
		kind, model, version, bound(until)))
}

// Breakdowns returns those of a model, or of all, the newest first.
func (o *Office) Breakdowns(ctx context.Context, model string) (all []Breakdown, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanBreakdown, "SELECT "+breakdownColumns+" FROM model_breakdowns WHERE model = ? OR ? = '' ORDER BY event DESC "+state.Limit, model, model, maxListed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the breakdowns of %s: %w", model, err)
	}
	return all, nil
}

// maxSlicesBy bounds the slices by the values of one feature: the most frequent of the reference.
const maxSlicesBy = 10
