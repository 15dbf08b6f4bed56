// Package policy decides whether a version may be released: Rego packs per risk tier, evaluated
// over one input document of facts, with one row for every rule and a denial for everything that
// is undefined, wrong or missing.
package policy

import (
	"slices"

	"github.com/tallystick/tallystick"
)

// Status is how one rule came out. Only Pass, Warn and Waived let a blocking rule through.
type Status string

// The statuses. The last two come from intervals that cross a limit and from too little data.
const (
	Pass         Status = "pass"
	Warn         Status = "warn"
	Waived       Status = "waived"
	Fail         Status = "fail"
	Error        Status = "error"
	Skip         Status = "skip"
	Inconclusive Status = "inconclusive"
	Insufficient Status = "insufficient"
)

// Rule is the row of one rule in a decision. Every rule of the pack has one.
type Rule struct {
	ID       string `json:"id"` // stable, e.g. fairness.error-rates
	Title    string `json:"title"`
	Severity string `json:"severity"` // critical, high, medium or low
	Blocking bool   `json:"blocking"`
	Status   Status `json:"status"`
	Message  string `json:"message"` // what was found, in words that name figures and intervals
	// Details are further sentences, one for each group, column or window concerned.
	Details     []string `json:"details,omitempty"`
	Evidence    []string `json:"evidence"`              // JSON pointers into the report, or digests
	Controls    []string `json:"controls"`              // ids of the control catalogue
	Remediation string   `json:"remediation,omitempty"` // what to do, with the command that does it
}

// letting are the statuses with which a blocking rule lets a release through.
var letting = []Status{Pass, Warn, Waived}

// Denies reports whether the rule keeps the gate shut.
func (r Rule) Denies() bool {
	return r.Blocking && !slices.Contains(letting, r.Status)
}

// Decision is the answer of the gate. The same engine over the same input and policy gives it
// again, bit for bit.
type Decision struct {
	Verdict  tallystick.Verdict `json:"verdict"` // pass or fail
	Words    string             `json:"words"`   // one sentence
	Rules    []Rule             `json:"rules"`
	Pack     string             `json:"pack"` // name of the pack
	Policy   tallystick.Digest  `json:"policy_digest"`
	Input    tallystick.Digest  `json:"input_digest"`
	Engine   string             `json:"engine"` // name and version
	Tier     tallystick.Tier    `json:"tier"`
	Modified bool               `json:"custom_policy"` // not the pack that this binary carries
}
