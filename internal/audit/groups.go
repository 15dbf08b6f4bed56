package audit

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
)

// fair compares the groups of a binary task. It returns nil where no group was named.
func (r *rows) fair(p *plan, limits fairness.Limits) *fairness.Fairness {
	if r.fairness == nil {
		return nil
	}
	return r.fairness.Result(fairness.Config{FavourablePositive: p.Favourable == "positive", Limits: limits, Terms: p.terms()})
}

// terms are the words of this data.
func (p *plan) terms() fairness.Terms {
	t := fairness.Terms{
		PositiveLabel: fmt.Sprintf("%s = %s", p.Label, p.PositiveLabel),
		NegativeLabel: fmt.Sprintf("%s other than %s", p.Label, p.PositiveLabel),
		Positive:      "predicted " + strings.Join(p.Positive, " or "),
		Negative:      "predicted other than " + strings.Join(p.Positive, " or "),
	}
	if p.fromScore > 0 {
		t.Positive = fmt.Sprintf("scored %g or more", p.fromScore)
		t.Negative = fmt.Sprintf("scored less than %g", p.fromScore)
	}
	return t
}

// minGroupScores is the number of scores from which a group is ranked or calibrated on its own.
const minGroupScores = 30

// scoreGroups adds the ROC AUC of each value of each attribute, and its calibration where
// probabilities are calibrated at all.
func (r *rows) scoreGroups(p *plan, f *fairness.Fairness, c *performance.Calibration) error {
	for i, d := range r.byGroup {
		parts, err := r.parts(d)
		if err != nil {
			return err
		}
		attribute := p.groups[i].attribute
		for value, part := range parts {
			b, ok := part.(*binaryPart)
			if !ok || b.scores == nil || b.scores.N() < minGroupScores {
				continue
			}
			for k := range f.Groups {
				if g := &f.Groups[k]; g.Attribute == attribute.Name && g.Value == attribute.Values[value] {
					auc := b.scores.ROCAUC()
					g.ROCAUC, g.ROCAUCCI = stat.Number(auc.Value), auc.Interval
				}
			}
			if c != nil && c.Skipped == "" {
				c.Groups = append(c.Groups, performance.Within(attribute.Name, attribute.Values[value], b.scores))
			}
		}
		d.parts = nil // the scores of one attribute at a time
	}
	return nil
}
