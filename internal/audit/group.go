package audit

import (
	"fmt"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// missingGroup is the group of rows whose attribute is missing: leaving them out would hide them.
const missingGroup = "(missing)"

// maxPlainNumbers is the number of different numbers up to which each is a group of its own. More
// are put into quarters.
const maxPlainNumbers = 20

// grouping assigns rows to the groups of one attribute.
type grouping struct {
	attribute fairness.Attribute
	classes   *classes
	edges     []float64 // quarters of a number column; nil otherwise
	read      func(v *table.Vector, out []uint16)
}

// newGrouping decides the groups of a column from its shape, and says a guess if it made one.
func newGrouping(t *table.Table, name, reference string, s *shape) (*grouping, string, error) {
	g := &grouping{attribute: fairness.Attribute{Name: name, Reference: reference}}
	guess := ""
	switch {
	case s.kind == table.Number && (s.many || len(s.values) > maxPlainNumbers):
		finite := slices.Clone(s.finite)
		slices.Sort(finite)
		for _, q := range []float64{0.25, 0.5, 0.75} {
			g.edges = append(g.edges, stat.Quantile(finite, q))
		}
		g.edges = slices.Compact(g.edges)
		low := "from " + number(s.min)
		for _, edge := range g.edges {
			g.attribute.Values = append(g.attribute.Values, low+" to "+number(edge))
			low = "above " + number(edge)
		}
		g.attribute.Values = append(g.attribute.Values, low)
		guess = fmt.Sprintf("group column %q is a number with many values: its quarters are compared (edges %v)", name, g.edges)
	case s.many || s.kind == table.Time || s.kind == table.Text:
		return nil, "", tallystick.Errorf(tallystick.Invalid, "group column %q has more than %d different values", name, maxClasses).
			WithHint("name a column of groups with --group, or put the values into classes first")
	default:
		g.attribute.Values = s.sorted()
		g.classes = newClasses(g.attribute.Values)
		g.read = g.classes.reader(t, name)
	}
	if reference != "" && !slices.Contains(g.attribute.Values, reference) {
		return nil, "", tallystick.Errorf(tallystick.Invalid, "--reference-group %s=%s: column %q has no such value", name, reference, name).
			WithHint("its values are %s", quoted(g.attribute.Values, 10))
	}
	g.attribute.Values = append(g.attribute.Values, missingGroup)
	return g, guess, nil
}

// codes writes the group of each row into out.
func (g *grouping) codes(v *table.Vector, out []uint16) {
	missing := uint16(len(g.attribute.Values) - 1)
	if g.edges == nil {
		g.read(v, out)
		for i, class := range out {
			if class == noClass {
				out[i] = missing
			}
		}
		return
	}
	for i, x := range v.Float {
		if math.IsNaN(x) {
			out[i] = missing
			continue
		}
		at, _ := slices.BinarySearch(g.edges, x) // x equal to an edge belongs below it
		out[i] = uint16(at)
	}
}
