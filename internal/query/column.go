package query

import (
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// column reads one column of frames, those of labels and periods too.
type column struct {
	at     int
	label  bool
	layout string
}

func newColumn(p *plan, name string) column {
	return column{at: p.column(name), label: name == columnLabel, layout: periodLayout(name)}
}

// value returns what the k-th chosen row, which is row, has.
func (c column) value(f *frame, k, row int) prediction.Value {
	switch {
	case c.label:
		return f.held[k].Value
	case c.layout != "":
		return prediction.String(f.period(c.layout, row))
	}
	return f.value(c.at, row)
}

func (c column) number(f *frame, k, row int) (float64, bool) {
	if c.at >= 0 {
		return f.number(c.at, row)
	}
	v := c.value(f, k, row)
	if !v.IsNumber() {
		return 0, false
	}
	x, _ := v.Float()
	return x, true
}

// appendKey appends what tells the value from others.
func (c column) appendKey(dst []byte, f *frame, k, row int) []byte {
	if c.at >= 0 {
		if cell := &f.cells[c.at]; cell.Kind == segment.Text && !cell.Null[row] {
			return append(append(strconv.AppendInt(dst, int64(len(cell.Bytes[row])), 10), ':'), cell.Bytes[row]...)
		}
	}
	v := c.value(f, k, row)
	if v.Kind() == prediction.Text {
		return append(append(strconv.AppendInt(dst, int64(len(v.Text())), 10), ':'), v.Text()...)
	}
	return append(append(dst, '#'), append(v.AppendJSON(nil), ';')...)
}

// Plain returns a value as encoding/json writes it: what JSON has no number for is text, as in a record.
func Plain(v prediction.Value) any {
	switch v.Kind() {
	case prediction.Bool:
		return v.Bool()
	case prediction.Int:
		return v.Int()
	case prediction.Float:
		if f, _ := v.Float(); finite(f) {
			return f
		}
		return strings.Trim(v.String(), `"`)
	case prediction.Text:
		return v.Text()
	}
	return nil
}
