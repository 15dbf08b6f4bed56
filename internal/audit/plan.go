package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/table"
)

var errStop = errors.New("stop the scan")

// inputs are the tables of one audit. reference and labels may be nil.
type inputs struct {
	data, reference, labels *table.Table
}

// plan says how every column is read. It is settled before anything is measured, so that bad input
// is refused at once.
type plan struct {
	report.Roles
	guesses []string

	// Binary and multiclass.
	classes  *classes
	positive uint16 // class of the positive label
	selected []bool // by class: whether a prediction of it counts as positive
	// fromScore is the threshold that makes predictions of scores where there is no prediction
	// column; 0 otherwise.
	fromScore float64

	cutoff      int // ranking
	groups      []*grouping
	centre      float64 // regression: the mean of the labels
	scale       float64 // divides scores
	probability bool    // the score, scaled, is a probability
	scoreLow    float64 // of the scaled score, for binning
	scoreHigh   float64
	apart       map[string]string // columns that are no features, with the reason
}

// namesFor lists the column names that are tried, in order, where the user named none.
var namesFor = map[string][]string{
	"label":      {"label", "target", "y_true", "y", "actual", "ground_truth", "outcome"},
	"prediction": {"prediction", "predicted", "y_pred", "pred", "predicted_label"},
	"score":      {"score", "probability", "predicted_probability", "y_pred_proba", "y_score", "proba", "prob"},
}

func newPlan(ctx context.Context, cfg Config, in inputs) (*plan, error) {
	p := &plan{apart: map[string]string{}, cutoff: cfg.K, scale: cmp.Or(cfg.ScoreMax, 1), Roles: report.Roles{
		Task: cfg.Task, Label: cfg.Label, Prediction: cfg.Prediction, Score: cfg.Score, ScoreMax: cfg.ScoreMax,
		Groups: cfg.Groups, Query: cfg.Query, Item: cfg.Item, Time: cfg.Time, ID: cfg.ID,
	}}
	p.guessNames(in)
	if p.Prediction == "" && p.Score == "" && p.Label == "" && in.reference == nil && cfg.Contract == nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has no column that is known to hold predictions", in.data.Files()[0].Path).
			WithHint("name one with --prediction COL or --score COL; the columns are %s", quoted(columnNames(in.data), 20))
	}
	for _, name := range cfg.named() {
		if _, err := in.data.Column(name); err != nil && (name != p.Label || in.labels == nil) {
			return nil, err
		}
	}
	if p.Label != "" && in.labels == nil && (p.Label == p.Prediction || p.Label == p.Score) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: column %q cannot be both the label and what predicts it", in.data.Files()[0].Path, p.Label).
			WithHint("name the column of predictions with --prediction, or of scores with --score")
	}
	shapes, err := p.look(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := p.settleTask(shapes); err != nil {
		return nil, err
	}
	switch p.Task {
	case performance.Binary, performance.Multiclass:
		if err := p.settleClasses(cfg, shapes); err != nil {
			return nil, err
		}
	case performance.Ranking:
		if p.Query == "" || p.Score == "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "a ranking needs the query of each row and the score that ranks it").
				WithHint("name them with --query COL and --score COL")
		}
	}
	if s := shapes[p.Label]; s != nil && s.present > 0 && finite(s.sum) {
		p.centre = s.sum / float64(s.present)
	}
	if err := p.settleScore(shapes); err != nil {
		return nil, err
	}
	for _, name := range p.Groups {
		g, guess, err := newGrouping(in.data, name, cfg.ReferenceGroup[name], shapes[name])
		if err != nil {
			return nil, err
		}
		if guess != "" {
			p.guess("%s", guess)
		}
		p.groups = append(p.groups, g)
	}
	return p, p.settleFeatures(ctx, cfg, in)
}

func (c Config) named() []string {
	names := slices.Concat([]string{c.Label, c.Prediction, c.Score, c.Time, c.ID, c.Query, c.Item}, c.Groups, c.Features)
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// classNames are the classes of the task; none of a task without classes.
func (p *plan) classNames() []string {
	if p.classes == nil {
		return nil
	}
	return p.classes.names
}

func (p *plan) guess(format string, args ...any) {
	p.guesses = append(p.guesses, fmt.Sprintf(format, args...))
}

func (p *plan) guessNames(in inputs) {
	for _, role := range []struct {
		name  string
		field *string
		flag  string
	}{{"prediction", &p.Prediction, "--prediction"}, {"score", &p.Score, "--score"}, {"label", &p.Label, "--label"}} {
		if *role.field != "" {
			continue
		}
		for _, c := range in.data.Columns() {
			if slices.Contains(namesFor[role.name], strings.ToLower(c.Name)) && !p.taken(c.Name) {
				*role.field = c.Name
				p.guess("column %q is taken for the %s (say so with %s)", c.Name, role.name, role.flag)
				break
			}
		}
	}
}

// taken reports whether a column has a role already.
func (p *plan) taken(name string) bool {
	return contains([]string{p.Label, p.Prediction, p.Score, p.Time, p.ID, p.Query, p.Item}, name)
}

// look collects the shapes of the columns whose values decide how they are read. The label's shape
// is that of the late labels where there are any.
func (p *plan) look(ctx context.Context, in inputs) (map[string]*shape, error) {
	var names []string
	for _, name := range slices.Concat([]string{p.Prediction, p.Score}, p.Groups) {
		if name != "" && !contains(names, name) {
			names = append(names, name)
		}
	}
	if p.Label != "" && in.labels == nil && !contains(names, p.Label) {
		names = append(names, p.Label)
	}
	shapes, err := look(ctx, in.data, names, func(name string) bool { return contains(p.Groups, name) })
	if err != nil || in.labels == nil {
		return shapes, err
	}
	late, err := look(ctx, in.labels, []string{p.Label}, func(string) bool { return false })
	if err != nil {
		return nil, err
	}
	shapes[p.Label] = late[p.Label]
	return shapes, nil
}

// maxGuessedClasses is the number of different whole numbers up to which a column is guessed to
// hold classes.
const maxGuessedClasses = 20

// settleTask guesses what kind of prediction this is from the label, or else the prediction.
func (p *plan) settleTask(shapes map[string]*shape) error {
	if p.Task != "" {
		return nil
	}
	s, from := shapes[p.Label], p.Label
	if s == nil {
		s, from = shapes[p.Prediction], p.Prediction
	}
	switch {
	case p.Query != "":
		p.Task = performance.Ranking
	case s == nil: // a score alone
		p.Task = performance.Binary
	case s.kind == table.Number && (s.many || len(s.values) > maxGuessedClasses || !s.integer && len(s.values) > 2):
		p.Task = performance.Regression
	case s.kind == table.Time || s.kind == table.Text || s.many:
		return tallystick.Errorf(tallystick.Invalid, "%s: column %q holds neither classes nor numbers", s.file, from).
			WithHint("name a column of labels with --label")
	case len(s.values) > 2:
		p.Task = performance.Multiclass
		if values := shapes[p.Prediction]; values != nil && values.kind == table.Number && values.many {
			p.Task = performance.Regression
		}
	default:
		p.Task = performance.Binary
	}
	if from != "" && p.Task != performance.Binary {
		p.guess("the task is taken for %s from the values of %q (say so with --task)", p.Task, from)
	}
	return nil
}

// settleScore says what the score is, from its range.
func (p *plan) settleScore(shapes map[string]*shape) error {
	s := shapes[p.Score]
	if s == nil {
		return nil
	}
	if s.kind != table.Number {
		return tallystick.Errorf(tallystick.Invalid, "%s: score column %q holds no numbers but %s", s.file, p.Score, kindWords(s.kind)).
			WithHint("name a column of numbers with --score")
	}
	if p.Score == p.Prediction && p.Task != performance.Regression {
		p.guess("column %q is both prediction and score", p.Score)
	}
	p.scoreLow, p.scoreHigh = s.min/p.scale, s.max/p.scale
	p.probability = s.present > 0 && p.scoreLow >= 0 && p.scoreHigh <= 1
	if p.ScoreMax > 0 && !p.probability && s.present > 0 {
		return tallystick.Errorf(tallystick.Invalid, "%s: score column %q runs from %g to %g, which --score-max %g does not bring into [0, 1]", s.file, p.Score, s.min, s.max, p.ScoreMax).
			WithHint("use --score-max %g, or leave it out to rank only", s.max)
	}
	return nil
}

func columnNames(t *table.Table) []string {
	var names []string
	for _, c := range t.Columns() {
		names = append(names, c.Name)
	}
	return names
}

// quoted lists at most n names for a message.
func quoted(names []string, n int) string {
	var parts []string
	for _, name := range names[:min(n, len(names))] {
		parts = append(parts, fmt.Sprintf("%q", name))
	}
	if len(names) > n {
		parts = append(parts, fmt.Sprintf("and %d more", len(names)-n))
	}
	return strings.Join(parts, ", ")
}
