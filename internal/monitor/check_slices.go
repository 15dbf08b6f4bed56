package monitor

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// slicesCheck compares parts of the predictions with the same parts of the reference, and holds them against the limits of other
// checks.
type slicesCheck struct {
	of        *Checks
	by, where []string
	judged    []string // of sliceable; empty: drift
}

// What slices can be judged by.
const (
	byDrift       = "drift"
	byPerformance = "performance"
	byLatency     = "latency"
	byErrors      = "errors"
)

func sliceable() []string { return []string{byDrift, byPerformance, byLatency, byErrors} }

// judges reports whether slices are judged by something.
func (c *slicesCheck) judges(what string) bool {
	return slices.Contains(c.judged, what) || len(c.judged) == 0 && what == byDrift
}

// Bounds of the slices of a monitor.
const (
	maxSlicesStated = 20
	maxSliceText    = 200 // bytes
	maxSliceRows    = 5   // of one slice
)

func (*slicesCheck) about() About {
	return About{
		Key:    "slices",
		Method: "features of each slice by two keys as `drift`, against the same slice of the reference by slice, Benjamini-Hochberg over all features of all slices; with `judge`, [metrics, latency and errors too](#slices), Bonferroni over all that is judged",
		Fails:  "as `drift`; as `performance`, `latency` and `errors`",
		Why:    "none: a change of a few hides in all. Of a slice the five worst features have a row, or the one that moved most if none did",
	}
}

func (c *slicesCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.MappingNode {
			return c.decodeOf(d)(node, path)
		}
		err := d.Mapping(node, path, yamldoc.Key("of", c.decodeOf(d)), yamldoc.Key("judge", d.chosen(&c.judged, sliceable())))
		if err == nil && len(c.by)+len(c.where) == 0 {
			return d.Errorf(node, "%s names no slices", path).WithHint("write 'of: [{by: region}]'")
		}
		return err
	}
}

// decodeOf reads which slices there are.
func (c *slicesCheck) decodeOf(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.SequenceNode || len(node.Content) == 0 || len(node.Content) > maxSlicesStated {
			return d.Errorf(node, "%s must be a list of 1 to %d slices, not %s", path, maxSlicesStated, yamldoc.KindOf(node)).WithHint("write [{by: region}, {where: \"age < 25\"}]")
		}
		for i, item := range node.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			var by, where string
			if err := d.Mapping(item, at, yamldoc.Key("by", d.Text(&by)), yamldoc.Key("where", d.Text(&where))); err != nil {
				return err
			}
			switch {
			case (by == "") == (where == ""):
				return d.Errorf(item, "%s needs by or where, and not both", at).WithHint("write {by: region} or {where: \"age < 25\"}")
			case len(by)+len(where) > maxSliceText:
				return d.Errorf(item, "%s is longer than %d bytes", at, maxSliceText)
			case by != "":
				c.by = append(c.by, by)
				continue
			}
			if _, err := sliceCondition(where); err != nil {
				message, hint := tallystick.Words(err)
				return d.Errorf(item, "%s: %s", at, message).WithHint("%s", cmp.Or(hint, "write COLUMN OP VALUE, as in age < 25"))
			}
			c.where = append(c.where, where)
		}
		return nil
	}
}

// slices are the conditions, none if a feature is no category of the reference: begin says so.
func (c *slicesCheck) slices(reference *window.Reference) []query.Condition {
	if reference == nil || len(c.by)+len(c.where) == 0 {
		return nil
	}
	all, err := slicesOf(reference, c.by, c.where)
	if err != nil {
		return nil
	}
	return all
}

func (c *slicesCheck) begin(ctx context.Context, s *subject) (*look, error) {
	if len(c.by)+len(c.where) == 0 {
		return nil, nil
	}
	var b *breakdown
	var lacks string
	var err error
	if c.judges(byDrift) {
		if b, lacks, err = s.breakdownOf(ctx, BySlice); err != nil {
			return nil, err
		}
	}
	conditions, none := c.slices(s.reference), ""
	if len(conditions) == 0 {
		none = "The reference has no such categories to slice by."
		if _, err := slicesOf(s.reference, c.by, c.where); err != nil {
			message, _ := tallystick.Words(err)
			none = fmt.Sprintf("No slice can be made: %s.", message)
		}
	}
	if c.judges(byPerformance) {
		if _, err := s.turnedOut(ctx); err != nil {
			return nil, err
		}
	}
	return &look{compares: true, judge: func(f *facts) (rows []Row) {
		switch {
		case lacks != "":
			rows = append(rows, c.insufficient("", f.Predictions, lacks))
		case none != "":
			rows = append(rows, c.insufficient("", f.Predictions, none))
		case c.judges(byDrift):
			rows = c.rows(f, conditions, b)
		}
		if none == "" {
			rows = append(append(rows, c.performed(f, conditions)...), c.limited(f, conditions)...)
		}
		return rows
	}}, nil
}

func (*slicesCheck) insufficient(slice string, n int64, words string) Row {
	return Row{Check: "slices", Slice: slice, Method: "slices/1", N: n, Measure: "psi", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient, Words: words}
}

// rows are those of all slices.
func (c *slicesCheck) rows(f *facts, conditions []query.Condition, b *breakdown) (rows []Row) {
	var groups []drift.Group
	var names []string
	for _, condition := range conditions {
		name := sliceName(condition)
		base, is := b.parts[condition.String()]
		t := f.slices[condition.String()]
		switch {
		case !is:
			rows = append(rows, c.insufficient(name, t.Predictions, fmt.Sprintf("The reference by slice has no predictions with %s.", name)))
			continue
		case f.few(t.Predictions) || base.profile.Rows() < c.of.Drift.MinReference:
			rows = append(rows, c.insufficient(name, t.Predictions, fmt.Sprintf("%s: too few rows to judge (%d against %d).", name, t.Predictions, base.profile.Rows())))
			continue
		}
		p, err := t.Profile.Against(base.profile)
		if err != nil {
			rows = append(rows, c.insufficient(name, t.Predictions, fmt.Sprintf("%s cannot be compared: %v.", name, err)))
			continue
		}
		groups = append(groups, drift.Group{Features: f.compare(p), Reference: p.Reference().Rows, Rows: t.Predictions})
		names = append(names, name)
	}
	drift.JudgeAll(groups, c.of.Drift)
	for i, g := range groups {
		rows = append(rows, c.worst(names[i], g.Features)...)
	}
	return rows
}

// worst are the rows of the features of one slice that are worth one.
func (c *slicesCheck) worst(slice string, features []drift.Feature) (rows []Row) {
	order(features)
	slices.SortStableFunc(features, func(a, b drift.Feature) int {
		if a.Verdict != b.Verdict {
			if a.Verdict.Worse(b.Verdict) == a.Verdict {
				return -1
			}
			return 1
		}
		return cmp.Compare(float64(b.PSI), float64(a.PSI))
	})
	for _, m := range features[:min(len(features), maxSliceRows)] {
		if len(rows) > 0 && m.Verdict == tallystick.Pass {
			break
		}
		r := Row{
			Check: "slices", Slice: slice, Subject: m.Name, Role: m.Role, Method: "slices/1: " + m.Method, N: m.N, Against: m.NReference, P: valid(m.P), Adjusted: valid(m.PAdjusted),
			Measure: "psi", Value: m.PSI, Threshold: number(c.of.Drift.FailPSI), Warn: number(c.of.Drift.WarnPSI), Origin: c.of.Drift.Origin, Verdict: m.Verdict,
			Words: fmt.Sprintf("Where %s: %s", slice, m.Words),
		}
		if m.Verdict != tallystick.Pass {
			r.Omitted, r.Feature = trim(&m), &m
		}
		rows = append(rows, r)
	}
	return rows
}
