package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/version"
	"github.com/tallystick/tallystick"
)

// engineName and the version of the engine are part of a decision: the same engine replays it.
const engineName = "opa "

// Evaluate judges input, which must be of the form of Input, at the time now. The decision holds
// one row for every rule. A rule that is undefined or ends in an error and a document that lacks
// a field are denials with a reason. An error means that there is no decision: input is no JSON
// object or too large, or ctx ended, after which a decision would depend on the clock.
func (p *Pack) Evaluate(ctx context.Context, input any, now time.Time) (Decision, error) {
	if in, typed := input.(Input); typed {
		d, err := Prepare(in, now)
		if err != nil {
			return Decision{}, err
		}
		return p.Judge(ctx, d)
	}
	canonical, err := Canonical(input, now)
	if err != nil {
		return Decision{}, err
	}
	return p.Replay(ctx, canonical)
}

// Replay judges a document again whose canonical bytes were recorded, at the time that it carries.
// With the policy and engine of a decision it gives the same decision, byte for byte.
func (p *Pack) Replay(ctx context.Context, canonical []byte) (Decision, error) {
	if len(canonical) > MaxInput {
		return Decision{}, tooLarge(len(canonical))
	}
	facts, err := parse(canonical)
	if err != nil {
		return Decision{}, tallystick.Errorf(tallystick.Invalid, "gate input: %w", err)
	}
	return p.decide(ctx, facts)
}

// decide judges one document.
func (p *Pack) decide(ctx context.Context, f *facts) (Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	rows := make([]Rule, 0, len(p.rules)+len(p.dropped))
	wrong := conform(f, p.tier)
	answers := p.answers(ctx, f, wrong == "")
	asked := 0
	for i, rule := range p.rules {
		row := p.row(rule)
		switch {
		case wrong != "":
			misshapen(&row, wrong)
		case p.settled(&row, rule, f.document):
		default:
			answers[i].put(&row)
			waive(&row, rule, f)
		}
		if row.Blocking || row.Status != Skip {
			asked++
		}
		rows = append(rows, row)
	}
	if err := ctx.Err(); err != nil {
		return Decision{}, tallystick.Errorf(tallystick.Unavailable, "judge %s: %w", p.name, err).
			WithHint("nothing was decided; ask again")
	}
	for _, rule := range p.dropped {
		row := p.row(rule)
		row.Status, row.Blocking = Skip, false
		row.Message = "The custom policy leaves this built-in rule out."
		rows = append(rows, row)
	}
	decision := Decision{
		Rules: rows, Pack: p.name, Policy: p.digest, Input: f.digest,
		Engine: engineName + version.Version, Tier: p.tier, Modified: p.custom,
	}
	decision.Verdict = verdict(rows)
	decision.Words = p.words(decision, asked)
	return decision, nil
}

// answers asks the rules that are not settled without an answer, those about an audit and those about a release apart.
func (p *Pack) answers(ctx context.Context, f *facts, judged bool) []answer {
	answers := make([]answer, len(p.rules))
	for _, about := range []string{AboutAudit, AboutRelease} {
		var asked []int
		for i, rule := range p.rules {
			if judged && rule.About == about && !p.settled(&Rule{}, rule, f.document) {
				asked = append(asked, i)
			}
		}
		p.ask(ctx, f, asked, p.times(ctx, f, asked), answers)
	}
	return answers
}

func (p *Pack) row(rule Definition) Rule {
	return Rule{
		ID: rule.ID, Title: rule.Title, Severity: rule.Severity, Blocking: rule.Blocks(p.tier),
		Evidence: []string{}, Controls: slices.Concat([]string{}, rule.Controls), Remediation: rule.Remediation,
	}
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

// misshapen fills the row of a rule that cannot be asked, because the document is not of the form
// that it should have.
func misshapen(row *Rule, wrong string) {
	fault(row, "The input document cannot be judged: "+wrong+".")
}

// words sums the decision up; asked is how many rules had something to judge.
func (p *Pack) words(d Decision, asked int) string {
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
		fmt.Fprintf(&s, "The gate denies: %d of %d rules %s it shut: %s", len(denying), asked, verb, strings.Join(denying, ", "))
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
