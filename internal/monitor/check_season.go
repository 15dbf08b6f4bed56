package monitor

import (
	"context"
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// seasonCheck compares a window with the same hours of other weeks.
type seasonCheck struct {
	thresholds *drift.Thresholds
	least      int64 // windows of a class
}

// leastSeason is how many windows a class has to have, if the monitor says nothing else.
const leastSeason = 5

func (*seasonCheck) about() About {
	return About{
		Key:    "season",
		Method: "features by two keys as `drift`, against the same class of the week (Mon-Fri, Sat or Sun, and a quarter of the day, UTC) in the seasonal reference; the pinned reference stands beside it",
		Fails:  "as `drift`",
		Why:    "what changes each night is no drift. A class of fewer than 5 windows falls back to the pinned reference, and says so",
	}
}

func (c *seasonCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var least *int64
		err := d.Mapping(node, path, yamldoc.Key("min_windows", d.Count(&least, 1)))
		if least != nil {
			c.least = *least
		}
		return err
	}
}

func (c *seasonCheck) begin(ctx context.Context, s *subject) (*look, error) {
	b, lacks, err := s.breakdownOf(ctx, BySeason)
	if err != nil {
		return nil, err
	}
	name := seasonOfWindow(s.window)
	if name == "" && lacks == "" {
		lacks = fmt.Sprintf("A window of %s is in several classes of the week; those of at most %s can be compared by season.", s.document.Width, seasonLength)
	}
	return &look{compares: true, judge: func(f *facts) []Row {
		if lacks != "" {
			return []Row{{
				Check: "season", Method: "season/1", N: f.Predictions, Measure: "psi", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient, Words: lacks,
			}}
		}
		return c.rows(f, name, b.parts[name])
	}}, nil
}

// rows are those of the features, against the class of the window or, if that has too little, the pinned reference.
func (c *seasonCheck) rows(f *facts, name string, base breakdownProfile) (rows []Row) {
	pinned := f.features()
	moved, against := pinned, fmt.Sprintf("Of %s the seasonal reference has %d windows, fewer than %d: compared with the pinned one.", name, base.windows, c.least)
	method := "season/1: the pinned reference, for want of windows; "
	if base.windows >= c.least {
		p, err := f.Profile.Against(base.profile)
		if err != nil { // a class of more than 2^31 rows
			against = fmt.Sprintf("%s cannot be compared: %v.", name, err)
		} else {
			moved = f.compare(p)
			moved = drift.Judge(moved, p.Reference().Rows, f.Predictions, *c.thresholds).Features
			order(moved)
			against, method = fmt.Sprintf("Against %d windows of %s", base.windows, name), fmt.Sprintf("season/1: %d windows of %s; ", base.windows, name)
		}
	}
	by := map[string]*drift.Feature{}
	for i := range pinned {
		by[pinned[i].Name] = &pinned[i]
	}
	for _, m := range moved {
		words := fmt.Sprintf("%s %s", m.Words, against)
		if base.windows >= c.least {
			words = fmt.Sprintf("%s: %s Against the pinned reference: PSI %s, %s.", against, m.Words, figure.Number(float64(by[m.Name].PSI)), by[m.Name].Verdict)
		}
		r := Row{
			Check: "season", Subject: m.Name, Role: m.Role, Method: method + m.Method, N: m.N, Against: m.NReference, P: valid(m.P), Adjusted: valid(m.PAdjusted),
			Measure: "psi", Value: m.PSI, Threshold: number(c.thresholds.FailPSI), Warn: number(c.thresholds.WarnPSI), Origin: c.thresholds.Origin, Verdict: m.Verdict, Words: words,
		}
		if m.Verdict != tallystick.Pass {
			r.Omitted, r.Feature = trim(&m), &m
		}
		rows = append(rows, r)
	}
	return rows
}
