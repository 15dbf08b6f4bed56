package policy

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/tallystick/tallystick"
)

// ShadowResult is what another policy would have decided over recorded documents.
type ShadowResult struct {
	From      tallystick.Digest `json:"from"`       // policy in force
	To        tallystick.Digest `json:"to"`         // policy on trial
	Decisions int               `json:"decisions"`  // documents that were judged
	OtherTier int               `json:"other_tier"` // documents of models of another tier, left aside
	Opened    int               `json:"opened"`     // denials that would pass
	Shut      int               `json:"shut"`       // passes that would be denied
	Rules     []ShadowRule      `json:"rules"`      // those that come out otherwise, by id
	Examples  []ShadowExample   `json:"examples"`   // the first documents whose verdict flips
}

// ShadowRule is a rule that comes out otherwise in some documents.
type ShadowRule struct {
	ID      string         `json:"id"`
	Changed int            `json:"changed"` // documents
	Shifts  map[string]int `json:"shifts"`  // such as "pass > fail"; "none" where a policy has no such rule
}

// ShadowExample is a document whose verdict flips.
type ShadowExample struct {
	Input   tallystick.Digest  `json:"input_digest"`
	Model   string             `json:"model"`
	Version string             `json:"version"`
	Now     string             `json:"now"`
	From    tallystick.Verdict `json:"from"`
	To      tallystick.Verdict `json:"to"`
	Why     []string           `json:"why"` // the rules that come out otherwise, with their message
}

const maxExamples = 10

// Shadow judges recorded canonical documents by two packs of one tier and says what would be decided
// otherwise. Rules that are the same in both packs are asked only where the others cannot settle
// whether the verdict flips. Documents of another tier are counted and left aside.
func Shadow(ctx context.Context, from, to *Pack, inputs iter.Seq2[[]byte, error]) (ShadowResult, error) {
	if from.tier != to.tier {
		return ShadowResult{}, tallystick.Errorf(tallystick.Invalid, "a policy of tier %s is compared with one of tier %s", from.tier, to.tier)
	}
	result := ShadowResult{From: from.digest, To: to.digest, Rules: []ShadowRule{}, Examples: []ShadowExample{}}
	trial := newTrial(from, to)
	for canonical, err := range inputs {
		if err != nil {
			return ShadowResult{}, err
		}
		if len(canonical) > MaxInput {
			return ShadowResult{}, tooLarge(len(canonical))
		}
		f, err := parse(canonical)
		if err != nil {
			return ShadowResult{}, tallystick.Errorf(tallystick.Invalid, "recorded input %d: %w", result.Decisions+result.OtherTier+1, err)
		}
		model, _ := f.document["model"].(map[string]any)
		if model["tier"] != string(from.tier) {
			result.OtherTier++
			continue
		}
		result.Decisions++
		if err := trial.judge(ctx, f, &result); err != nil {
			return ShadowResult{}, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(trial.rules)) {
		result.Rules = append(result.Rules, *trial.rules[id])
	}
	return result, nil
}

// trial holds two packs side by side.
type trial struct {
	from, to *Pack
	differs  map[string]bool // rules that are not the same in both; the false ones are
	rules    map[string]*ShadowRule
	shared   map[tallystick.Digest]*ast.Term // what documents have in common
}

func newTrial(from, to *Pack) *trial {
	t := &trial{from: from, to: to, differs: map[string]bool{}, rules: map[string]*ShadowRule{}, shared: map[tallystick.Digest]*ast.Term{}}
	old, young := from.fingerprints(), to.fingerprints()
	for id := range old {
		t.differs[id] = young[id] != old[id]
	}
	for id := range young {
		t.differs[id] = young[id] != old[id]
	}
	return t
}

// judge compares what the two packs say to one document. The rules that are the same in both are asked once, and only if
// their answers can make the verdict flip.
func (t *trial) judge(ctx context.Context, f *facts, result *ShadowResult) error {
	f.shared = t.shared
	before, err := t.from.some(ctx, f, t.only(true))
	if err != nil {
		return err
	}
	after, err := t.to.some(ctx, f, t.only(true))
	if err != nil {
		return err
	}
	var why []string
	for id, differs := range t.differs {
		was, is := statusIn(before, id), statusIn(after, id)
		if !differs || was == is {
			continue
		}
		shift := was + " > " + is
		why = append(why, fmt.Sprintf("%s: %s. %s", id, shift, after[id].Message))
		rule := t.rules[id]
		if rule == nil {
			rule = &ShadowRule{ID: id, Shifts: map[string]int{}}
			t.rules[id] = rule
		}
		rule.Changed++
		rule.Shifts[shift]++
	}
	if denies(before) == denies(after) && lets(before) == lets(after) {
		return nil // whatever the others say, both verdicts are the same
	}
	others, err := t.from.some(ctx, f, t.only(false))
	if err != nil {
		return err
	}
	old, young := verdictOf(before, others), verdictOf(after, others)
	if old == young {
		return nil
	}
	if young == tallystick.Pass {
		result.Opened++
	} else {
		result.Shut++
	}
	if len(result.Examples) < maxExamples {
		slices.Sort(why)
		model, _ := f.document["model"].(map[string]any)
		name, _ := model["name"].(string)
		version, _ := model["version"].(string)
		now, _ := f.document["now"].(string)
		result.Examples = append(result.Examples, ShadowExample{f.digest, name, version, now, old, young, why})
	}
	return nil
}

// only chooses the rules that differ, or those that do not.
func (t *trial) only(differs bool) func(id string) bool {
	return func(id string) bool { return t.differs[id] == differs }
}

// verdictOf is the verdict of rules of which each is in one of the two.
func verdictOf(some, others map[string]Rule) tallystick.Verdict {
	return verdict(slices.AppendSeq(slices.Collect(maps.Values(some)), maps.Values(others)))
}

// some returns the rows of the chosen rules, by id.
func (p *Pack) some(ctx context.Context, f *facts, chosen func(id string) bool) (map[string]Rule, error) {
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	rows := make(map[string]Rule, len(p.rules))
	wrong := conform(f, p.tier)
	var asked []int
	for i, rule := range p.rules {
		if !chosen(rule.ID) {
			continue
		}
		row := p.row(rule)
		switch {
		case wrong != "":
			misshapen(&row, wrong)
		case !p.settled(&row, rule, f.document):
			asked = append(asked, i)
			continue
		}
		rows[rule.ID] = row
	}
	answers := make([]answer, len(p.rules))
	p.ask(ctx, f, asked, nil, answers) // past decisions are of days far apart: to find what is the same costs more than to ask
	for _, i := range asked {
		row := p.row(p.rules[i])
		answers[i].put(&row)
		waive(&row, p.rules[i], f)
		rows[row.ID] = row
	}
	if err := ctx.Err(); err != nil {
		return nil, tallystick.Errorf(tallystick.Unavailable, "judge by %s: %w", p.name, err)
	}
	return rows, nil
}

func statusIn(rows map[string]Rule, id string) string {
	row, there := rows[id]
	switch {
	case !there:
		return "none"
	case !row.Blocking && row.Status != Skip:
		return string(row.Status) + " (not blocking)"
	}
	return string(row.Status)
}

func denies(rows map[string]Rule) bool {
	for _, row := range rows {
		if row.Denies() {
			return true
		}
	}
	return false
}

func lets(rows map[string]Rule) bool {
	for _, row := range rows {
		if slices.Contains(letting, row.Status) {
			return true
		}
	}
	return false
}
