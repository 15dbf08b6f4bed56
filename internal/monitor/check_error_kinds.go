package monitor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// errorKindsCheck judges predictions that did not go well by what went wrong.
type errorKindsCheck struct {
	of     source
	max    float64
	origin string
	kinds  []kindLimit
}

// kindLimit is the share of predictions that may be of one kind.
type kindLimit struct {
	kind string
	max  float64
}

// maxKinds bounds the kinds that are told apart; the rest are others.
const maxKinds = 256

func newErrorKindsCheck() *errorKindsCheck {
	return &errorKindsCheck{of: newSource(columnStatus), max: 0.01, origin: ofDefault}
}

func (*errorKindsCheck) about() About {
	return About{
		Key:    "error_kinds",
		Method: "share of predictions of each kind of error, which is the status unless `of` names another column; 99 % exact interval",
		Fails:  "the interval of a kind lies above its limit in `kinds`, or that of a kind without one above `max`",
		Why:    "1 % of any kind. Off, because a fallback is an error to some and the plan to others",
	}
}

func (c *errorKindsCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var most *float64
		err := d.Mapping(node, path, yamldoc.Key("of", d.source(&c.of)), yamldoc.Key("max", d.Share(&most)), yamldoc.Key("kinds", func(node *yaml.Node, path string) error {
			return d.Entries(node, path, func(key, value *yaml.Node) error {
				share, err := d.Fraction(value, d.Join(path, key.Value))
				c.kinds = append(c.kinds, kindLimit{key.Value, share})
				return err
			})
		}))
		if len(c.kinds) > maxKinds {
			return d.Errorf(node, "%s names %d kinds, the limit is %d", path, len(c.kinds), maxKinds)
		}
		if most != nil {
			c.max, c.origin = *most, ofMonitor
		}
		return err
	}
}

// others are kinds that are too many to be told apart.
const others = "(others)"

func (c *errorKindsCheck) begin(context.Context, *subject) (*look, error) {
	counts := map[string]int64{}
	for _, k := range c.kinds {
		counts[k.kind] = 0
	}
	return &look{
		columns: []string{c.of.column},
		count: func(b block, at []int) {
			for k := range b.Rows() {
				kind := c.of.text(b, at[0], k)
				if kind == "" || kind == string(prediction.OK) {
					continue
				}
				if _, known := counts[kind]; !known && len(counts) >= 2*maxKinds {
					kind = others
				}
				counts[kind]++
			}
		},
		judge: func(f *facts) []Row { return c.rows(f, counts) },
	}, nil
}

// rows has one for each kind, the most frequent first, and one that says that there are none.
func (c *errorKindsCheck) rows(f *facts, counts map[string]int64) (rows []Row) {
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b)) })
	for _, kind := range kinds {
		most, origin := c.max, c.origin
		if i := slices.IndexFunc(c.kinds, func(k kindLimit) bool { return k.kind == kind }); i >= 0 {
			most, origin = c.kinds[i].max, ofMonitor
		}
		rows = append(rows, c.row(f, kind, counts[kind], most, origin))
	}
	if len(rows) == 0 {
		r := c.row(f, "", 0, c.max, c.origin)
		rows = append(rows, r)
	}
	return rows
}

func (c *errorKindsCheck) row(f *facts, kind string, n int64, most float64, origin string) Row {
	r := Row{
		Check: "error_kinds", Subject: kind, Method: "error-kinds/2: share of predictions of one kind of error, 99 % exact interval", N: f.Predictions, Measure: "share", Threshold: number(most), Origin: origin,
	}
	f.share(&r, stat.Proportion{K: n, N: f.Predictions}, most)
	switch {
	case r.Verdict == tallystick.Insufficient:
		r.Words = fmt.Sprintf("%d predictions are too few to judge what went wrong.", f.Predictions)
	case kind == "":
		r.Words = fmt.Sprintf("No prediction has an error as %s.", c.of.name)
	default:
		r.Words = fmt.Sprintf("%s of predictions have %s = %s; %s may.", figure.Percent(float64(r.Value)), c.of.name, kind, figure.Percent(most))
	}
	return r
}
