package segment_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// TestScan reads columns of two files, of which the second has one more and one less, and compares with the records.
func TestScan(t *testing.T) {
	t.Parallel()
	a, b := shaped(t, 10_000), shaped(t, 9_000)
	for i := range b {
		r, err := prediction.Decode(b[i])
		if err != nil {
			t.Fatal(err)
		}
		r.Features[0].Name = "a_new_one"
		r.Features[1].Value = prediction.Value{}
		r.Attributions = prediction.Features{{Name: "x", Value: prediction.Integer(int64(i))}}
		if b[i], err = r.Append(nil); err != nil {
			t.Fatal(err)
		}
	}
	dataA, _ := written(t, "a", a)
	dataB, _ := written(t, "b", b)
	files := []*segment.File{opened(t, dataA), opened(t, dataB)}
	columns := []string{"f_number_03", "latency_us", "f_category_0", "f_a_new_one", "a_x", "time", "f_category_1"}
	next, all := 0, append(append([][]byte{}, a...), b...)
	for batch, err := range segment.Scan(files, columns) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range batch.Rows {
			at := int(batch.First) + i + batch.File*len(a)
			r, err := prediction.Decode(all[at])
			if err != nil || at != next {
				t.Fatalf("row %d comes as %d, %v", next, at, err)
			}
			next++
			for k, name := range []string{"number_03", "", "category_0", "a_new_one", "", "", "category_1"} {
				if name == "" {
					continue
				}
				want, _ := r.Features.Get(name)
				if got := valueOf(batch.Columns[k], i); got != want {
					t.Fatalf("row %d, %s: %v, not %v", at, name, got, want)
				}
			}
			if batch.Columns[1].Ints[i] != r.Latency.Int() || batch.Columns[5].Ints[i] != int64(r.Time) {
				t.Fatalf("row %d: latency %d, time %d", at, batch.Columns[1].Ints[i], batch.Columns[5].Ints[i])
			}
			if (batch.Columns[4].Kind == segment.Missing) != (batch.File == 0) {
				t.Fatalf("row %d: attribution of kind %d", at, batch.Columns[4].Kind)
			}
		}
		if batch.File == 1 && batch.Columns[6].Nulls != batch.Rows || batch.File == 0 && batch.Columns[6].Nulls != 0 {
			t.Fatalf("%d nulls of %d", batch.Columns[6].Nulls, batch.Rows)
		}
		if next > 200 && testing.Short() {
			return
		}
	}
	if next != len(a)+len(b) {
		t.Errorf("%d rows", next)
	}
	for _, err := range segment.Scan(files, []string{"f_number_3"}) {
		if want := `did you mean "f_number_03"?`; tallystick.CodeOf(err) != tallystick.NotFound || !bytes.Contains([]byte(fmt.Sprint(err)), []byte(want)) {
			t.Errorf("%v", err)
		}
	}
}

func valueOf(v segment.Vector, i int) prediction.Value {
	switch {
	case v.Kind == segment.Missing || v.Null[i]:
		return prediction.Value{}
	case v.Kind == segment.Number:
		if math.IsNaN(v.Floats[i]) {
			return prediction.Number(math.NaN())
		}
		return prediction.Number(v.Floats[i])
	}
	return prediction.String(string(v.Bytes[i]))
}

// TestColumns settles the columns of names with values of several kinds.
func TestColumns(t *testing.T) {
	t.Parallel()
	base, err := prediction.Decode(odd(t, 1, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	large := prediction.Integer(1<<53 + 1)
	values := map[string][]prediction.Value{
		"number":    {prediction.Integer(1), prediction.Number(0.5), prediction.Value{}},
		"integer":   {prediction.Integer(1), large, large},
		"mixed":     {prediction.Number(0.5), large, prediction.Integer(2)},
		"text":      {prediction.String("a"), prediction.String("b"), prediction.Integer(1)},
		"tie":       {prediction.String("a"), prediction.Integer(1), prediction.Value{}},
		"boolean":   {prediction.Boolean(true), prediction.Boolean(false), prediction.String("no")},
		"null":      {prediction.Value{}, prediction.Value{}, prediction.Value{}},
		"not a num": {prediction.Number(math.NaN()), prediction.Number(math.Inf(1)), prediction.Integer(3)},
	}
	var encodings [][]byte
	for i := range 3 {
		r := prediction.Record{ID: base.ID, Time: base.Time, Model: "m"}
		m := map[string]prediction.Value{}
		for name, v := range values {
			m[name] = v[i]
		}
		r.Features = prediction.NewFeatures(m)
		encoding, err := r.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		encodings = append(encodings, encoding)
	}
	data, _ := written(t, "s", encodings)
	f := opened(t, data)
	got := map[string]segment.ColumnKind{}
	for _, c := range f.Columns() {
		got[c.Name] = c.Kind
	}
	for name, want := range map[string]segment.ColumnKind{
		"f_number": segment.Number, "f_integer": segment.Integer, "f_mixed": segment.Number, "f_text": segment.Text, "f_tie": segment.Number,
		"f_boolean": segment.Boolean, "f_null": segment.Number, "f_not a num": segment.Number, "overflow": segment.Text, "absent": segment.Missing,
	} {
		if got[name] != want {
			t.Errorf("%s is of kind %d, not %d", name, got[name], want)
		}
	}
	for i, e := range entries(t, f) {
		if !bytes.Equal(e.Encoding, encodings[i]) {
			t.Errorf("record %d is another", i)
		}
	}
	for batch, err := range segment.Scan([]*segment.File{f}, []string{"overflow"}) {
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{`{"f_tie":"a"}`, `{"f_mixed":9007199254740993}`, `{"f_boolean":"no","f_text":1}`} {
			if got := string(batch.Columns[0].Bytes[i]); got != want {
				t.Errorf("record %d: overflow %s, not %s", i, got, want)
			}
		}
	}
}

// TestManyNames writes more names than there can be columns.
func TestManyNames(t *testing.T) {
	t.Parallel()
	base, err := prediction.Decode(odd(t, 1, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	var encodings [][]byte
	for i := range 3 {
		r := prediction.Record{ID: base.ID, Time: base.Time, Model: "m"}
		m := map[string]prediction.Value{"in all": prediction.Integer(int64(i))}
		for k := range 1000 {
			m[fmt.Sprintf("%d of %d", k, i)] = prediction.Number(float64(k) / 2)
		}
		r.Features = prediction.NewFeatures(m)
		encoding, err := r.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		encodings = append(encodings, encoding)
	}
	data, _ := written(t, "s", encodings)
	f := opened(t, data)
	if n := len(f.Columns()); n > 1040 {
		t.Errorf("%d columns", n)
	}
	for i, e := range entries(t, f) {
		if !bytes.Equal(e.Encoding, encodings[i]) {
			t.Errorf("record %d is another", i)
		}
	}
}
