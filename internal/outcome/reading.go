package outcome

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/window"
)

// Reading says what outputs and labels mean.
type Reading struct {
	Task performance.Task // binary, multiclass or regression
	// Positive are the labels, Decided the outputs, that count as positive in a binary task. Empty: those that usually
	// mean yes, as long as the other values are those that usually mean no; of outputs, what is positive as a label.
	Positive, Decided []string
	// Threshold, if there is one, makes the decision of the score: positive from it on.
	Threshold *float64
}

// The values that mean yes and no where nobody says what is positive.
var (
	usualYes = []string{"1", "true", "yes", "y", "positive", "pos"}
	usualNo  = []string{"0", "false", "no", "n", "negative", "neg"}
)

// TaskOf returns the task of a model whose outputs a reference has: classes if they are a category. It is empty where there
// is neither an output nor a score.
func TaskOf(r *window.Reference) performance.Task {
	task := performance.Task("")
	if r == nil {
		return task
	}
	for i := range r.Features {
		f := &r.Features[i]
		switch {
		case f.Role == window.RoleOutput && f.Kind == window.KindNumber:
			return performance.Regression
		case f.Role == window.RoleOutput && len(f.Category.Values) > 2:
			return performance.Multiclass
		case f.Role == window.RoleOutput:
			return performance.Binary
		case f.Role == window.RoleScore && f.Kind == window.KindNumber:
			task = performance.Binary
		}
	}
	return task
}

// answer is what a value says in a binary task.
type answer uint8

const (
	no answer = iota
	yes
	unread
)

// read says what a value of a binary task means, given those that are positive.
func read(v prediction.Value, positive []string) answer {
	text := v.String()
	if len(positive) > 0 {
		if slices.Contains(positive, text) {
			return yes
		}
		return no
	}
	switch text = strings.ToLower(text); {
	case slices.Contains(usualYes, text):
		return yes
	case slices.Contains(usualNo, text):
		return no
	}
	return unread
}

// decided says what the output of a prediction means.
func (r *Reading) decided(score, output prediction.Value) answer {
	if r.Threshold != nil {
		if x, _ := score.Float(); score.IsNumber() && x-x == 0 {
			if x >= *r.Threshold {
				return yes
			}
			return no
		}
		return unread
	}
	if output.IsNull() {
		return unread
	}
	if len(r.Decided) > 0 {
		return read(output, r.Decided)
	}
	return read(output, r.Positive)
}

// What a decision of a binary task is called.
const (
	Positively = "positive"
	Negatively = "negative"
)

// Decision names what a prediction decides: positive or negative, or the output itself where nobody says which that is. It
// is false where there is none, and of a quantity.
func (r *Reading) Decision(score, output prediction.Value) (name string, ok bool) {
	switch {
	case r.Task == performance.Regression:
		return "", false
	case r.Task == performance.Multiclass:
		return output.String(), !output.IsNull()
	}
	switch r.decided(score, output) {
	case yes:
		return Positively, true
	case no:
		return Negatively, true
	}
	return output.String(), r.Threshold == nil && !output.IsNull()
}
