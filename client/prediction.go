package client

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick"
)

// Prediction is one prediction as it is recorded; docs/prediction.md says what each field means. Only Model
// must be there, and Version or Environment, which says what answered. Values are numbers, texts, booleans or
// nil; NaN and the infinities are numbers.
type Prediction struct {
	ID               string         `json:"id,omitempty"`  // a UUID of version 7; given if empty
	Time             time.Time      `json:"time,omitzero"` // of the prediction; now, if zero
	Model            string         `json:"model"`         // by its name in the registry
	Version          string         `json:"version,omitempty"`
	VersionRequested string         `json:"version_requested,omitempty"`
	Environment      string         `json:"environment,omitempty"`
	Route            string         `json:"route,omitempty"`
	Actor            string         `json:"actor,omitempty"`   // a pseudonym
	Subject          string         `json:"subject,omitempty"` // likewise
	TraceID          string         `json:"trace_id,omitempty"`
	SpanID           string         `json:"span_id,omitempty"`
	InputDigest      string         `json:"input_digest,omitempty"` // see Hash and HashKeyed
	InputKeyed       bool           `json:"input_keyed,omitempty"`
	Features         map[string]any `json:"features,omitempty"`
	FeaturesRef      string         `json:"features_ref,omitempty"`
	Output           any            `json:"output,omitempty"`
	Score            any            `json:"score,omitempty"`
	Threshold        any            `json:"threshold,omitempty"`
	Rule             string         `json:"rule,omitempty"`
	Rationale        string         `json:"rationale,omitempty"`
	Attributions     map[string]any `json:"attributions,omitempty"`
	Latency          time.Duration  `json:"-"` // not told if zero
	Status           string         `json:"status,omitempty"`
	DecidedBy        string         `json:"decided_by,omitempty"`
	Flags            []string       `json:"flags,omitempty"`
	Extra            map[string]any `json:"extra,omitempty"`
	RequestBody      *Body          `json:"request_body,omitempty"`  // what the model was sent; kept if a rule of the model says so
	ResponseBody     *Body          `json:"response_body,omitempty"` // what it answered; likewise
}

// Body is what was sent to a model, or what came from it, as it was. The server takes up to 256 KiB.
type Body struct {
	Type string `json:"type,omitempty"` // media type
	Data []byte `json:"base64"`
}

// Hash sets the digest of the raw input: whoever has the input can recognize it.
func (p *Prediction) Hash(input []byte) {
	p.InputDigest, p.InputKeyed = string(tallystick.DigestOf(input)), false
}

// HashKeyed sets the HMAC-SHA-256 of the raw input under a key that the sender keeps: nobody else can try
// inputs until one fits.
func (p *Prediction) HashKeyed(key, input []byte) {
	mac := hmac.New(sha256.New, key)
	mac.Write(input) // never fails
	p.InputDigest, p.InputKeyed = "sha256:"+hex.EncodeToString(mac.Sum(nil)), true
}

// MarshalJSON writes what the API takes.
func (p Prediction) MarshalJSON() ([]byte, error) {
	type plain Prediction
	told := struct {
		plain
		Latency *int64 `json:"latency_us,omitempty"`
	}{plain: plain(p)}
	if p.Latency != 0 {
		us := p.Latency.Microseconds()
		told.Latency = &us
	}
	told.Features, told.Attributions = finite(p.Features), finite(p.Attributions)
	told.Output, told.Score, told.Threshold = number(p.Output), number(p.Score), number(p.Threshold)
	return json.Marshal(told)
}

func finite(values map[string]any) map[string]any {
	for _, v := range values {
		if _, text := number(v).(string); text {
			told := make(map[string]any, len(values))
			for name, v := range values {
				told[name] = number(v)
			}
			return told
		}
	}
	return values
}

// number returns the text that stands for a number that JSON lacks, and any other value as it is.
func number(v any) any {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case float32:
		f = float64(v)
	}
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return v
}

// What a server takes at once.
const (
	maxRecords   = 5000
	maxBatchSize = 8 << 20 // bytes of JSON
)

// complete gives predictions their ids and times, and returns them as lines.
func complete(predictions []Prediction, now time.Time) (ids []string, lines []byte, err error) {
	if len(predictions) == 0 || len(predictions) > maxRecords {
		return nil, nil, tallystick.Errorf(tallystick.Invalid, "the batch has %d predictions", len(predictions)).WithHint("record 1 to %d at once", maxRecords)
	}
	var body bytes.Buffer
	for i, p := range predictions {
		if p.ID == "" {
			p.ID = tallystick.NewID(now)
		}
		if p.Time.IsZero() {
			p.Time = now
		}
		p.Time = p.Time.UTC()
		line, err := json.Marshal(p)
		if err != nil {
			return nil, nil, tallystick.Errorf(tallystick.Invalid, "prediction %d: %w", i, err).WithHint("values are numbers, texts, booleans or nil")
		}
		body.Write(line)
		body.WriteByte('\n')
		ids = append(ids, p.ID)
	}
	if body.Len() > maxBatchSize {
		return nil, nil, tallystick.Errorf(tallystick.Invalid, "the batch has %d bytes, the limit is %d", body.Len(), maxBatchSize).WithHint("record fewer at once")
	}
	return ids, body.Bytes(), nil
}

// Rejection says why a server did not take a prediction.
type Rejection struct {
	Index   int             `json:"index"` // in its batch
	Code    tallystick.Code `json:"code"`
	Message string          `json:"message"`
	Hint    string          `json:"hint,omitempty"`
}

func (r Rejection) String() string { return fmt.Sprintf("prediction %d: %s", r.Index, r.Message) }

// RejectedError is in the chain of the error of a batch of which no prediction was taken.
type RejectedError struct{ Rejected []Rejection }

func (e *RejectedError) Error() string {
	return fmt.Sprintf("%d predictions were rejected", len(e.Rejected))
}
