package audit

import (
	"math"

	"github.com/tallystick/tallystick/internal/table"
)

// noClass stands for a missing value.
const noClass = uint16(math.MaxUint16)

// classes numbers the values of label and prediction columns, so that both share one numbering
// whatever types their files gave them.
type classes struct {
	names    []string
	byName   map[string]uint16
	byNumber map[float64]uint16
}

func newClasses(names []string) *classes {
	c := &classes{byName: map[string]uint16{}, byNumber: map[float64]uint16{}}
	for _, name := range names {
		c.add(name)
	}
	return c
}

func (c *classes) add(name string) uint16 {
	if k, ok := c.byName[name]; ok {
		return k
	}
	k := uint16(len(c.names))
	c.names = append(c.names, name)
	c.byName[name] = k
	return k
}

// reader returns a function that writes the classes of a vector of the column into out.
func (c *classes) reader(t *table.Table, column string) func(v *table.Vector, out []uint16) {
	var byCode []uint16
	return func(v *table.Vector, out []uint16) {
		switch v.Kind {
		case table.Number:
			last, class := math.NaN(), noClass
			for i, x := range v.Float {
				if x != last {
					last, class = x, c.ofNumber(x)
				}
				out[i] = class
			}
		case table.Category:
			for i, code := range v.Code {
				if code == table.NoCode {
					out[i] = noClass
					continue
				}
				if int(code) >= len(byCode) {
					for _, name := range t.Dictionary(column)[len(byCode):] {
						byCode = append(byCode, c.ofName(name))
					}
				}
				out[i] = byCode[code]
			}
		default:
			for i := range out {
				out[i] = noClass
			}
		}
	}
}

func (c *classes) ofNumber(x float64) uint16 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return noClass
	}
	if k, ok := c.byNumber[x]; ok {
		return k
	}
	k := c.ofName(number(x))
	c.byNumber[x] = k
	return k
}

func (c *classes) ofName(name string) uint16 {
	if k, ok := c.byName[name]; ok {
		return k
	}
	return noClass
}
