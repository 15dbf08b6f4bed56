package expectation

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/table"
)

// Input is predictions: columns, rows or a file. A column is a feature; a field of the record, such as score; extra.NAME; a_NAME,
// an attribution; time; or label, what turned out to be true.
type Input struct {
	Line       int
	N          int64
	Seed       uint64
	Over       time.Duration // from the beginning of the window, over which predictions are spread that do not say their time; 0: all of it
	Columns    []Column
	Rows       []map[string]*yaml.Node
	File       string
	Map        map[string]string // what a column of the file is, where that is not its name
	Skip       []string
	Categories []string // of a reference, although they are numbers
}

// Column is a column whose values are listed, and begin again where they end, or drawn.
type Column struct {
	Name    string
	Series  []*yaml.Node
	Choice  []*yaml.Node
	Weights []float64
	Drawn   string
	Of      []float64
	Missing float64
}

// made is a prediction with what turned out to be true.
type made struct {
	prediction.Record
	label prediction.Value
}

// predictions makes the predictions of an input, from a time on and over a span if they do not say when they were. dir is where
// its file is. Equal inputs make equal predictions, with their ids.
func (in *Input) predictions(ctx context.Context, dir string, from time.Time, span time.Duration) (all []made, err error) {
	if in.Over > 0 {
		span = in.Over
	}
	switch {
	case in.File != "":
		all, err = in.ofFile(ctx, filepath.Join(dir, in.File))
	case len(in.Rows) > 0:
		all, err = in.ofRows()
	default:
		all, err = in.ofColumns()
	}
	if err != nil {
		return nil, err
	}
	id := rand.New(rand.NewPCG(in.Seed, uint64(from.UnixMicro()))) //nolint:gosec // the same input has to draw the same
	for i := range all {
		p := &all[i]
		if p.Time.IsZero() {
			p.Time = prediction.TimeOf(from.Add(time.Duration(float64(span) * float64(i) / float64(len(all)))))
		}
		p.ID = idAt(p.Time, id)
		slices.SortFunc(p.Features, byName)
		slices.SortFunc(p.Attributions, byName)
	}
	return all, nil
}

func byName(a, b prediction.Feature) int { return strings.Compare(a.Name, b.Name) }

// idAt returns a UUID of version 7 whose other bits are drawn.
func idAt(at prediction.Time, r *rand.Rand) (id prediction.ID) {
	ms := uint64(at.Time().UnixMilli())
	high, low := r.Uint64(), r.Uint64()
	for i := range 8 {
		id[i], id[8+i] = byte(high>>(8*i)), byte(low>>(8*i))
	}
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

// put puts a value where its column belongs.
func (p *made) put(column string, v prediction.Value) error {
	if v.IsNull() {
		return nil
	}
	if field := prediction.ValueFields()[column]; field != nil {
		if x, _ := v.Float(); column == "latency_us" && v.IsNumber() { // which is in whole microseconds, while chance is not
			v = prediction.Number(math.Round(x))
		}
		*field(&p.Record) = v
		return nil
	}
	if field := prediction.TextFields()[column]; field != nil {
		*field(&p.Record) = v.String()
		return nil
	}
	if name, is := strings.CutPrefix(column, "a_"); is {
		p.Attributions = append(p.Attributions, prediction.Feature{Name: name, Value: v})
		return nil
	}
	if name, is := strings.CutPrefix(column, "extra."); is {
		return p.putExtra(name, v)
	}
	switch column {
	case "time":
		return p.Time.UnmarshalText([]byte(v.String()))
	case "label":
		p.label = v
		return nil
	}
	p.Features = append(p.Features, prediction.Feature{Name: strings.TrimPrefix(column, "f_"), Value: v})
	return nil
}

func (in *Input) ofRows() (all []made, err error) {
	for i, row := range in.Rows {
		var p made
		for column, node := range row {
			v, err := valueOf(node)
			if err == nil {
				err = p.put(column, v)
			}
			if err != nil {
				return nil, in.wrong(fmt.Sprintf("rows[%d].%s", i, column), err)
			}
		}
		all = append(all, p)
	}
	return all, nil
}

func (in *Input) wrong(where string, err error) error {
	message, _ := tallystick.Words(err)
	return tallystick.Errorf(tallystick.Invalid, "the input of line %d: %s: %s", in.Line, where, message)
}

func (in *Input) ofColumns() ([]made, error) {
	all := make([]made, in.N)
	for i := range in.Columns {
		c := &in.Columns[i]
		draw, err := c.drawer(in.Seed)
		if err != nil {
			return nil, in.wrong(c.Name, err)
		}
		for k := range all {
			if err := all[k].put(c.Name, draw(k)); err != nil {
				return nil, in.wrong(c.Name, err)
			}
		}
	}
	return all, nil
}

// drawer returns what draws the values of a column. Its chance depends on the seed and the name of the column alone, so that
// another column beside it changes nothing.
func (c *Column) drawer(seed uint64) (func(k int) prediction.Value, error) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.Name))
	r := rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // the same input has to draw the same
	listed := make([]prediction.Value, 0, len(c.Series)+len(c.Choice))
	for _, node := range slices.Concat(c.Series, c.Choice) {
		v, err := valueOf(node)
		if err != nil {
			return nil, err
		}
		listed = append(listed, v)
	}
	one := c.one(r, listed)
	return func(k int) prediction.Value {
		v := one(k)
		if c.Missing > 0 && r.Float64() < c.Missing {
			return prediction.Value{}
		}
		return v
	}, nil
}

func (c *Column) one(r *rand.Rand, listed []prediction.Value) func(k int) prediction.Value {
	number := func(draw func() float64) func(int) prediction.Value {
		return func(int) prediction.Value { return prediction.Number(draw()) }
	}
	switch c.Drawn {
	case "normal":
		return number(func() float64 { return c.Of[0] + c.Of[1]*r.NormFloat64() })
	case "lognormal":
		return number(func() float64 { return math.Exp(c.Of[0] + c.Of[1]*r.NormFloat64()) })
	case "uniform":
		return number(func() float64 { return c.Of[0] + (c.Of[1]-c.Of[0])*r.Float64() })
	case "integer":
		return number(func() float64 { return c.Of[0] + float64(r.Int64N(int64(c.Of[1]-c.Of[0])+1)) })
	case "exponential":
		return number(func() float64 { return c.Of[0] * r.ExpFloat64() })
	}
	if c.Series != nil {
		return func(k int) prediction.Value { return listed[k%len(listed)] }
	}
	total := 0.0
	for _, w := range c.Weights {
		total += w
	}
	return func(int) prediction.Value {
		at := r.Float64() * total
		for i, w := range c.Weights {
			if at -= w; at < 0 {
				return listed[i]
			}
		}
		return listed[len(listed)-1]
	}
}

// ofFile reads CSV or Parquet.
func (in *Input) ofFile(ctx context.Context, path string) (all []made, err error) {
	var texts []string
	for column, is := range in.Map {
		if prediction.TextFields()[is] != nil {
			texts = append(texts, column)
		}
	}
	slices.Sort(texts)
	t, err := table.Open(ctx, []string{path}, table.Options{Text: texts, MaxRows: maxRows})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	for _, name := range slices.Concat(in.Skip, slices.Sorted(maps.Keys(in.Map))) {
		if _, err := t.Column(name); err != nil {
			return nil, err
		}
	}
	var names []string
	for _, c := range t.Columns() {
		if slices.Contains(in.Skip, c.Name) {
			continue
		}
		if c.Fault != "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "the column %s of %s cannot be read: %s", c.Name, path, c.Fault).WithHint("leave it out with skip: [%s]", c.Name)
		}
		names = append(names, c.Name)
	}
	err = t.Scan(ctx, names, func(b *table.Block) error {
		for k := range b.N {
			var p made
			for i, name := range names {
				column := name
				if is, mapped := in.Map[name]; mapped {
					column = is
				}
				if err := p.put(column, cell(t, name, &b.Cols[i], k)); err != nil {
					return in.wrong(fmt.Sprintf("row %d of %s: %s", b.Row+int64(k)+1, path, name), err)
				}
			}
			all = append(all, p)
		}
		return nil
	})
	return all, err
}

func cell(t *table.Table, name string, v *table.Vector, k int) prediction.Value {
	if v.Null != nil && v.Null[k] {
		return prediction.Value{}
	}
	switch v.Kind {
	case table.Number:
		return prediction.Number(v.Float[k])
	case table.Category:
		if v.Code[k] == table.NoCode {
			return prediction.Value{}
		}
		return prediction.String(t.Dictionary(name)[v.Code[k]])
	case table.Time:
		if v.Time[k] == table.NoTime {
			return prediction.Value{}
		}
		return prediction.String(time.Unix(0, v.Time[k]).UTC().Format(time.RFC3339Nano))
	}
	return prediction.String(v.Text(k))
}
