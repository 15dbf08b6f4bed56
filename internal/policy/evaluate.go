package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/version"
	"github.com/tallystick/tallystick"
)

// engineName and the version of the engine are part of a decision: the same engine replays it.
const engineName = "opa "

// What one evaluation may cost. Steps are counted, so that a rule that takes too many is refused
// on every machine alike; the deadline is for builtins that take long in one step.
const (
	maxSteps    = 5_000_000 // expressions of one rule
	maxDuration = 30 * time.Second
	maxDetails  = 100
	maxWords    = 2000 // bytes of one sentence
)

// outcome is what the result of a rule must be.
type outcome struct {
	Status      Status   `json:"status"`
	Message     string   `json:"message"`
	Details     []string `json:"details"`
	Evidence    []string `json:"evidence"`
	Remediation string   `json:"remediation"`
	Applies     *bool    `json:"applies"` // false: nothing to judge; the row does not block
}

// Evaluate judges input, which must be of the form of Input, at the time now. The decision holds
// one row for every rule. A rule that is undefined or ends in an error and a document that lacks
// a field are denials with a reason. An error means that there is no decision: input is no JSON
// object or too large, or ctx ended, after which a decision would depend on the clock.
func (p *Pack) Evaluate(ctx context.Context, input any, now time.Time) (Decision, error) {
	canonical, err := Canonical(input, now)
	if err != nil {
		return Decision{}, err
	}
	value, document, err := parse(canonical)
	if err != nil {
		return Decision{}, fmt.Errorf("parse gate input: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	wrong := conform(document, p.tier)
	rows := make([]Rule, 0, len(p.rules)+len(p.dropped))
	for _, rule := range p.rules {
		row := p.row(rule)
		switch {
		case wrong != "":
			fault(&row, "The input document cannot be judged: "+wrong+".")
		case without(&row, rule, document):
		default:
			p.judge(ctx, rule, value, &row)
		}
		if rule.Waivable {
			waive(&row, document, now)
		}
		if err := ctx.Err(); err != nil {
			return Decision{}, tallystick.Errorf(tallystick.Unavailable, "judge rule %s: %w", rule.ID, err).
				WithHint("nothing was decided; run the audit again")
		}
		rows = append(rows, row)
	}
	for _, rule := range p.dropped {
		row := p.row(rule)
		row.Status, row.Blocking = Skip, false
		row.Message = "The custom policy leaves this built-in rule out."
		rows = append(rows, row)
	}
	decision := Decision{
		Rules: rows, Pack: p.name, Policy: p.digest, Input: tallystick.DigestOf(canonical),
		Engine: engineName + version.Version, Tier: p.tier, Modified: p.custom,
	}
	decision.Verdict = verdict(rows)
	decision.Words = p.words(decision)
	return decision, nil
}

func (p *Pack) row(rule Definition) Rule {
	return Rule{
		ID: rule.ID, Title: rule.Title, Severity: rule.Severity, Blocking: rule.Blocks(p.tier),
		Evidence: []string{}, Controls: slices.Concat([]string{}, rule.Controls), Remediation: rule.Remediation,
	}
}

// without settles the row of a rule whose subject is not there, and reports whether it is so.
func without(row *Rule, rule Definition, document map[string]any) bool {
	switch {
	case rule.About == AboutRelease && document["release"] == nil:
		row.Status, row.Blocking, row.Remediation = Skip, false, ""
		row.Message = "An audit alone: nothing is to be released."
	case rule.About == AboutAudit && document["report"] == nil:
		model, _ := document["model"].(map[string]any)
		row.Status = Insufficient
		row.Message = "No audit of this version is on record."
		row.Remediation = fmt.Sprintf("Run `tallystick audit FILE --model %v --version %v --tier %v` on predictions of the version.",
			model["name"], model["version"], model["tier"])
	default:
		return false
	}
	return true
}

// fault marks row as a rule that came to no result.
func fault(row *Rule, message string) {
	row.Status = Error
	row.Message = message
	row.Remediation = "Run `tallystick policy explain --trace` on this input to see where the rule ended, and `tallystick audit` again once it is repaired."
}

// judge fills row with the result of rule.
func (p *Pack) judge(ctx context.Context, rule Definition, input ast.Value, row *Rule, options ...rego.EvalOption) {
	limit := &steps{}
	defer context.AfterFunc(ctx, limit.Cancel)()
	options = append(options, rego.EvalParsedInput(input), rego.EvalExternalCancel(limit), rego.EvalSortSets(true))
	results, err := rule.query.Eval(ctx, options...)
	switch {
	case limit.spent():
		fault(row, fmt.Sprintf("The rule took more than %d steps.", maxSteps))
		return
	case err != nil:
		fault(row, sentence("The rule ended in an error: "+oneLine(err)))
		return
	case len(results) != 1 || len(results[0].Expressions) != 1:
		fault(row, "The rule has no result for this input: a fact that it needs is missing.")
		return
	}
	o, err := readOutcome(results[0].Expressions[0].Value)
	if err != nil {
		fault(row, sentence("The rule's result does not keep the contract: "+err.Error()))
		return
	}
	row.Status, row.Message = o.Status, clip(o.Message)
	row.Details = clipAll(o.Details)
	row.Evidence = append(row.Evidence, clipAll(o.Evidence)...)
	if o.Remediation != "" {
		row.Remediation = clip(o.Remediation)
	}
	if o.Applies != nil && !*o.Applies {
		row.Blocking = false
	}
	if row.Status == Pass || row.Status == Skip && o.Remediation == "" {
		row.Remediation = ""
	}
}

// ruleStatuses are those that a rule may give itself. Errors and waivers are the gate's.
var ruleStatuses = []Status{Pass, Warn, Fail, Skip, Inconclusive, Insufficient}

func readOutcome(value any) (outcome, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return outcome{}, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var o outcome
	if err := decoder.Decode(&o); err != nil {
		return outcome{}, err
	}
	switch applies := o.Applies == nil || *o.Applies; {
	case !slices.Contains(ruleStatuses, o.Status):
		return outcome{}, fmt.Errorf("status %q is not one that a rule can have", o.Status)
	case o.Message == "":
		return outcome{}, errors.New("it has no message")
	case !applies && o.Status != Skip:
		return outcome{}, fmt.Errorf("a rule that does not apply has the status skip and not %s", o.Status)
	}
	return o, nil
}

// verdict is pass if every blocking rule is pass, warn or waived and at least one rule is.
func verdict(rows []Rule) tallystick.Verdict {
	for _, row := range rows {
		if row.Denies() {
			return tallystick.Fail
		}
	}
	if !slices.ContainsFunc(rows, func(r Rule) bool { return slices.Contains(letting, r.Status) }) {
		return tallystick.Fail
	}
	return tallystick.Pass
}

func (p *Pack) words(d Decision) string {
	var denying, warning, waived []string
	for _, row := range d.Rules {
		switch {
		case row.Denies():
			denying = append(denying, fmt.Sprintf("%s (%s)", row.ID, row.Status))
		case row.Status == Waived:
			waived = append(waived, row.ID)
		case row.Status != Pass && row.Status != Skip:
			warning = append(warning, row.ID)
		}
	}
	var s strings.Builder
	switch {
	case len(denying) > 0:
		verb := "keep"
		if len(denying) == 1 {
			verb = "keeps"
		}
		fmt.Fprintf(&s, "The gate denies: %d of %d rules %s it shut: %s", len(denying), len(d.Rules), verb, strings.Join(denying, ", "))
	case d.Verdict == tallystick.Fail:
		s.WriteString("The gate denies: no rule found anything that it could judge")
	default:
		fmt.Fprintf(&s, "The gate passes at tier %s", p.tier)
	}
	if len(warning) > 0 {
		fmt.Fprintf(&s, "; look at %s", strings.Join(warning, ", "))
	}
	if len(waived) > 0 {
		fmt.Fprintf(&s, "; waived: %s", strings.Join(waived, ", "))
	}
	if len(p.dropped) > 0 {
		fmt.Fprintf(&s, "; the custom policy leaves out %d built-in rules", len(p.dropped))
	}
	if len(p.changed) > 0 {
		fmt.Fprintf(&s, "; the custom policy changes settings: %s", strings.Join(p.changed, ", "))
	}
	return s.String() + "."
}

// steps stops a rule after maxSteps expressions: the engine asks before each whether it is
// cancelled.
type steps struct {
	taken     atomic.Int64
	cancelled atomic.Bool
}

func (s *steps) Cancel() { s.cancelled.Store(true) }

func (s *steps) Cancelled() bool { return s.taken.Add(1) > maxSteps || s.cancelled.Load() }

func (s *steps) spent() bool { return s.taken.Load() > maxSteps }

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// sentence ends text with a full stop.
func sentence(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// clip bounds one sentence without cutting a character in two.
func clip(text string) string {
	if len(text) <= maxWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxWords], "") + " …"
}

// clipAll bounds a list of sentences and says how many were left out.
func clipAll(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	kept := make([]string, 0, min(len(list), maxDetails+1))
	for _, text := range list[:min(len(list), maxDetails)] {
		kept = append(kept, clip(text))
	}
	if more := len(list) - len(kept); more > 0 {
		kept = append(kept, fmt.Sprintf("and %d more", more))
	}
	return kept
}
