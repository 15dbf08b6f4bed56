package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/prediction"
)

// Reply is what came back for one prediction.
type Reply struct {
	ID      string           `json:"id" maxLength:"64" doc:"of the prediction on record"`
	Output  prediction.Value `json:"output,omitzero" doc:"what the other version says"`
	Score   prediction.Value `json:"score,omitzero" doc:"the number behind it"`
	Latency int64            `json:"latency_us,omitempty" minimum:"0" doc:"how long the answer took, in microseconds, as the one who asked saw it"`
	Fault   string           `json:"fault,omitempty" maxLength:"100" doc:"why there is no answer, in a few words; absent: there is one"`
}

// look says where in an answer a value is looked for.
type look struct {
	path   string // empty: the whole answer
	stated bool   // by people: there must be something
	to     *prediction.Value
}

// Read reads the answer to a request. Where no path is stated, one value is the output, or the score if the record has
// only that.
func (p *Plan) Read(data []byte, r *prediction.Record) (a Reply) {
	a.ID = r.ID.String()
	var whole any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&whole) != nil || d.Decode(new(any)) != io.EOF {
		a.Fault = "the answer is no JSON"
		return a
	}
	found := false
	for _, l := range p.looks(whole, r, &a) {
		v, there := at(whole, l.path)
		value, is := valueOf(v)
		switch {
		case there && is:
			*l.to, found = value, true
		case l.stated:
			a.Fault = fmt.Sprintf("the answer has no value at %.60s", l.path)
			return a
		}
	}
	if !found {
		a.Fault = "the answer has no output where it was looked for"
	}
	return a
}

func (p *Plan) looks(whole any, r *prediction.Record, a *Reply) (all []look) {
	if p.Output != "" || p.Score != "" {
		for _, l := range []look{{p.Output, true, &a.Output}, {p.Score, true, &a.Score}} {
			if l.path != "" {
				all = append(all, l)
			}
		}
		return all
	}
	one := look{"", false, &a.Output}
	if r.Output.IsNull() && !r.Score.IsNull() {
		one.to = &a.Score
	}
	_, object := whole.(map[string]any)
	switch {
	case p.Format == MLflow:
		one.path = "predictions.0"
	case p.Format == V2:
		one.path = "outputs.0.data.0"
	case object:
		return []look{{"output", false, &a.Output}, {"score", false, &a.Score}}
	}
	return []look{one}
}

// at returns what is at a path of names and places, from 0, with dots between; the whole for an empty one.
func at(v any, path string) (any, bool) {
	if path == "" {
		return v, true
	}
	for part := range strings.SplitSeq(path, ".") {
		switch within := v.(type) {
		case map[string]any:
			is := false
			if v, is = within[part]; !is {
				return nil, false
			}
		case []any:
			n, err := strconv.Atoi(part)
			if err != nil || n < 0 || n >= len(within) {
				return nil, false
			}
			v = within[n]
		default:
			return nil, false
		}
	}
	return v, true
}

// valueOf returns a value of JSON as one of a record, false if it is none: null, a list or an object. A list of one is
// what is in it.
func valueOf(v any) (value prediction.Value, is bool) {
	switch v := v.(type) {
	case []any:
		if len(v) == 1 {
			return valueOf(v[0])
		}
		return value, false
	case map[string]any, nil:
		return value, false
	}
	data, err := json.Marshal(v)
	if err == nil {
		err = value.UnmarshalJSON(data)
	}
	return value, err == nil && !value.IsNull()
}
