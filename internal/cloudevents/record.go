package cloudevents

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// The flags of records of which something is missing.
const (
	noRequest  = "request_missing"
	noResponse = "response_missing"
	unread     = "body_not_read"     // a body is of no protocol that is known
	unmatched  = "rows_differ"       // the response has not as many rows as the request
	noFeatures = "features_not_kept" // too many, or not single values
	noOutputs  = "output_not_kept"   // too large
	noBody     = "body_too_large"    // a body is too large to be kept, whatever the rules say
)

// What of a row is kept at most.
const (
	mostFeatures = 4096
	mostOutputs  = 12 << 10 // bytes
)

// both are the events of a request; either may be nil.
type both struct{ request, response *event }

// any returns one of the events.
func (b both) any() *event {
	if b.response != nil {
		return b.response
	}
	return b.request
}

// records returns a record for each row, as JSON, or one if there are no rows to be told.
func (b both) records() [][]byte {
	flags := []string{}
	side := func(e *event, missing string) table {
		if e == nil {
			flags = append(flags, missing)
			return table{}
		}
		t, err := read(bytes.TrimSpace(e.Data))
		if err != nil {
			flags = append(flags, unread)
		}
		return t
	}
	asked, said := side(b.request, noRequest), side(b.response, noResponse)
	n := max(len(asked.rows), len(said.rows), 1)
	if len(asked.rows) > 0 && len(said.rows) > 0 && len(asked.rows) != len(said.rows) {
		flags = append(flags, unmatched)
		n, said.rows = len(asked.rows), nil
	}
	all := make([][]byte, n)
	for i := range all {
		r := b.common(said)
		r.Flags = append(r.Flags, flags...)
		if i == 0 { // both are of all rows: they are sent once
			r.RequestBody, r.ResponseBody = r.body(b.request), r.body(b.response)
		}
		r.Extra["row"], r.Extra["rows"] = i, n
		if i < len(asked.rows) {
			r.features(asked.rows[i])
		}
		if i < len(said.rows) {
			r.outputs(said.rows[i])
		}
		all[i], _ = json.Marshal(r) // of values that were JSON
	}
	return all
}

// draft is the JSON form of a record.
type draft struct {
	Time        string                     `json:"time,omitempty"`
	Model       string                     `json:"model"`
	Version     string                     `json:"version,omitempty"`
	Environment string                     `json:"environment,omitempty"`
	Route       string                     `json:"route,omitempty"`
	TraceID     string                     `json:"trace_id,omitempty"`
	Input       tallystick.Digest          `json:"input_digest,omitempty"`
	Features    map[string]json.RawMessage `json:"features,omitempty"`
	Output      json.RawMessage            `json:"output,omitempty"`
	Latency     *int64                     `json:"latency_us,omitempty"`
	Status      prediction.Status          `json:"status,omitempty"`
	Flags       []string                   `json:"flags,omitempty"`
	Extra       map[string]any             `json:"extra"`

	RequestBody  *body `json:"request_body,omitempty"`
	ResponseBody *body `json:"response_body,omitempty"`
}

// body is what the logger sent, as it was.
type body struct {
	Type string `json:"type,omitempty"`
	Data []byte `json:"base64"`
}

// body returns the data of an event, nil if there is none or it is too large.
func (r *draft) body(e *event) *body {
	switch {
	case e == nil || len(e.Data) == 0:
		return nil
	case len(e.Data) > prediction.MaxBody:
		if !slices.Contains(r.Flags, noBody) {
			r.Flags = append(r.Flags, noBody)
		}
		return nil
	}
	return &body{Data: e.Data}
}

// common returns what all rows of a request have in common.
func (b both) common(said table) draft {
	e := b.any()
	r := draft{
		Model: cmp.Or(e.Service, said.model), Version: said.version, Environment: e.Namespace, Route: strings.Trim(e.Component+"/"+e.Endpoint, "/"),
		Extra: map[string]any{"cloudevent": e.ID},
	}
	if said.model != "" && said.model != r.Model {
		r.Extra["model_name"] = said.model
	}
	if at := e.at(); !at.IsZero() {
		r.Time = at.UTC().Format(time.RFC3339Nano)
	}
	var trace prediction.TraceID // 00-trace-span-flags
	if parts := strings.Split(e.Trace, "-"); len(parts) >= 4 && trace.UnmarshalText([]byte(parts[1])) == nil {
		r.TraceID = trace.String()
	}
	if b.request != nil {
		r.Input = tallystick.DigestOf(b.request.Data)
	}
	if b.response != nil {
		r.Status = prediction.OK // of others the logger sends no response
	}
	if b.request != nil && b.response != nil {
		begun, ended := b.request.at(), b.response.at()
		if took := ended.Sub(begun).Microseconds(); !begun.IsZero() && !ended.IsZero() && took >= 0 {
			r.Latency = &took
		}
	}
	return r
}

func (r *draft) features(row []cell) {
	kept := map[string]json.RawMessage{}
	for _, c := range row {
		_, twice := kept[c.name]
		if twice || !single(c.value) || len(kept) == mostFeatures {
			r.Flags = append(r.Flags, noFeatures)
			return
		}
		kept[c.name] = c.value
	}
	r.Features = kept
}

// outputs takes one value for the output, and several as they are: which of them decides is not told.
func (r *draft) outputs(row []cell) {
	if len(row) == 1 && single(row[0].value) {
		r.Output = row[0].value
		return
	}
	kept, size := map[string]json.RawMessage{}, 0
	for _, c := range row {
		kept[c.name] = c.value
		size += len(c.name) + len(c.value) + 4
	}
	if size > mostOutputs {
		r.Flags = append(r.Flags, noOutputs)
		return
	}
	r.Extra["outputs"] = kept
}

func single(value json.RawMessage) bool {
	return len(value) > 0 && value[0] != '{' && value[0] != '['
}
