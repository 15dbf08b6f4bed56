package monitor

import (
	"context"
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// duplicatesCheck judges how many predictions have an input that another of the window has had before.
type duplicatesCheck struct {
	max    float64
	origin string
	by     string
}

const (
	byInput    = "input"
	byFeatures = "features"
)

func newDuplicatesCheck() *duplicatesCheck { return &duplicatesCheck{0.01, ofDefault, byInput} }

func (*duplicatesCheck) about() About {
	return About{
		Key:    "duplicates",
		Method: "share of predictions whose input, by `by: input` its digest or by `by: features` all its features, another of the window had before; 99 % exact interval. Beyond 262,144 inputs, of a sample",
		Fails:  "the interval lies above `max`",
		Why:    "1 %: a retry is rare, a queue that is read twice doubles everything. Off, because there are models that are asked the same again and again",
	}
}

func (c *duplicatesCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var most *float64
		err := d.Mapping(node, path, yamldoc.Key("max", d.Share(&most)), yamldoc.Key("by", d.Choice(func(s string) { c.by = s }, byInput, byFeatures)))
		if most != nil {
			c.max, c.origin = *most, ofMonitor
		}
		return err
	}
}

func (c *duplicatesCheck) begin(_ context.Context, s *subject) (*look, error) {
	inputs := newInputs()
	columns := []string{"input_digest"}
	if c.by == byFeatures {
		columns = nil
		if s.reference != nil {
			for _, f := range s.reference.Features {
				if f.Role == window.RoleFeature {
					columns = append(columns, rollup.ColumnOf(&f))
				}
			}
		}
	}
	return &look{
		columns: columns, compares: c.by == byFeatures, // the reference says which features there are
		count: func(b block, at []int) {
			if len(at) > 0 {
				inputs.count(b, at)
			}
		},
		judge: func(f *facts) []Row { return []Row{c.row(f, inputs)} },
	}, nil
}

func (c *duplicatesCheck) row(f *facts, inputs *inputs) Row {
	again := inputs.again()
	r := Row{
		Check: "duplicates", Method: "duplicates/2: share of predictions whose " + c.by + " another of the window had before, 99 % exact interval", N: again.N, Measure: "share",
		Threshold: number(c.max), Origin: c.origin,
	}
	if inputs.rows < f.Predictions/2 { // what few have says nothing of the others
		r.N, r.Value, r.Verdict = inputs.rows, stat.Number(math.NaN()), tallystick.Insufficient
		r.Words = fmt.Sprintf("Only %d of %d predictions say what their input was.", inputs.rows, f.Predictions)
		return r
	}
	if f.share(&r, again, c.max); r.Verdict == tallystick.Insufficient {
		r.Words = fmt.Sprintf("%d predictions are too few to judge how many repeat an input.", again.N)
		return r
	}
	r.Words = fmt.Sprintf("%s of predictions repeat an input of the window; %s may.", figure.Percent(again.Rate()), figure.Percent(c.max))
	if inputs.shift > 0 {
		r.Words += fmt.Sprintf(" Of a sample of one input in %d.", uint64(1)<<inputs.shift)
	}
	return r
}

// maxInputs bounds the inputs that are kept.
const maxInputs = 1 << 18

// inputs counts how often each input comes. Once there are too many, the half with the odd hashes is forgotten, and so on: what
// is left is a sample of inputs with all of their rows.
type inputs struct {
	rows  int64 // that say what their input was
	shift uint
	seen  map[uint64]int64
}

func newInputs() *inputs { return &inputs{seen: map[uint64]int64{}} }

func (i *inputs) count(b block, at []int) {
	var buffer []byte
	for k := range b.Rows() {
		buffer = buffer[:0]
		has := false
		for _, column := range at {
			if text, ok := b.Text(column, k); ok {
				buffer, has = append(buffer, text...), true
			} else if v := b.Value(column, k); !v.IsNull() {
				buffer, has = v.AppendJSON(buffer), true
			}
			buffer = append(buffer, 0xff) // ends a value: no text has it
		}
		if has {
			i.add(hashOf(buffer))
		}
	}
}

// hashOf is FNV-1a of 64 bits with the finisher of MurmurHash3, for what is kept goes by the low bits. It has no seed: the
// same window has to give the same sample.
func hashOf(data []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, b := range data {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

func (i *inputs) add(hash uint64) {
	i.rows++
	if hash&(1<<i.shift-1) != 0 {
		return
	}
	i.seen[hash]++
	for len(i.seen) > maxInputs {
		i.shift++
		for hash := range i.seen {
			if hash&(1<<i.shift-1) != 0 {
				delete(i.seen, hash)
			}
		}
	}
}

// again counts the rows that repeat an input, of all whose inputs are kept.
func (i *inputs) again() (p stat.Proportion) {
	for _, n := range i.seen {
		p.N += n
		p.K += n - 1
	}
	return p
}
