package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// Answers are what the owner of a model says about its risk: the chosen option of each of Questions, by
// the question's id. A question that is not answered is missing.
type Answers map[string]string

// Question is one of the questions about the risk of a model.
type Question struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Options []Option `json:"options" doc:"in the order of their weight"`
}

// Option is an answer to a question.
type Option struct {
	ID   string          `json:"id"`
	Text string          `json:"text" doc:"the answer in words, to be read after 'because'"`
	Asks tallystick.Tier `json:"asks" doc:"the tier that this answer asks for by itself"`
}

// Questions returns the questions that a model's tier is computed from.
func Questions() []Question {
	const low, limited, high = tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh
	return []Question{
		{"financial_effect", "What can a wrong output cost somebody?", []Option{
			{"none", "a wrong output costs nobody money", low},
			{"minor", "a wrong output can cost somebody money that is soon made good", limited},
			{"major", "a wrong output can cost somebody credit, income, insurance or a home", high},
		}},
		{"safety", "Can a wrong output harm somebody's health?", []Option{
			{"none", "a wrong output harms nobody", low},
			{"indirect", "a wrong output can contribute to harm that others would still notice", limited},
			{"direct", "a wrong output can injure somebody", high},
		}},
		{"sensitive_data", "Does it learn from, or take in, data about people?", []Option{
			{"none", "it uses no data about people", low},
			{"personal", "it uses personal data", limited},
			{"special", "it uses special categories of personal data, such as health, origin or belief", high},
		}},
		{reachQuestion, "Whom do its outputs reach?", []Option{
			{"team", "its outputs stay in one team", low},
			{"organisation", "its outputs stay in the organisation", low},
			{"customers", "its outputs reach customers", limited},
			{"public", "its outputs reach anybody", limited},
		}},
		{"regulated_market", "Does a law or a supervisor set rules for this use?", []Option{
			{"no", "no law sets rules for this use in particular", low},
			{"yes", "a law or a supervisor sets rules for this use", high},
		}},
		{"automated_decision", "Who decides about a person?", []Option{
			{"none", "it decides nothing about a person", low},
			{"reviewed", "a person decides with its output before them", limited},
			{"automatic", "it decides about people and nobody looks first", high},
		}},
	}
}

const reachQuestion = "reach"

// manyLimited is how many answers that ask for limited make a high tier: what is tolerable alone adds up.
const manyLimited = 4

// TierDecision is a risk tier and why it is that one.
type TierDecision struct {
	Tier     tallystick.Tier `json:"tier" doc:"risk tier: low, limited or high"`
	Reason   string          `json:"tier_reason,omitempty" doc:"why it is this tier, in words"`
	Deciding []string        `json:"tier_answers,omitempty" doc:"the answers that decide, such as safety=direct"`
}

// Validate returns an Invalid error for the first question or option that there is none of.
func (a Answers) Validate() error {
	if len(a) == 0 {
		return nil
	}
	questions := Questions()
	for _, id := range slices.Sorted(maps.Keys(a)) {
		i := slices.IndexFunc(questions, func(q Question) bool { return q.ID == id })
		if i < 0 {
			return tallystick.Errorf(tallystick.Invalid, "there is no question %q about risk", id).
				WithHint("the questions are %s", list(questions, func(q Question) string { return q.ID }))
		}
		if q := questions[i]; !slices.ContainsFunc(q.Options, func(o Option) bool { return o.ID == a[id] }) {
			return tallystick.Errorf(tallystick.Invalid, "%q is no answer to %s: %s", a[id], id, q.Text).
				WithHint("answer one of %s", list(q.Options, func(o Option) string { return o.ID }))
		}
	}
	return nil
}

// Missing returns the questions without an answer.
func (a Answers) Missing() (ids []string) {
	for _, q := range Questions() {
		if a[q.ID] == "" {
			ids = append(ids, q.ID)
		}
	}
	return ids
}

// Decide returns the tier that follows from the answers and from the tier that the owner states, by the
// rule of docs/tiers.md:
//
//  1. The highest tier that any one answer asks for. A question without an answer asks for limited.
//  2. From manyLimited answers that ask for limited on, high.
//  3. A stated tier can raise the result and never lowers it. Without any answer it is limited, or high
//     if that is stated.
//
// The answers must be valid.
func (a Answers) Decide(stated tallystick.Tier) TierDecision {
	d := a.computed()
	if d.Tier.Below(stated) {
		d = TierDecision{Tier: stated, Reason: fmt.Sprintf("%s, because the owner states it; the answers alone make it %s", stated, d.Tier)}
		if len(a) == 0 {
			d.Reason = fmt.Sprintf("%s, because the owner states it; the questions about risk are not answered", stated)
		}
	}
	return d
}

func (a Answers) computed() TierDecision {
	if len(a) == 0 {
		return TierDecision{Tier: tallystick.TierLimited, Reason: "limited, because the questions about risk are not answered"}
	}
	d := TierDecision{Tier: tallystick.TierLow}
	var words, open, limitedWords, limitedAnswers []string
	for _, q := range Questions() {
		i := slices.IndexFunc(q.Options, func(o Option) bool { return o.ID == a[q.ID] })
		if i < 0 {
			open = append(open, q.ID)
			continue
		}
		answer, said := q.Options[i], q.ID+"="+a[q.ID]
		switch answer.Asks {
		case tallystick.TierHigh:
			d.Tier, d.Deciding, words = tallystick.TierHigh, append(d.Deciding, said), append(words, answer.Text)
		case tallystick.TierLimited:
			limitedAnswers, limitedWords = append(limitedAnswers, said), append(limitedWords, answer.Text)
		}
	}
	switch {
	case d.Tier == tallystick.TierHigh:
		d.Reason = "high, because " + strings.Join(words, "; ")
	case len(limitedAnswers) >= manyLimited:
		d.Tier, d.Deciding = tallystick.TierHigh, limitedAnswers
		d.Reason = fmt.Sprintf("high, because %d answers together weigh as much as one grave one: %s", len(limitedAnswers), strings.Join(limitedWords, "; "))
	case len(limitedAnswers)+len(open) > 0:
		if len(open) > 0 {
			limitedWords = append(limitedWords, "nobody has answered "+strings.Join(open, ", "))
		}
		d.Tier, d.Deciding = tallystick.TierLimited, limitedAnswers
		d.Reason = "limited, because " + strings.Join(limitedWords, "; ")
	default:
		d.Reason = "low, because no answer asks for more"
	}
	return d
}

// weight returns how far up its question's list the answer stands, 0 if there is none.
func (a Answers) weight(question string) int {
	if a[question] == "" {
		return 0
	}
	for _, q := range Questions() {
		if q.ID == question {
			return 1 + slices.IndexFunc(q.Options, func(o Option) bool { return o.ID == a[question] })
		}
	}
	return 0
}

// list joins the names of things for a hint.
func list[T any](things []T, name func(T) string) string {
	var names []string
	for _, thing := range things {
		names = append(names, name(thing))
	}
	return strings.Join(names, ", ")
}
