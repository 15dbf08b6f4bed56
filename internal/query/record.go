package query

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// Holds reports whether the condition is true of a record by itself. It is always false of a column that
// OfRecord refuses.
func (c *Condition) Holds(r *prediction.Record) bool {
	v, _ := Field(r, c.Column)
	return c.holds(v)
}

// OfRecord returns an Invalid error unless a column is a part of the record itself: a label comes later, a leaf
// and a calendar month are made of it.
func OfRecord(column string) error {
	if err := checkColumn(column); err != nil {
		return err
	}
	if _, ok := Field(&prediction.Record{}, column); !ok {
		return tallystick.Errorf(tallystick.Invalid, "%s is no part of a record when it comes in", column)
	}
	return nil
}

// Field returns what a column holds of a record, null if the record does not have it; false if that is no part of
// a record by itself.
func Field(r *prediction.Record, column string) (v prediction.Value, ok bool) {
	if name, is := strings.CutPrefix(column, "f_"); is {
		v, _ = r.Features.Get(name)
		return v, true
	}
	if name, is := strings.CutPrefix(column, "a_"); is {
		v, _ = r.Attributions.Get(name)
		return v, true
	}
	switch column {
	case columnID:
		return text(r.ID.String()), true
	case columnTime:
		return prediction.Integer(int64(r.Time)), true
	case columnOutput:
		return r.Output, true
	case columnScore:
		return r.Score, true
	case "threshold":
		return r.Threshold, true
	case "latency_us":
		return r.Latency, true
	case "input_keyed":
		if !r.InputKeyed {
			return prediction.Value{}, true
		}
		return prediction.Boolean(true), true
	case columnFlags:
		return flagsOf(r.Flags), true
	case "trace_id":
		if r.TraceID == (prediction.TraceID{}) {
			return prediction.Value{}, true
		}
		return text(hex.EncodeToString(r.TraceID[:])), true
	case "span_id":
		if r.SpanID == (prediction.SpanID{}) {
			return prediction.Value{}, true
		}
		return text(hex.EncodeToString(r.SpanID[:])), true
	case "input_digest":
		return text(r.InputDigest.Hex()), true
	case "request_digest":
		return sumOf(r.RequestBody), true
	case "response_digest":
		return sumOf(r.ResponseBody), true
	}
	if s, is := words(r, column); is {
		return text(s), true
	}
	return prediction.Value{}, false
}

// words returns a field that is a word.
func words(r *prediction.Record, column string) (s string, ok bool) {
	override := r.Override
	if override == nil {
		override = &prediction.Override{}
	}
	request, response := r.RequestBody, r.ResponseBody
	if request == nil {
		request = &prediction.Body{}
	}
	if response == nil {
		response = &prediction.Body{}
	}
	for _, f := range []struct{ name, is string }{
		{"model", r.Model}, {columnVersion, r.Version}, {"version_requested", r.VersionRequested}, {"version_source", r.VersionSource},
		{"environment", r.Environment}, {"route", r.Route}, {"actor", r.Actor}, {"subject", r.Subject}, {"features_ref", r.FeaturesRef}, {"rule", r.Rule},
		{"rationale", r.Rationale}, {"status", string(r.Status)}, {"decided_by", string(r.DecidedBy)}, {"override_by", override.By}, {"override_why", override.Why},
		{"body_rule", r.BodyRule}, {"request_type", request.Type}, {"response_type", response.Type},
	} {
		if f.name == column {
			return f.is, true
		}
	}
	return "", false
}

// sumOf returns the digest of a body in hexadecimal.
func sumOf(b *prediction.Body) prediction.Value {
	if b == nil {
		return prediction.Value{}
	}
	sum, _ := b.Sum()
	return text(hex.EncodeToString(sum[:]))
}

// text returns s as a value, null if it is empty, as columns hold it.
func text(s string) prediction.Value {
	if s == "" {
		return prediction.Value{}
	}
	return textOf(s)
}

func flagsOf(flags []string) prediction.Value {
	if len(flags) == 0 {
		return prediction.Value{}
	}
	sorted := slices.Sorted(slices.Values(flags))
	list, err := json.Marshal(sorted)
	if err != nil {
		return prediction.Value{}
	}
	return prediction.String(string(list))
}
