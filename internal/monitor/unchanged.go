package monitor

import (
	"fmt"
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// unchanged says which features have to change within a time.
type unchanged struct {
	features []string
	within   time.Duration
}

// Bounds of what is looked at for a feature that does not change.
const (
	maxUnchanged = 100  // features
	maxParts     = 1440 // of a window
)

func (c *stalenessCheck) decodeUnchanged(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		c.unchanged = &unchanged{}
		err := d.Mapping(node, path, yamldoc.Key("features", d.names(&c.unchanged.features)), yamldoc.Key("for", d.Duration(&c.unchanged.within)))
		switch {
		case err != nil:
			return err
		case len(c.unchanged.features) == 0 || c.unchanged.within < time.Second:
			return d.Errorf(node, "%s does not say of what, or for how long", path).WithHint("write {features: [temperature], for: 10m}")
		case len(c.unchanged.features) > maxUnchanged:
			return d.Errorf(node, "%s has %d features, the limit is %d", path, len(c.unchanged.features), maxUnchanged)
		}
		return nil
	}
}

// stuckFeature counts in which parts of a window a feature has one value.
type stuckFeature struct {
	of     source
	name   string
	from   time.Time
	within time.Duration
	shares []float64 // of the reference's values; of one if it knows none
	known  bool      // whether the reference has the feature
	parts  []part
}

// part is what a part of a window has.
type part struct {
	n      int64
	hash   uint64
	value  string
	varies bool
}

// begin returns what counts the features of a window.
func (u *unchanged) begin(s *subject) (all []*stuckFeature) {
	if u == nil {
		return nil
	}
	within := max(u.within, s.window.To.Sub(s.window.From)/maxParts)
	for _, name := range u.features {
		f := &stuckFeature{of: newSource(name), name: name, from: s.window.From, within: within}
		f.parts = make([]part, int((s.window.To.Sub(s.window.From)+within-1)/within))
		if s.reference != nil {
			at := slices.IndexFunc(s.reference.Features, func(is window.Feature) bool { return rollup.ColumnOf(&is) == f.of.column })
			if f.known = at >= 0; f.known {
				f.shares = sharesOf(&s.reference.Features[at])
			}
		}
		all = append(all, f)
	}
	return all
}

func (f *stuckFeature) count(b block, times, column int) {
	for k := range b.Rows() {
		value := f.of.text(b, column, k)
		i := int(time.UnixMicro(timeOf(b, times, k)).Sub(f.from) / f.within)
		if value == "" || i < 0 || i >= len(f.parts) {
			continue
		}
		p := &f.parts[i]
		if p.n++; p.n == 1 {
			p.hash, p.value = hashOf([]byte(value)), brief(value)
		} else if !p.varies && p.hash != hashOf([]byte(value)) {
			p.varies = true
		}
	}
}

func (f *stuckFeature) row(is *facts) Row {
	r := Row{
		Check: "staleness", Subject: f.name, Role: window.RoleFeature, Method: fmt.Sprintf("staleness/1: parts of %s in which all rows have one value; p by the shares of the reference's values or bins, for the worst part times all", f.within),
		Measure: "parts with one value", Value: stat.Number(math.NaN()), Origin: ofMonitor, Verdict: tallystick.Insufficient,
	}
	for _, p := range f.parts {
		r.N += p.n
	}
	switch {
	case !f.known:
		r.Words = fmt.Sprintf("No reference says how %s varies.", f.name)
		return r
	case r.N < is.document.Checks.Drift.MinRows || is.few(is.Predictions):
		r.Words = fmt.Sprintf("%s: too few values to tell whether they change.", f.name)
		return r
	case len(f.shares) < 2:
		r.Verdict, r.Words = tallystick.Pass, fmt.Sprintf("%s does not vary in the reference either.", f.name)
		return r
	}
	stuck, least, worst := 0, 1.0, 0
	for i, p := range f.parts {
		if p.n == 0 || p.varies {
			continue
		}
		if chance := allAlike(f.shares, p.n) * float64(len(f.parts)); chance < luck {
			if stuck++; chance < least {
				least, worst = chance, i
			}
		}
	}
	r.Value, r.Verdict, r.Words = stat.Number(stuck), tallystick.Pass, fmt.Sprintf("%s changes in every %s that tells.", f.name, f.within)
	if stuck > 0 {
		from := f.from.Add(time.Duration(worst) * f.within)
		r.P, r.Verdict = &least, tallystick.Fail
		r.Words = fmt.Sprintf("%s is %s in all %d predictions from %s to %s.", f.name, f.parts[worst].value, f.parts[worst].n, from.Format(time.RFC3339), from.Add(f.within).Format(time.RFC3339))
		if stuck > 1 {
			r.Words += fmt.Sprintf(" In %d of %d parts of the window it does not change.", stuck, len(f.parts))
		}
	}
	return r
}
