package prediction

import "encoding/json"

// AppendJSON appends the canonical JSON of r: what is absent is left out, and ParseJSON reads it
// back as the same record. Of bodies it has the digests, and not the bytes.
func (r *Record) AppendJSON(dst []byte) []byte { return r.appendJSON(dst, false) }

// AppendSent appends r as its sender writes it, with the bytes of its bodies.
func (r *Record) AppendSent(dst []byte) []byte { return r.appendJSON(dst, true) }

func (r *Record) appendJSON(dst []byte, whole bool) []byte {
	w := jsonWriter{out: append(dst, '{'), start: len(dst) + 1, whole: whole}
	w.text("actor", r.Actor)
	w.features("attributions", r.Attributions)
	w.text("body_rule", r.BodyRule)
	w.text("decided_by", string(r.DecidedBy))
	w.text("environment", r.Environment)
	if len(r.Extra) > 0 {
		w.key("extra")
		w.out = append(w.out, r.Extra...)
	}
	w.features("features", r.Features)
	w.text("features_ref", r.FeaturesRef)
	if len(r.Flags) > 0 {
		w.key("flags")
		for i, flag := range r.Flags {
			w.out = append(w.out, "[,"[min(i, 1)])
			w.out = appendText(w.out, flag)
		}
		w.out = append(w.out, ']')
	}
	w.text("id", r.ID.String())
	w.text("input_digest", string(r.InputDigest))
	if r.InputKeyed {
		w.value("input_keyed", Boolean(true))
	}
	w.value("latency_us", r.Latency)
	w.text("model", r.Model)
	w.value("output", r.Output)
	w.override(r.Override)
	w.text("rationale", r.Rationale)
	w.body("request_body", r.RequestBody)
	w.body("response_body", r.ResponseBody)
	w.text("route", r.Route)
	w.text("rule", r.Rule)
	if r.Salt != (Salt{}) {
		w.text("salt", r.Salt.String())
	}
	w.value("score", r.Score)
	if r.SpanID != (SpanID{}) {
		w.text("span_id", r.SpanID.String())
	}
	w.text("status", string(r.Status))
	w.text("subject", r.Subject)
	w.value("threshold", r.Threshold)
	if !r.Time.IsZero() {
		w.text("time", r.Time.String())
	}
	if r.TraceID != (TraceID{}) {
		w.text("trace_id", r.TraceID.String())
	}
	w.text("version", r.Version)
	w.text("version_requested", r.VersionRequested)
	w.text("version_source", r.VersionSource)
	return append(w.out, '}')
}

// MarshalJSON returns what AppendJSON appends.
func (r *Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

// UnmarshalJSON reads an object of values.
func (f *Features) UnmarshalJSON(data []byte) error {
	var r Record
	err := r.UnmarshalJSON(append(append([]byte(`{"features":`), data...), '}'))
	*f = r.Features
	return err
}

// AppendJSON appends the canonical JSON of f, which is in the order of f.
func (f Features) AppendJSON(dst []byte) []byte { return appendFeatures(dst, f) }

// MarshalJSON writes the object.
func (f Features) MarshalJSON() ([]byte, error) { return appendFeatures(nil, f), nil }

// AppendJSON appends the canonical JSON of v.
func (v Value) AppendJSON(dst []byte) []byte { return appendValue(dst, v) }

// MarshalJSON writes the value.
func (v Value) MarshalJSON() ([]byte, error) { return appendValue(nil, v), nil }

// UnmarshalJSON reads a single value.
func (v *Value) UnmarshalJSON(data []byte) error {
	var r Record
	err := r.UnmarshalJSON(append(append([]byte(`{"output":`), data...), '}'))
	*v = r.Output
	return err
}

// IsZero reports whether v is null, for omitzero.
func (v Value) IsZero() bool { return v.IsNull() }

var _ json.Marshaler = Features(nil)

type jsonWriter struct {
	out   []byte
	start int
	whole bool // with the bytes of bodies
}

func (w *jsonWriter) key(name string) {
	if len(w.out) > w.start {
		w.out = append(w.out, ',')
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, '"', ':')
}

func (w *jsonWriter) text(name, s string) {
	if s != "" {
		w.key(name)
		w.out = appendText(w.out, s)
	}
}

func (w *jsonWriter) value(name string, v Value) {
	if !v.IsNull() {
		w.key(name)
		w.out = appendValue(w.out, v)
	}
}

func (w *jsonWriter) features(name string, f Features) {
	if len(f) > 0 {
		w.key(name)
		w.out = appendFeatures(w.out, f)
	}
}

func appendFeatures(dst []byte, f Features) []byte {
	dst = append(dst, '{')
	for i := range f {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, f[i].Name)
		dst = append(dst, ':')
		dst = appendValue(dst, f[i].Value)
	}
	return append(dst, '}')
}

func (w *jsonWriter) override(o *Override) {
	if o == nil {
		return
	}
	w.key("override")
	inner := jsonWriter{out: append(w.out, '{'), start: len(w.out) + 1}
	inner.text("by", o.By)
	inner.value("from", o.From)
	inner.text("why", o.Why)
	w.out = append(inner.out, '}')
}
