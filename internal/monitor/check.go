package monitor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// check is one thing that a monitor looks at, with what the monitor states of it. To add one, write its file, check_KEY.go,
// with a type that has these methods, and put it into the list that Checks.all returns. The reader of YAML, what is counted,
// the judgement, the form of the API and the table in docs/monitoring.md (`go test ./internal/monitor -run Documented
// -update`) follow from the list.
type check interface {
	// about says what people are told of the check.
	about() About
	// decode reads what the monitor states under the key of the check.
	decode(d decoder) yamldoc.Decode
	// begin returns what looks at one window, nil if the monitor states nothing to look at. What needs more than the
	// columns of predictions and their profile, such as labels, asks for it here.
	begin(ctx context.Context, s *subject) (*look, error)
}

// summer is a check that needs to know of how many predictions each of some conditions holds. Tallies keep that, so that the
// records need not be read for it; what begin returns is told by summed.
type summer interface{ sums() []query.Condition }

// slicer is a check of parts of the predictions, which tallies keep too.
type slicer interface {
	slices(reference *window.Reference) []query.Condition
}

// About says what people are told of a check.
type About struct {
	Key     string `json:"check" doc:"of the check in a monitor, and in the rows that it judges"`
	Default bool   `json:"default" doc:"whether it is made if the monitor says nothing of it"`
	Always  bool   `json:"always,omitempty" doc:"whether a monitor cannot leave it out"`
	Needs   string `json:"needs,omitempty" doc:"an example of what a monitor has to state; absent: nothing"`
	Method  string `json:"method" doc:"what is computed; rows name it with its version"`
	Fails   string `json:"fails" doc:"when it fails, or warns"`
	Why     string `json:"why" doc:"what holds if nothing is stated, and why"`
}

// all returns every check, in the order of their rows. Rows of checks that stand next to each other and judge feature by
// feature stand together by feature.
func (c *Checks) all() []check {
	return []check{
		telemetryCheck{},
		&volumeCheck{},
		&driftCheck{&c.Drift},
		newNewValuesCheck(),
		newMissingCheck(),
		newRangeCheck(),
		constantCheck{},
		newSkewCheck(),
		newSchemaCheck(),
		&latencyCheck{},
		&errorsCheck{},
		newErrorKindsCheck(),
		newDuplicatesCheck(),
		&stalenessCheck{},
		newCostCheck(),
		&kpiCheck{},
		labelsCheck{&c.Labels},
		&performanceCheck{},
		&estimateCheck{},
		newCalibrationCheck(),
		newFairnessCheck(),
		newConceptCheck(),
		newAgreementCheck(),
		newAttributionCheck(),
		newMultivariateCheck(),
		newDecisionsCheck(),
		&seasonCheck{&c.Drift, leastSeason},
		&slicesCheck{of: c},
		newAdaptiveCheck(),
	}
}

// AllChecks says of every check what people are told of it.
func AllChecks() (all []About) {
	for _, c := range new(Checks).all() {
		all = append(all, c.about())
	}
	return all
}

// Checks are what a monitor looks at, and by which limits.
type Checks struct {
	Features []string         // that are judged; empty: all of the reference
	Except   []string         // that are not
	Drift    drift.Thresholds // how few rows are too few holds for every check
	Labels   *Labels          // nil: how predictions turn out is not judged

	made   []check         // in the order of rows
	stated map[string]bool // by key: true, or false if the check is off
}

func newChecks() Checks {
	c := Checks{Drift: drift.Defaults(), stated: map[string]bool{}}
	return c
}

// on reports whether a check is made.
func (c *Checks) on(a About) bool {
	if stated, is := c.stated[a.Key]; is {
		return stated
	}
	return a.Default || a.Always
}

// decode reads what a monitor states of its checks: under the key of each its limits, or on, or off.
func (c *Checks) decode(d decoder) yamldoc.Decode {
	fields := []yamldoc.Field{yamldoc.Key("features", d.names(&c.Features)), yamldoc.Key("except", d.names(&c.Except))}
	for _, made := range c.made {
		a := made.about()
		if a.Always {
			continue
		}
		fields = append(fields, yamldoc.Key(a.Key, func(node *yaml.Node, path string) error {
			c.stated[a.Key] = true
			if node.Kind == yaml.ScalarNode {
				switch {
				case node.Value == "off":
					c.stated[a.Key] = false
					return nil
				case node.Value == "on" && a.Needs == "":
					return nil
				case node.Value == "on":
					return d.Errorf(node, "%s states no limit", path).WithHint("write %s: %s", a.Key, a.Needs)
				}
			}
			return made.decode(d)(node, path)
		}))
	}
	return func(node *yaml.Node, path string) error {
		err := d.Mapping(node, path, fields...)
		if err == nil && len(c.Features) > 0 && len(c.Except) > 0 {
			return d.Errorf(node, "%s says which features are judged and which are not", path).WithHint("keep features or except")
		}
		if err == nil {
			err = c.sliced(d, node, path)
		}
		if err == nil && c.Labels == nil {
			for _, key := range needLabels() {
				if c.stated[key] {
					return d.Errorf(node, "%s.%s needs to know when labels are there", path, key).WithHint("write 'labels: {mature: 30d}' beside it")
				}
			}
		}
		return err
	}
}

// judged reports whether a feature of the reference is.
func (c *Checks) judged(f *window.Feature) bool {
	if len(c.Features) > 0 && f.Role == window.RoleFeature {
		return slices.Contains(c.Features, f.Name)
	}
	return !slices.Contains(c.Except, f.Name)
}

// subject is what is judged, and by what.
type subject struct {
	document  *Document
	window    Window
	version   string            // whose predictions count; empty: all
	reference *window.Reference // nil: none is pinned
	selection query.Selection   // of the predictions of the window as they are known
	office    *Office
	asOf      time.Time // as what is judged was known then; zero: now

	turned   *Turned // once a check has asked for it
	compared uint64  // newest event by which predictions came on record that the window is compared with
	judged   uint64  // newest event of the judgements of earlier windows that were looked at
}

// look looks at one window for a check. What it counts is bounded, whatever comes.
type look struct {
	columns []string                // of predictions that count is given
	count   func(b block, at []int) // counts a block; the place of each of the columns is in at
	summed  func(n []int64)         // is told how many predictions the conditions of a summer hold of
	judge   func(f *facts) []Row    // once all is counted; nil if the rows are those of features
	feature func(f *facts, moved *drift.Feature) []Row
	revise  func(rows []Row) // is given the rows of all checks, once they are judged; nil: changes none
	// compares says that rows compare with the reference, so that without one the first of such checks says so, and the
	// others nothing. Those of features do.
	compares bool
}

// block is a run of predictions, column by column: a [query.Block].
type block interface {
	Rows() int
	Value(column, k int) prediction.Value
	Number(column, k int) (float64, bool)
	Text(column, k int) ([]byte, bool)
}

// looks are those of a window, in the order of their checks.
type looks []namedLook

type namedLook struct {
	key  string
	sums []query.Condition
	*look
}

// begin returns what looks at a window.
func (c *Checks) begin(ctx context.Context, s *subject) (all looks, err error) {
	for _, made := range c.made {
		a := made.about()
		if !c.on(a) {
			continue
		}
		l, err := made.begin(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", a.Key, err)
		}
		if l != nil {
			all = append(all, namedLook{a.Key, sumsOf(made), l})
		}
	}
	return all, nil
}

// sumsOf returns the conditions of a check.
func sumsOf(c check) []query.Condition {
	if s, is := c.(summer); is {
		return s.sums()
	}
	return nil
}

// rules returns what tallies have to count for the checks that are made, by a reference, nil if none is pinned.
func (c *Checks) rules(reference *window.Reference) *rollup.Rules {
	r := &rollup.Rules{Reference: reference}
	for _, made := range c.made {
		if c.on(made.about()) {
			r.Counts = append(r.Counts, sumsOf(made)...)
			if s, is := made.(slicer); is {
				r.Slices = append(r.Slices, s.slices(reference)...)
			}
		}
	}
	return r
}

// judge returns the rows of all.
func (all looks) judge(f *facts) (rows []Row) {
	for i := 0; i < len(all); i++ {
		l := all[i]
		if (l.compares || l.feature != nil) && f.Profile == nil {
			if !f.unpinned {
				f.unpinned, rows = true, append(rows, f.withoutReference(l.key))
			}
			continue
		}
		if l.feature == nil {
			rows = append(rows, l.judge(f)...)
			continue
		}
		end := i
		for end < len(all) && all[end].feature != nil {
			end++
		}
		moved := f.features()
		for k := range moved {
			for _, l := range all[i:end] {
				rows = append(rows, l.feature(f, &moved[k])...)
			}
		}
		i = end - 1
	}
	for _, l := range all {
		if l.revise != nil {
			l.revise(rows)
		}
	}
	return rows
}
