package evidence

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// GateVerifier is the identity of the gate in simple verification results.
const GateVerifier = "https://github.com/tallystick/tallystick/verifier/gate/v1"

// The results of a test, as in-toto spells them.
const (
	ResultPassed = "PASSED"
	ResultWarned = "WARNED"
	ResultFailed = "FAILED"
)

// TestResult is the predicate of in-toto test-result v0.1: one run of one suite of checks.
type TestResult struct {
	Result        string                      `json:"result"`        // ResultPassed, ResultWarned or ResultFailed
	Configuration []verify.ResourceDescriptor `json:"configuration"` // what the checks were run with
	PassedTests   []string                    `json:"passedTests"`
	WarnedTests   []string                    `json:"warnedTests"`
	FailedTests   []string                    `json:"failedTests"`
}

// NewTestResult sums verdicts up by the names of their tests, in the order given. in-toto knows
// three results: whatever neither passed nor warned has failed, an inconclusive test too.
func NewTestResult(configuration []verify.ResourceDescriptor, tests []Test) TestResult {
	r := TestResult{
		Result: ResultPassed, Configuration: append([]verify.ResourceDescriptor{}, configuration...),
		PassedTests: []string{}, WarnedTests: []string{}, FailedTests: []string{},
	}
	for _, t := range tests {
		switch t.Verdict {
		case tallystick.Pass:
			r.PassedTests = append(r.PassedTests, t.Name)
		case tallystick.Warn:
			r.WarnedTests = append(r.WarnedTests, t.Name)
		default:
			r.FailedTests = append(r.FailedTests, t.Name)
		}
	}
	switch {
	case len(r.FailedTests) > 0 || len(tests) == 0:
		r.Result = ResultFailed
	case len(r.WarnedTests) > 0:
		r.Result = ResultWarned
	}
	return r
}

// Test is the verdict of one named test.
type Test struct {
	Name    string
	Verdict tallystick.Verdict
}

// Statement returns the statement that r holds of the subjects.
func (r TestResult) Statement(subjects ...verify.ResourceDescriptor) (verify.Statement, error) {
	return verify.NewStatement(verify.PredicateTestResult, r, subjects...)
}

// VerificationResult is the predicate of in-toto svr v0.2: what a verifier found to hold.
type VerificationResult struct {
	Verifier    Verifier `json:"verifier"`
	TimeCreated string   `json:"timeCreated"` // RFC 3339
	Properties  []string `json:"properties"`  // only what passed
}

// Verifier says who verified, by which policies.
type Verifier struct {
	ID       string                      `json:"id"`
	Policies []verify.ResourceDescriptor `json:"policies,omitempty"`
}

// Gate is the predicate of a gate decision: everything that is needed to take it again.
type Gate struct {
	Verdict     tallystick.Verdict `json:"verdict"`
	Tier        tallystick.Tier    `json:"tier"`
	Decided     string             `json:"decided"` // RFC 3339
	Engine      string             `json:"engine"`  // name and version
	Pack        string             `json:"pack"`
	Policy      tallystick.Digest  `json:"policy_digest"`
	Input       tallystick.Digest  `json:"input_digest"`
	Rules       []GateRule         `json:"rules"`
	PolicyIsOwn bool               `json:"custom_policy"` // not a pack that Tallystick carries
}

// GateRule is the row of one rule.
type GateRule struct {
	ID       string   `json:"id"`
	Severity string   `json:"severity"`
	Blocking bool     `json:"blocking"`
	Status   string   `json:"status"`
	Message  string   `json:"message"`
	Controls []string `json:"controls"`
}

// Statement returns the statement that the gate decided so about the subjects.
func (g Gate) Statement(subjects ...verify.ResourceDescriptor) (verify.Statement, error) {
	if err := g.Verdict.Validate(); err != nil {
		return verify.Statement{}, fmt.Errorf("gate decision: %w", err)
	}
	if g.Rules == nil {
		g.Rules = []GateRule{}
	}
	return verify.NewStatement(verify.PredicateGate, g, subjects...)
}

// VerificationResult returns what the decision comes to for those who know only in-toto: the rules
// that passed and, if it did, the gate itself.
func (g Gate) VerificationResult() VerificationResult {
	r := VerificationResult{
		Verifier: Verifier{ID: GateVerifier, Policies: []verify.ResourceDescriptor{
			verify.Resource(g.Pack, g.Policy),
		}},
		TimeCreated: g.Decided, Properties: []string{},
	}
	if g.Verdict == tallystick.Pass {
		r.Properties = append(r.Properties, "TALLYSTICK_GATE_PASSED")
	}
	for _, rule := range g.Rules {
		if rule.Status == string(tallystick.Pass) {
			r.Properties = append(r.Properties, "TALLYSTICK_RULE_PASSED:"+rule.ID)
		}
	}
	return r
}

// Statement returns the statement that r holds of the subjects.
func (r VerificationResult) Statement(subjects ...verify.ResourceDescriptor) (verify.Statement, error) {
	return verify.NewStatement(verify.PredicateSVR, r, subjects...)
}

// Report is the predicate of a report: which audit it is the report of. The report's files are
// subjects of the statement, named as in the bundle.
type Report struct {
	Model   string             `json:"model"`
	Version string             `json:"version"`
	Verdict tallystick.Verdict `json:"verdict"`
	Data    tallystick.Digest  `json:"data_digest"`
	Created string             `json:"created"` // RFC 3339
	Program string             `json:"program"` // name and version of what wrote it
}

// Statement returns the statement that the files are the report r.
func (r Report) Statement(files ...verify.File) (verify.Statement, error) {
	subjects := make([]verify.ResourceDescriptor, len(files))
	for i, f := range files {
		subjects[i] = verify.Resource(f.Name, tallystick.DigestOf(f.Data))
	}
	return verify.NewStatement(verify.PredicateReport, r, subjects...)
}

// Timestamp returns t as predicates write it: RFC 3339 in UTC with milliseconds.
func Timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
