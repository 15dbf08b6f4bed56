package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// maxDepth bounds lists and objects in an attribute; extra, which holds the deepest, bounds them itself.
const maxDepth = 24

// reader makes records of items, by the table.
type reader struct {
	table []Mapping
	rows  map[string][]int // of the table, by attribute
}

func newReader() *reader {
	r := &reader{table: Table(), rows: map[string][]int{}}
	for i, m := range r.table {
		r.rows[m.Attribute] = append(r.rows[m.Attribute], i)
	}
	return r
}

// draft is a record in the making, as its JSON form.
type draft struct {
	members map[string][]byte   // of the record, but those that are objects
	objects map[string][][]byte // the members of these: "name":value
	found   []*common.AnyValue  // by rows of the table
	ours    bool                // it has an attribute tallystick.* of its own
	wrong   error
}

// mayTell reports whether an item can be a prediction. Most that are exported are not.
func mayTell(i item) bool {
	return slices.ContainsFunc(i.attributes, func(kv *common.KeyValue) bool {
		return strings.HasPrefix(kv.GetKey(), prefix) || i.span && kv.GetKey() == genOperation
	})
}

// read returns what an item says, before the table is asked.
func (r *reader) read(i item) *draft {
	d := &draft{members: map[string][]byte{}, objects: map[string][][]byte{}, found: make([]*common.AnyValue, len(r.table))}
	for _, kv := range i.attributes {
		if key, ok := strings.CutPrefix(kv.GetKey(), prefix); ok {
			d.own(key, kv.GetValue())
			continue
		}
		r.note(d, Own, kv)
	}
	for _, list := range i.around {
		for _, kv := range list {
			r.note(d, Around, kv)
		}
	}
	return d
}

// note keeps an attribute for the rows of the table that name it. The scope comes before its resource.
func (r *reader) note(d *draft, p Place, kv *common.KeyValue) {
	for _, row := range r.rows[kv.GetKey()] {
		if r.table[row].Place == p && d.found[row] == nil {
			d.found[row] = kv.GetValue()
		}
	}
}

// own takes an attribute tallystick.KEY.
func (d *draft) own(key string, v *common.AnyValue) {
	d.ours = true
	if body, isType, ok := bodyOf(key); ok {
		d.body(body, isType, v)
		return
	}
	for _, part := range parts {
		if key == part {
			d.whole(part, v)
			return
		}
		if name, ok := strings.CutPrefix(key, part+"."); ok {
			d.objects[part] = append(d.objects[part], member(name, d.json(v)))
			return
		}
	}
	if d.members[key] != nil {
		d.refuse("tallystick.%.64s stands twice", key)
		return
	}
	d.members[key] = d.json(v)
}

// body takes the bytes of a body, or its media type. What is neither text nor bytes is taken as its JSON text.
func (d *draft) body(key string, isType bool, v *common.AnyValue) {
	text, isText := v.GetValue().(*common.AnyValue_StringValue)
	data, isBytes := v.GetValue().(*common.AnyValue_BytesValue)
	switch {
	case isType && isText:
		d.objects[key] = append(d.objects[key], member("type", quote(text.StringValue)))
	case isType:
		d.refuse("the media type of %s is not a text", key)
	case isBytes:
		d.objects[key] = append(d.objects[key], member("base64", quote(base64.StdEncoding.EncodeToString(data.BytesValue))))
	case isText:
		d.objects[key] = append(d.objects[key], member("text", quote(text.StringValue)))
	default:
		d.objects[key] = append(d.objects[key], member("text", quote(string(d.json(v)))))
	}
}

// whole takes an object, or the JSON text of one.
func (d *draft) whole(part string, v *common.AnyValue) {
	text, isText := v.GetValue().(*common.AnyValue_StringValue)
	switch {
	case v.GetKvlistValue() != nil:
		for _, kv := range v.GetKvlistValue().GetValues() {
			d.objects[part] = append(d.objects[part], member(kv.GetKey(), d.json(kv.GetValue())))
		}
	case isText:
		inner := bytes.TrimSpace([]byte(text.StringValue))
		if !json.Valid(inner) || inner[0] != '{' {
			d.refuse("tallystick.%s is not a JSON object", part)
		} else if inner = bytes.TrimSpace(inner[1 : len(inner)-1]); len(inner) > 0 {
			d.objects[part] = append(d.objects[part], inner)
		}
	default:
		d.refuse("tallystick.%s is not an object, nor the JSON text of one", part)
	}
}

func (d *draft) refuse(format string, args ...any) {
	if d.wrong == nil {
		d.wrong = tallystick.Errorf(tallystick.Invalid, format, args...)
	}
}

// set fills in a key that is not there yet.
func (d *draft) set(key string, value []byte) {
	if d.members[key] == nil {
		d.members[key] = value
	}
}

// inference reports whether a span of generative AI is a prediction, and of what.
func (r *reader) inference(i item, d *draft) (model string, ok bool) {
	if !i.span || !slices.Contains(operations[:], d.text(r, genOperation)) {
		return "", false
	}
	model = d.text(r, genModel)
	return model, model != ""
}

// text returns an attribute of the table that is a text, empty if it is not there.
func (d *draft) text(r *reader, attribute string) string {
	for _, row := range r.rows[attribute] {
		if v := d.found[row]; v != nil {
			return v.GetStringValue()
		}
	}
	return ""
}

// record makes the record of a draft. With generative the model is that of gen_ai.request.model, if nothing
// else names one.
func (r *reader) record(i item, d *draft, generative bool) ([]byte, error) {
	named := d.members["model"] != nil
	for row, v := range d.found {
		m := r.table[row]
		switch {
		case v == nil:
		case m.Key == "extra":
			d.objects["extra"] = append(d.objects["extra"], member(m.Attribute, d.json(v)))
		case m.Attribute == genModel:
			if generative && !named {
				d.set(m.Key, d.json(v))
			}
		case m.Attribute == genResponse:
			if generative && !named && v.GetStringValue() != d.text(r, genModel) {
				d.set(m.Key, d.json(v))
			}
		default:
			d.set(m.Key, d.json(v))
			named = named || m.Key == "model"
		}
	}
	d.objects["extra"] = append(d.objects["extra"], member("otlp_table", strconv.AppendInt(nil, TableVersion, 10)))
	d.envelope(i, d.text(r, errorType))
	if d.wrong != nil {
		return nil, d.wrong
	}
	if d.members["model"] == nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "it has attributes %s*, but no %smodel", prefix, prefix).WithHint("name the model there, or on the resource")
	}
	return d.encode(), nil
}

// envelope fills in what stands outside the attributes.
func (d *draft) envelope(i item, errorType string) {
	if i.time != 0 {
		at := time.Unix(int64(i.time/1e9), int64(i.time%1e9)).UTC()
		d.set("time", quote(at.Format(time.RFC3339Nano)))
	}
	if id := hexID(i.traceID, 16); id != "" {
		d.set("trace_id", quote(id))
	}
	if id := hexID(i.spanID, 8); id != "" {
		d.set("span_id", quote(id))
	}
	if i.took >= 0 {
		d.set("latency_us", strconv.AppendInt(nil, i.took, 10))
	}
	switch lower := strings.ToLower(errorType); {
	case strings.Contains(lower, "timeout") || strings.Contains(lower, "deadline"):
		d.set("status", quote(string(prediction.TimedOut)))
	case errorType != "" || i.failed:
		d.set("status", quote(string(prediction.Failed)))
	case i.span:
		d.set("status", quote(string(prediction.OK)))
	}
}

func (d *draft) encode() []byte {
	out := []byte{'{'}
	for key, value := range d.members {
		out = append(append(out, member(key, value)...), ',')
	}
	for part, members := range d.objects {
		out = append(append(append(out, quote(part)...), ':', '{'), bytes.Join(members, []byte{','})...)
		out = append(out, '}', ',')
	}
	out[len(out)-1] = '}' // otlp_table at least is there
	return out
}

func member(name string, value []byte) []byte {
	return append(append(quote(name), ':'), value...)
}

// quote returns s as JSON has it.
func quote(s string) []byte {
	quoted, _ := json.Marshal(s) // every text can be
	return quoted
}

// json returns the value of an attribute as JSON has it.
func (d *draft) json(v *common.AnyValue) []byte { return d.append(nil, v, 0) }

func (d *draft) append(dst []byte, v *common.AnyValue, depth int) []byte {
	if depth > maxDepth {
		d.refuse("an attribute is nested too deep")
		return append(dst, "null"...)
	}
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return append(dst, quote(v.StringValue)...)
	case *common.AnyValue_BoolValue:
		return strconv.AppendBool(dst, v.BoolValue)
	case *common.AnyValue_IntValue:
		return strconv.AppendInt(dst, v.IntValue, 10)
	case *common.AnyValue_DoubleValue:
		return prediction.Number(v.DoubleValue).AppendJSON(dst)
	case *common.AnyValue_BytesValue:
		return append(dst, quote(base64.StdEncoding.EncodeToString(v.BytesValue))...)
	case *common.AnyValue_ArrayValue:
		dst = append(dst, '[')
		for i, inner := range v.ArrayValue.GetValues() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = d.append(dst, inner, depth+1)
		}
		return append(dst, ']')
	case *common.AnyValue_KvlistValue:
		dst = append(dst, '{')
		for i, kv := range v.KvlistValue.GetValues() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(dst, quote(kv.GetKey())...), ':')
			dst = d.append(dst, kv.GetValue(), depth+1)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}
