package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/tallystick/tallystick"
)

// InputSchema identifies the form of the document that the gate judges.
const InputSchema = "https://github.com/tallystick/tallystick/schema/gate-input/v1"

// MaxInput is the largest document, in bytes of JSON, that the gate judges.
const MaxInput = 32 << 20

// Input is the document that the gate judges: facts only, never somebody's own verdict about
// itself. Every field is there even where it is null, because a field that is missing denies.
type Input struct {
	Schema      string    `json:"schema"` // InputSchema, set when it is written
	Now         time.Time `json:"now"`    // set by Evaluate
	Model       Model     `json:"model"`
	Environment *string   `json:"environment"` // where the version would serve; null for an audit alone
	Release     *Release  `json:"release"`     // what is to be released; null for an audit alone
	Report      any       `json:"report"`      // what Facts returned; null: no audit of the version is on record
	Limits      any       `json:"limits"`      // those of the contract, or defaults, with their origin
	Criteria    any       `json:"criteria"`    // whether and when thresholds were committed
	Champion    any       `json:"champion"`    // performance against the version in use, or null
	Waivers     []Waiver  `json:"waivers"`
	Freeze      []Freeze  `json:"freeze"` // those in force
}

// MarshalJSON sets the schema and writes no waivers and no freeze as empty lists.
func (in Input) MarshalJSON() ([]byte, error) {
	type plain Input
	in.Schema = InputSchema
	in.Freeze = listed(in.Freeze)
	in.Waivers = clean(in.Waivers, func(w *Waiver) { w.ApprovedBy = listed(w.ApprovedBy) })
	return json.Marshal(plain(in))
}

// Model says whose version is judged. The tier must be that of the pack.
type Model struct {
	Name    string          `json:"name"`
	Version string          `json:"version"`
	Owner   string          `json:"owner"`
	Tier    tallystick.Tier `json:"tier"`
}

// fields are the top-level fields that a document must have, and of which kind.
var fields = []struct {
	name     string
	kind     string
	nullable bool
	ofAudit  bool // null too where there is no report
}{
	{"schema", "string", false, false},
	{"now", "string", false, false},
	{"model", "object", false, false},
	{"environment", "string", true, false},
	{"release", "object", true, false},
	{"report", "object", true, false},
	{"limits", "object", false, true},
	{"criteria", "object", false, true},
	{"champion", "object", true, false},
	{"waivers", "array", false, false},
	{"freeze", "array", false, false},
}

// Facts returns report as the gate sees it: as JSON without the gate's own verdict and the
// summary, which are made from it, and without the points of curves and the bins of charts, which
// no rule reads and which are most of the bytes.
func Facts(report any) (map[string]any, error) {
	data, err := json.Marshal(report)
	if err != nil {
		return nil, fmt.Errorf("encode report for the gate: %w", err)
	}
	facts, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("encode report for the gate: %w", err)
	}
	delete(facts, "gate")
	delete(facts, "summary")
	prune(facts)
	return facts, nil
}

var chartFields = []string{"bins", "roc_curve", "pr_curve"}

func prune(value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range chartFields {
			delete(v, name)
		}
		for _, child := range v {
			prune(child)
		}
	case []any:
		for _, child := range v {
			prune(child)
		}
	}
}

// Canonical returns the bytes that Evaluate judges and whose digest the decision carries: input
// as RFC 8785 JSON with now as its time.
func Canonical(input any, now time.Time) ([]byte, error) {
	data, err := json.Marshal(input)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "gate input is not JSON: %w", err)
	}
	if len(data) > MaxInput {
		return nil, tallystick.Errorf(tallystick.Invalid, "gate input has %d bytes, more than %d", len(data), MaxInput).
			WithHint("audit fewer columns or windows at once: --features COL,... or a longer --window")
	}
	document, err := decode(data)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "gate input is not a JSON object: %w", err)
	}
	document["now"] = now.UTC().Format(time.RFC3339Nano)
	if data, err = json.Marshal(document); err != nil {
		return nil, fmt.Errorf("encode gate input: %w", err)
	}
	canonical, err := jcs.Transform(data)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "gate input has no canonical form: %w", err)
	}
	return canonical, nil
}

func decode(data []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if document == nil {
		return nil, fmt.Errorf("it is null")
	}
	return document, nil
}

// conform returns why document cannot be judged at all, or "". This is the layer below the rules:
// Rego takes a missing field for undefined, and a rule that only looks for something bad would
// then find nothing.
func conform(document map[string]any, tier tallystick.Tier) string {
	var wrong []string
	for _, field := range fields {
		value, there := document[field.name]
		switch {
		case !there:
			wrong = append(wrong, field.name+" is missing")
		case value == nil && (field.nullable || field.ofAudit && document["report"] == nil):
		case kindOf(value) != field.kind:
			wrong = append(wrong, fmt.Sprintf("%s is %s and not %s", field.name, kindOf(value), field.kind))
		}
	}
	if schema, ok := document["schema"].(string); ok && schema != InputSchema {
		wrong = append(wrong, fmt.Sprintf("schema is %q and not %q", schema, InputSchema))
	}
	if model, ok := document["model"].(map[string]any); ok && model["tier"] != string(tier) {
		wrong = append(wrong, fmt.Sprintf("model.tier is %v but the policy was loaded for %s", model["tier"], tier))
	}
	slices.Sort(wrong)
	return strings.Join(wrong, "; ")
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	default:
		return "object"
	}
}

// parse returns canonical JSON as the engine's value, which all rules share.
func parse(canonical []byte) (ast.Value, map[string]any, error) {
	document, err := decode(canonical)
	if err != nil {
		return nil, nil, err
	}
	value, err := ast.InterfaceToValue(document)
	if err != nil {
		return nil, nil, err
	}
	return value, document, nil
}
