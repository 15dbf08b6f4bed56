package audit

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/table"
)

// usualPositives are label values that mean yes, tried in order.
var usualPositives = []string{"1", "true", "yes", "y", "positive", "pos"}

// defaultThreshold makes a prediction of a probability where there is no prediction column.
const defaultThreshold = 0.5

// settleClasses numbers the classes and decides, for a binary task, what positive means on the
// side of the labels and on the side of the predictions.
func (p *plan) settleClasses(cfg Config, shapes map[string]*shape) error {
	label, prediction := shapes[p.Label], shapes[p.Prediction]
	p.classes = newClasses(nil)
	for _, s := range []*shape{label, prediction} {
		if s == nil {
			continue
		}
		if s.many || s.kind == table.Time {
			name := p.Label
			if s == prediction {
				name = p.Prediction
			}
			return p.notClasses(name, s)
		}
		for _, value := range s.sorted() {
			p.classes.add(value)
		}
	}
	if label != nil && label.present == 0 {
		return tallystick.Errorf(tallystick.Invalid, "%s: label column %q has no value in any row", label.file, p.Label).
			WithHint("name the column of labels with --label, or join late ones with --id and --labels")
	}
	if p.Task == performance.Multiclass {
		if p.Prediction == "" {
			return tallystick.Errorf(tallystick.Invalid, "there is no column of predicted classes").WithHint("name it with --prediction COL")
		}
		return nil
	}
	if err := p.settlePositiveLabel(cfg, label); err != nil {
		return err
	}
	return p.settlePositivePrediction(cfg, prediction)
}

func (p *plan) notClasses(name string, s *shape) error {
	e := tallystick.Errorf(tallystick.Invalid, "%s: column %q has more than %d different values and cannot be read as classes", s.file, name, maxClasses)
	if s.kind == table.Number {
		return e.WithHint("use --score for a probability, or --task regression for a predicted number")
	}
	return e.WithHint("name a column of classes")
}

func (p *plan) settlePositiveLabel(cfg Config, label *shape) error {
	p.PositiveLabel = cfg.PositiveLabel
	if label == nil { // unlabelled: the word is needed for predictions only
		return nil
	}
	if len(label.values) == 1 {
		return tallystick.Errorf(tallystick.Invalid, "%s: label column %q has one class only, %q", label.file, p.Label, label.values[0]).
			WithHint("an audit compares two or more; check the file, or whether labels of the other class were left out")
	}
	if p.PositiveLabel != "" {
		value, ok := matchValue(p.PositiveLabel, label.values)
		if !ok {
			return tallystick.Errorf(tallystick.Invalid, "%s: --positive-label %q never occurs in column %q", label.file, p.PositiveLabel, p.Label).
				WithHint("its values are %s", quoted(label.sorted(), 10))
		}
		p.PositiveLabel = value
		p.positive = p.classes.byName[value]
		return nil
	}
	for _, usual := range usualPositives {
		for _, value := range label.values {
			if strings.EqualFold(value, usual) {
				p.PositiveLabel, p.positive = value, p.classes.byName[value]
				p.guess("the positive label is %q (say so with --positive-label)", value)
				return nil
			}
		}
	}
	return tallystick.Errorf(tallystick.Invalid, "%s: which value of %q is the positive label is not clear", label.file, p.Label).
		WithHint("say it with --positive-label; the values are %s", quoted(label.sorted(), 10))
}

func (p *plan) settlePositivePrediction(cfg Config, prediction *shape) error {
	p.Favourable = cfg.Favourable
	if p.Favourable == "" {
		p.Favourable = "positive"
		if len(p.Groups) > 0 {
			p.guess("a positive prediction is taken to be good for a person (say so with --favourable)")
		}
	}
	if prediction == nil {
		if p.Score == "" {
			return nil
		}
		p.fromScore = defaultThreshold
		p.guess("without a prediction column, a score of %g or more counts as a positive prediction (name one with --prediction)", defaultThreshold)
		return nil
	}
	p.selected = make([]bool, len(p.classes.names))
	wanted := slices.Clone(cfg.Positive)
	if len(wanted) == 0 {
		switch {
		case p.PositiveLabel != "" && slices.Contains(prediction.values, p.PositiveLabel):
			wanted = []string{p.PositiveLabel}
		default:
			if value, ok := usualPositive(prediction.values); ok && p.Label == "" {
				wanted = []string{value}
				p.guess("a prediction of %q counts as positive (say so with --positive)", value)
				break
			}
			return tallystick.Errorf(tallystick.Invalid, "%s: which values of %q count as a positive prediction is not clear", prediction.file, p.Prediction).
				WithHint("say it with --positive V,...; the values are %s", quoted(prediction.sorted(), 10))
		}
	}
	for _, want := range wanted {
		value, ok := matchValue(want, prediction.values)
		if !ok {
			return tallystick.Errorf(tallystick.Invalid, "%s: --positive %q never occurs in column %q", prediction.file, want, p.Prediction).
				WithHint("its values are %s", quoted(prediction.sorted(), 10))
		}
		p.selected[p.classes.byName[value]] = true
		p.Positive = append(p.Positive, value)
	}
	return nil
}

func usualPositive(values []string) (string, bool) {
	for _, usual := range usualPositives {
		for _, value := range values {
			if strings.EqualFold(value, usual) {
				return value, true
			}
		}
	}
	return "", false
}

// matchValue finds what the user wrote among the values of a column: "1.0" means 1.
func matchValue(want string, values []string) (string, bool) {
	if slices.Contains(values, want) {
		return want, true
	}
	c := newClasses(values)
	if x, ok := parseNumber(want); ok {
		if k := c.ofNumber(x); k != noClass {
			return values[k], true
		}
	}
	return "", false
}
