package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
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
		return nil, tooLarge(len(data))
	}
	document, err := decode(data)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "gate input is not a JSON object: %w", err)
	}
	document["now"] = now.UTC().Format(time.RFC3339Nano)
	canonical, err := verify.Canonical(document)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "gate input has no canonical form: %w", err)
	}
	return canonical, nil
}

func tooLarge(size int) error {
	return tallystick.Errorf(tallystick.Invalid, "gate input has %d bytes, more than %d", size, MaxInput).
		WithHint("audit fewer columns or windows at once: --features COL,... or a longer --window")
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
