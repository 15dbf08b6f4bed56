package monitor

import (
	"context"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// adaptiveCheck learns from earlier windows what is usual for a row of other checks, and warns beyond that and not beyond a fixed
// limit. From where on a row fails stays stated.
type adaptiveCheck struct {
	habit
	floors map[string]float64 // by check
}

const (
	keyAdaptive = "adaptive"
	// ofLearned is a threshold that was learned from earlier windows.
	ofLearned = "learned"
)

func newAdaptiveCheck() *adaptiveCheck {
	return &adaptiveCheck{habit: habit{share: 0.01, windows: 200}, floors: map[string]float64{}}
}

func (*adaptiveCheck) about() About {
	return About{
		Key:    keyAdaptive,
		Needs:  "{of: {drift: {floor: 0.05}}}",
		Method: "of each row of the checks that `of` names: the value that the next usual window exceeds with a chance of 1 % (`share`), by the order of the values of the last 200 windows (`windows`) before the last 20, without those that failed (Wilks 1941)",
		Fails:  "beyond that and `floor`: `warn`, in place of the check's own; more often in 21 windows than chance does once in a hundred times (exact binomial): it fails, and so it does by the check's own limit, which is the ceiling",
		Why:    "off: fixed limits are known beforehand. It quiets rows that are always near their limit, and wakes those that never are; [how](#learned-limits)",
	}
}

// learnable are the checks whose rows have a value that is worse the higher it is, and a limit above which they fail.
func learnable() []string {
	return []string{"drift", "skew", "new_values", "missing", "range", "latency", "errors", "duplicates"}
}

// Bounds of what is learned from: windows, and windows that are looked at because others failed.
const (
	maxLearned = 1000
	maxHistory = maxLearned + guard
)

func (c *adaptiveCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var share *float64
		var windows *int64
		err := d.Mapping(node, path, yamldoc.Key("share", d.Share(&share)), yamldoc.Key("windows", d.Count(&windows, 1)), yamldoc.Key("of", func(node *yaml.Node, path string) error {
			var fields []yamldoc.Field
			for _, check := range learnable() {
				fields = append(fields, yamldoc.Key(check, c.decodeFloor(d, check)))
			}
			return d.Mapping(node, path, fields...)
		}))
		if err != nil {
			return err
		}
		if share != nil {
			c.share = *share
		}
		if windows != nil {
			c.windows = int(min(*windows, maxLearned+1))
		}
		switch {
		case len(c.floors) == 0:
			return d.Errorf(node, "%s learns of no check", path).WithHint("write 'of: {drift: {floor: 0.05}}'")
		case c.share < 0.001 || c.share > 0.2:
			return d.Errorf(node, "%s.share is %g, which is not between 0.1 %% and 20 %%", path, c.share)
		case c.windows > maxLearned || c.windows < c.needed():
			return d.Errorf(node, "%s.windows is not between %d and %d", path, c.needed(), maxLearned).WithHint("of fewer nobody knows what one in %.0f exceeds: state more, or a larger share", 1/c.share)
		}
		return nil
	}
}

// decodeFloor reads below what a value of a check is never unusual.
func (c *adaptiveCheck) decodeFloor(d decoder, check string) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var floor *float64
		read := d.Share(&floor)
		if check == "drift" || check == "skew" {
			read = d.Number(&floor, 0, 1e9)
		}
		if err := d.Mapping(node, path, yamldoc.Key("floor", read)); err != nil {
			return err
		}
		if floor == nil {
			return d.Errorf(node, "%s states no floor, below which nothing is unusual", path).WithHint("write {floor: 0.05}")
		}
		c.floors[check] = *floor
		return nil
	}
}

// rowName names a row among those of a monitor's windows.
type rowName struct{ check, role, subject, slice string }

func nameOf(r *Row) rowName { return rowName{r.Check, r.Role, r.Subject, r.Slice} }

// gist is what later windows learn from a judgement.
type gist struct {
	reference tallystick.Digest
	rows      map[rowName]past
}

func gistOf(data []byte) (*gist, error) {
	j, err := ParseJudgement(data)
	if err != nil {
		return nil, err
	}
	g := &gist{j.Reference, map[rowName]past{}}
	for i := range j.Rows {
		if r := &j.Rows[i]; learns(learnable(), r) {
			is := past{float64(r.Value), r.Verdict}
			if is.verdict == tallystick.Warn && r.Origin != ofLearned {
				is.verdict = tallystick.Pass // what was usual was not known
			}
			g.rows[nameOf(r)] = is
		}
	}
	return g, nil
}

// learns reports whether a row is one of the checks, and has a value that was judged.
func learns(checks []string, r *Row) bool {
	for _, check := range checks {
		if r.Check == check {
			return r.Verdict != tallystick.Insufficient && r.Value.Valid()
		}
	}
	return false
}

func (c *adaptiveCheck) begin(ctx context.Context, s *subject) (*look, error) {
	if len(c.floors) == 0 {
		return nil, nil
	}
	known, err := c.history(ctx, s)
	if err != nil {
		return nil, err
	}
	return &look{judge: func(*facts) []Row { return nil }, revise: func(rows []Row) {
		for i := range rows {
			r := &rows[i]
			if floor, is := c.floors[r.Check]; is && learns([]string{r.Check}, r) {
				c.revise(r, floor, c.learn(known[nameOf(r)]))
			}
		}
	}}, nil
}

// history reads what the rows of earlier windows were, the newest first, as their newest judgements have them.
func (c *adaptiveCheck) history(ctx context.Context, s *subject) (map[rowName][]past, error) {
	type kept struct {
		event  uint64
		digest tallystick.Digest
	}
	var judged []kept
	d := s.document
	err := s.office.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		judged, err = state.Collect(tx, func(row state.Scanner) (k kept, err error) { return k, row.Scan(&k.event, &k.digest) },
			`SELECT event, digest FROM window_judgements j WHERE monitor = ? AND from_us < ? AND to_us - from_us BETWEEN ? AND ?
			AND event = (SELECT max(event) FROM window_judgements n WHERE n.monitor = j.monitor AND n.from_us = j.from_us AND n.event <= ?) ORDER BY from_us DESC `+state.Limit,
			d.Name, s.window.From.UnixMicro(), d.narrowest().Microseconds(), d.Width.Microseconds(), bound(s.selection.Registered), maxHistory)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("windows of %s before %s: %w", d.Name, s.window, err)
	}
	var reference tallystick.Digest
	if s.reference != nil {
		reference = s.reference.Digest()
	}
	known, fine := map[rowName][]past{}, 0
	for _, k := range judged {
		if fine == c.windows+guard {
			break // the others are not learned from
		}
		g, err := s.office.gists.get(k.digest, func() ([]byte, error) { return s.office.config.Evidence.Get(ctx, k.digest) }, gistOf)
		if err != nil {
			return nil, fmt.Errorf("judgement %s: %w", k.digest, err)
		}
		if s.judged = max(s.judged, k.event); g.reference != reference {
			continue // against another one other values are usual
		}
		failed := false
		for name, p := range g.rows {
			_, learnt := c.floors[name.check]
			known[name], failed = append(known[name], p), failed || learnt && p.verdict == tallystick.Fail
		}
		if !failed {
			fine++
		}
	}
	return known, nil
}

// revise judges a row by what is usual.
func (c *adaptiveCheck) revise(r *Row, floor float64, u usual) {
	if !u.known {
		r.Words += fmt.Sprintf(" What is usual is not learned yet: %d windows of %d.", u.from, c.needed())
		return
	}
	limit := max(floor, u.limit)
	if r.Threshold != nil {
		limit = min(limit, *r.Threshold)
	}
	r.Warn, r.Origin, r.Learned = &limit, ofLearned, u.from
	was := r.Verdict
	if was == tallystick.Fail {
		return
	}
	is := c.judge(float64(r.Value), u, limit)
	if was == tallystick.Inconclusive && is == tallystick.Pass {
		return // what is usual does not settle on which side of its own limit it lies
	}
	write := figure.Percent
	if r.Measure == "psi" {
		write = func(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
	}
	switch r.Verdict = is; {
	case is == tallystick.Fail:
		r.Words += fmt.Sprintf(" In %d of %d windows that is more than is usual, %s at most, which is no chance any more.", u.over+1, u.last+1, write(limit))
	case is == tallystick.Warn:
		r.Words += fmt.Sprintf(" That is more than is usual, %s at most, learned from %d windows.", write(limit), u.from)
	case was == tallystick.Warn:
		r.Words += fmt.Sprintf(" That is usual, up to %s, learned from %d windows.", write(limit), u.from)
	}
}
