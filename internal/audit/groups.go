package audit

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
)

// fair compares the groups of a binary task. It returns nil where no group was named.
func (r *rows) fair(p *plan, limits fairness.Limits) (*fairness.Fairness, error) {
	if len(p.groups) == 0 || r.task != performance.Binary {
		return nil, nil
	}
	attributes := make([]fairness.Attribute, len(p.groups))
	for i, g := range p.groups {
		attributes[i] = g.attribute
	}
	counter, err := fairness.NewCounter(attributes)
	if err != nil {
		return nil, err
	}
	codes := make([]uint32, len(p.groups))
	for row := range r.n {
		if r.predicted[row] == notPredicted {
			continue
		}
		for i := range codes {
			codes[i] = uint32(r.group[i][row])
		}
		counter.Add(r.truth[row], r.predicted[row] == predictedPositive, codes)
	}
	f := counter.Result(fairness.Config{FavourablePositive: p.Favourable == "positive", Limits: limits, Terms: p.terms()})
	return f, r.rankGroups(p, f)
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

// rankGroups adds the ROC AUC of each value of each attribute.
func (r *rows) rankGroups(p *plan, f *fairness.Fairness) error {
	return r.eachGroup(p, func(attribute, value string, scores performance.Scores) {
		for i := range f.Groups {
			if g := &f.Groups[i]; g.Attribute == attribute && g.Value == value {
				auc := scores.ROCAUC()
				g.ROCAUC, g.ROCAUCCI = stat.Number(auc.Value), auc.Interval
			}
		}
	})
}

// calibrateGroups adds the calibration of each value of each attribute.
func (r *rows) calibrateGroups(p *plan, c *performance.Calibration) error {
	if c == nil || c.Skipped != "" || r.task != performance.Binary {
		return nil
	}
	return r.eachGroup(p, func(attribute, value string, scores performance.Scores) {
		c.Groups = append(c.Groups, performance.Within(attribute, value, scores))
	})
}

// minGroupScores is the number of scores from which a group is ranked or calibrated on its own.
const minGroupScores = 30

func (r *rows) eachGroup(p *plan, do func(attribute, value string, scores performance.Scores)) error {
	for i, g := range p.groups {
		parts := r.split(len(g.attribute.Values), func(row int64) int32 { return int32(r.group[i][row]) })
		for value, part := range parts {
			if len(part.scores) < minGroupScores {
				continue
			}
			scores, _, err := part.scored(p.probability)
			if err != nil {
				return err
			}
			do(g.attribute.Name, g.attribute.Values[value], *scores)
		}
	}
	return nil
}
