package audit

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
)

// judge asks the gate and puts its decision, and the summary that follows from it, into doc. It
// returns the canonical input document, from which the same engine takes the same decision again.
func judge(ctx context.Context, cfg Config, doc *report.Document, pack *policy.Pack) ([]byte, error) {
	input, err := gateInput(cfg, doc)
	if err != nil {
		return nil, err
	}
	now := cfg.Now()
	if doc.Gate, err = pack.Evaluate(ctx, input, now); err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	doc.Summary = report.Summarise(doc)
	return policy.Canonical(input, now)
}

func gateInput(cfg Config, doc *report.Document) (policy.Input, error) {
	facts, err := policy.Facts(doc)
	if err != nil {
		return policy.Input{}, err
	}
	in := policy.Input{
		Schema: policy.InputSchema,
		Model:  policy.Model{Name: doc.Model.Name, Version: doc.Model.Version, Owner: doc.Model.Owner, Tier: doc.Model.Tier},
		Report: facts, Limits: contract.Limits{}, Criteria: doc.Criteria, Waivers: []policy.Waiver{},
	}
	if cfg.Contract != nil {
		in.Limits = cfg.Contract.Limits
	}
	if doc.Baseline != nil && doc.Baseline.Source == "champion" {
		in.Champion = doc.Baseline
	}
	return in, nil
}

const criteriaLimit = "The trail shows when thresholds were fixed and when this workspace first audited the data. It cannot show that nobody looked at the data elsewhere before."

// criteria says whether the thresholds of the contract were fixed before the data was first
// audited in this workspace.
func criteria(ctx context.Context, cat *catalog.Catalog, c *contract.Contract, data tallystick.Digest) (report.Criteria, error) {
	first, err := cat.FirstEvaluation(ctx, data)
	if err != nil {
		return report.Criteria{}, err
	}
	result := report.Criteria{FirstAudit: first}
	if c == nil {
		result.Words = "No thresholds were stated. " + criteriaLimit
		return result, nil
	}
	result.Digest = c.Digest()
	committed, err := cat.Criteria(ctx, c.Digest())
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		result.Words = "The thresholds of this audit were not put on the trail before it. " + criteriaLimit
		return result, nil
	case err != nil:
		return report.Criteria{}, err
	}
	result.Committed, result.EventID, result.Sequence, result.At = true, committed.EventID, committed.Sequence, &committed.At
	result.Before = first == 0 || committed.Sequence < first
	when := committed.At.Format("2006-01-02 15:04 MST")
	if result.Before {
		result.Words = fmt.Sprintf("The thresholds were fixed on %s (event %d), before the first audit of this data. %s", when, committed.Sequence, criteriaLimit)
	} else {
		result.Words = fmt.Sprintf("The thresholds were fixed on %s (event %d), but this data had been audited before (event %d). %s", when, committed.Sequence, first, criteriaLimit)
	}
	return result, nil
}
