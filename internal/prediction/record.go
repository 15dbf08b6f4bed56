package prediction

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// Record is one prediction as it is kept. What a caller left out is the zero value; only ID, Time,
// Model and Salt must be there. Its JSON form is that of the API.
type Record struct {
	ID    ID     `json:"id,omitzero" doc:"names the record for ever, a UUID of version 7; given by the server if left out" format:"uuid"`
	Time  Time   `json:"time,omitzero" doc:"when the prediction was made, RFC 3339, to the microsecond; the time of receipt if left out" format:"date-time"`
	Model string `json:"model" doc:"the model, by its name in the registry"`

	VersionRequested string `json:"version_requested,omitempty" doc:"the version or alias that the caller asked for" maxLength:"128"`
	Version          string `json:"version,omitempty" doc:"the version that answered" maxLength:"128"`
	VersionSource    string `json:"version_source,omitempty" doc:"how the version is known: request, response, alias, assignment, or another name" maxLength:"128"`
	Environment      string `json:"environment,omitempty" doc:"where it ran" maxLength:"128"`
	Route            string `json:"route,omitempty" doc:"the way that the request took: a path, a service, an experiment's arm" maxLength:"256"`
	Actor            string `json:"actor,omitempty" doc:"who asked, as a pseudonym" maxLength:"256"`
	Subject          string `json:"subject,omitempty" doc:"whom the prediction is about, as a pseudonym" maxLength:"256"`

	TraceID     TraceID           `json:"trace_id,omitzero" doc:"trace of W3C Trace Context, 32 hexadecimal digits" pattern:"^[0-9a-f]{32}$"`
	SpanID      SpanID            `json:"span_id,omitzero" doc:"span of W3C Trace Context, 16 hexadecimal digits" pattern:"^[0-9a-f]{16}$"`
	InputDigest tallystick.Digest `json:"input_digest,omitempty" doc:"digest of the raw input: sha256: and 64 hexadecimal digits" pattern:"^sha256:[0-9a-f]{64}$"`
	InputKeyed  bool              `json:"input_keyed,omitempty" doc:"the digest is an HMAC-SHA-256, because the input is not kept: under a key of the sender, or of the server if it made the digest of a body that it did not keep"`

	Features    Features `json:"features,omitempty" doc:"what the model was given: name to number, text, boolean or null"`
	FeaturesRef string   `json:"features_ref,omitempty" doc:"where the features are, when they are not in the record" maxLength:"1024"`

	Output       Value    `json:"output,omitzero" doc:"what the model said: a number, text or boolean"`
	Score        Value    `json:"score,omitzero" doc:"the number behind the output"`
	Threshold    Value    `json:"threshold,omitzero" doc:"the number that the score was held against"`
	Rule         string   `json:"rule,omitempty" doc:"the rule that made a decision of the score" maxLength:"256"`
	Rationale    string   `json:"rationale,omitempty" doc:"why, in words" maxLength:"8192"`
	Attributions Features `json:"attributions,omitempty" doc:"what each feature contributed: name to number"`

	Latency   Value     `json:"latency_us,omitzero" doc:"how long the answer took, in whole microseconds"`
	Status    Status    `json:"status,omitempty" doc:"how the call ended" enum:"ok,error,timeout,fallback"`
	DecidedBy DecidedBy `json:"decided_by,omitempty" doc:"who decided: the machine alone, or a person" enum:"automated,human"`
	Override  *Override `json:"override,omitempty" doc:"a person put another output in the place of the model's"`
	Flags     []string  `json:"flags,omitempty" doc:"short words that mark the record, each once" maxItems:"32"`

	RequestBody  *Body  `json:"request_body,omitempty" doc:"what was sent to the model, as it was; kept if a rule of the model says so"`
	ResponseBody *Body  `json:"response_body,omitempty" doc:"what came from the model, as it was; kept or not as the other"`
	BodyRule     string `json:"body_rule,omitempty" doc:"the rule by which the bodies were kept, or none if they were sent and not kept; set by the server" maxLength:"128"`

	Extra json.RawMessage `json:"extra,omitempty" doc:"what else was sent: a JSON object; unknown keys of the record are moved here"`
	Salt  Salt            `json:"salt,omitzero" doc:"16 random bytes that make the leaf unguessable; drawn by the server" pattern:"^[0-9a-f]{32}$"`
}

// Status is how a call ended.
type Status string

// The statuses. Empty is unknown.
const (
	OK       Status = "ok"
	Failed   Status = "error"
	TimedOut Status = "timeout"
	Fallback Status = "fallback" // something else answered in the place of the model
)

// DecidedBy is who decided.
type DecidedBy string

// Who decides. Empty is unknown.
const (
	Automated DecidedBy = "automated"
	Human     DecidedBy = "human"
)

// Override tells that a person put another output in the place of the model's.
type Override struct {
	By   string `json:"by" doc:"who, as a pseudonym" maxLength:"256"`
	From Value  `json:"from,omitzero" doc:"the output that was replaced"`
	Why  string `json:"why,omitempty" doc:"the reason" maxLength:"8192"`
}

// Feature is a value with its name.
type Feature struct {
	Name  string
	Value Value
}

// Features are values by name, in ascending order of the bytes of their names, each once. In JSON
// they are an object.
type Features []Feature

// NewFeatures returns the values of m in their order.
func NewFeatures(m map[string]Value) Features {
	f := make(Features, 0, len(m))
	for name, v := range m {
		f = append(f, Feature{name, v})
	}
	f.sort()
	return f
}

func (f Features) sort() {
	slices.SortFunc(f, func(a, b Feature) int { return strings.Compare(a.Name, b.Name) })
}

// Get returns the value of name, and whether there is one.
func (f Features) Get(name string) (Value, bool) {
	i, ok := slices.BinarySearchFunc(f, name, func(a Feature, name string) int { return strings.Compare(a.Name, name) })
	if !ok {
		return Value{}, false
	}
	return f[i].Value, true
}

// Complete gives r what its receiver owes it: a fresh salt, and an ID and a time if it has none.
// A salt that came with it does not stay, because its sender knows it.
func (r *Record) Complete(now time.Time) {
	if r.ID.IsZero() {
		r.ID = NewID(now)
	}
	if r.Time.IsZero() {
		r.Time = TimeOf(now)
	}
	rand.Read(r.Salt[:]) // never fails: crypto/rand crashes the program instead
}

// InputSum returns the hash that InputDigest writes in hexadecimal, false if there is none.
func (r *Record) InputSum() (sum [32]byte, ok bool) { return digestBytes(r.InputDigest) }

// Equal reports whether r and other are the same record.
func (r *Record) Equal(other *Record) bool {
	a, errA := r.Append(nil)
	b, errB := other.Append(nil)
	return errA == nil && errB == nil && string(a) == string(b)
}
