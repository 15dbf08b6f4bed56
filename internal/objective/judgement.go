package objective

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
)

// JudgementSchema names the form of a judgement.
const JudgementSchema = "tallystick.objective.judgement/1"

// BudgetJudgement is how an objective stands at a moment.
type BudgetJudgement struct {
	Schema      string             `json:"schema"`
	Objective   string             `json:"objective" doc:"name of the objective"`
	Document    tallystick.Digest  `json:"document_digest" doc:"of the objective as it was written"`
	Basis       tallystick.Digest  `json:"reference_digest,omitempty" doc:"of the reference that predictions are held against; absent: the indicator needs none, or there is none"`
	Model       string             `json:"model"`
	Version     string             `json:"version,omitempty" doc:"version whose predictions count, or champion; absent: all"`
	Environment string             `json:"environment,omitempty" doc:"where they were made; absent: anywhere"`
	Indicator   string             `json:"indicator"`
	Source      string             `json:"source" doc:"what is counted"`
	From        time.Time          `json:"from" doc:"the period begins"`
	At          time.Time          `json:"at" doc:"it ends, exclusive"`
	Known       uint64             `json:"known_event" doc:"newest event by which something came on record that can count; 0: there is none"`
	Waiting     []Stretch          `json:"waiting,omitempty" doc:"times of the period that are yet to be counted"`
	Target      float64            `json:"target"`
	Count       Count              `json:"events" doc:"of the period"`
	Ratio       *float64           `json:"ratio" doc:"good of valid; null without a valid event"`
	Budget      Budget             `json:"budget"`
	Exhausted   string             `json:"exhausted_after,omitempty" doc:"time until nothing of the budget is left at the pace of the last hour, or of the shortest window that is judged; absent: never within a year"`
	Rules       []Burn             `json:"rules"`
	Paused      bool               `json:"paused" doc:"experiments wait: the budget burns faster than a rule lets it"`
	Verdict     tallystick.Verdict `json:"verdict" enum:"pass,warn,insufficient,fail"`
	State       string             `json:"state" doc:"verdict of each rule, and how much of the budget is left: what is put on record at once if it changes"`
	Words       string             `json:"words"`

	period string
}

// Bands of what is left of a budget.
const (
	spent = "spent"
	low   = "low" // less than lowBudget
	some  = "some"
	none  = "unknown"
)

// lowBudget is the share of a budget below which people are warned.
const lowBudget = 0.1

// judge ends the verdicts.
func (d *Document) judge(at time.Time, basis tallystick.Digest, known uint64, t *tally, waiting []Stretch) *BudgetJudgement {
	j := &BudgetJudgement{
		Schema: JudgementSchema, Objective: d.Name, Document: tallystick.DigestOf(d.source), Basis: basis, Model: d.Model, Version: d.Version, Environment: d.Environment,
		Indicator: d.Indicator, Source: d.indicator().Source, From: d.begins(at), At: at, Known: known, Target: d.Target, period: d.period(), Rules: []Burn{},
		Waiting: clipped(waiting, d.horizon(at), at),
	}
	j.Count = t.sum(j.From, at)
	j.Budget = d.Budget(j.Count)
	if j.Count.Valid > 0 {
		ratio := j.Count.Ratio()
		j.Ratio = &ratio
	}
	states, judged, alarm, page, pace := []string(nil), false, false, false, 0.0
	for _, r := range d.Rules {
		b := d.Judge(r, t.sum(at.Add(-r.Window), at), t.sum(at.Add(-r.Short), at))
		j.Rules = append(j.Rules, b)
		if b.Verdict != tallystick.Insufficient && !judged {
			judged, pace = true, *b.Long.Rate
		}
		if b.Verdict == tallystick.Fail {
			alarm, page, j.Paused = true, page || r.Action == Page, j.Paused || r.Action == Pause
		}
		states = append(states, r.Name()+"="+string(b.Verdict))
	}
	if left, ok := d.Exhaustion(pace); ok && j.Budget.Left > 0 {
		j.Exhausted = Span((time.Duration(float64(left) * j.Budget.Left)).Truncate(time.Minute))
	}
	band := some
	enough := j.Count.Valid >= d.enough(1) // from which on one bad event does not spend the whole budget
	switch {
	case !enough:
		band = none
	case j.Budget.Left <= 0:
		band = spent
	case j.Budget.Left < lowBudget:
		band = low
	}
	switch {
	case len(j.Waiting) > 0:
		j.Verdict = tallystick.Insufficient
	case band == spent, page:
		j.Verdict = tallystick.Fail
	case alarm, band == low:
		j.Verdict = tallystick.Warn
	case !judged && len(d.Rules) > 0, !enough:
		j.Verdict = tallystick.Insufficient
	default:
		j.Verdict = tallystick.Pass
	}
	j.State = strings.Join(append(states, "budget="+band), " ")
	j.Words = d.words(j)
	return j
}

// words says what became of an objective, the cause first.
func (d *Document) words(j *BudgetJudgement) string {
	if j.Count.Valid == 0 {
		return fmt.Sprintf("Nothing was counted %s of what is counted here: %s. That is no pass.", d.during(j.At), d.indicator().Valid)
	}
	var said []string
	for _, b := range j.Rules {
		if b.Verdict == tallystick.Fail {
			said = append(said, fmt.Sprintf("The budget burns %s times as fast as planned over %s, and %s times over %s; %s is the limit (%s).",
				figure.Fixed(*b.Long.Rate, 1), Span(b.Rule.Window), figure.Fixed(*b.Short.Rate, 1), Span(b.Rule.Short), figure.Plain(b.Threshold), b.Rule.Action))
		}
	}
	said = append(said, fmt.Sprintf("%s: %s of %d %s, %s is the target.", d.indicator().Title, ratioWords(*j.Ratio), j.Count.Valid, d.during(j.At), ratioWords(d.Target)))
	switch {
	case j.Count.Valid < d.enough(1):
		said = append(said, fmt.Sprintf("That is too few to judge by: %d are needed.", d.enough(1)))
	case j.Budget.Left <= 0:
		said = append(said, fmt.Sprintf("The budget is spent: %d were bad, %s may be.", j.Budget.Bad, figure.Plain(float64(int64(j.Budget.Allowed)))))
	default:
		said = append(said, fmt.Sprintf("%s of the budget is left.", figure.Percent(j.Budget.Left)))
		if j.Exhausted != "" {
			said = append(said, fmt.Sprintf("At this pace it lasts %s.", j.Exhausted))
		}
	}
	if len(j.Waiting) > 0 {
		said = append(said, "A part of the period is yet to be counted.")
	}
	if j.Paused {
		said = append(said, "Experiments wait.")
	}
	return strings.Join(said, " ")
}

// ratioWords writes a share with as many digits as a promise of many nines needs.
func ratioWords(share float64) string {
	text := fmt.Sprintf("%.4f", 100*share)
	if share < 1 && text == "100.0000" {
		text = "99.9999"
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " %"
}

// Marshal returns the judgement as it is kept: equal judgements, equal bytes.
func (j *BudgetJudgement) Marshal() ([]byte, error) {
	data, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("judgement of the objective %s: %w", j.Objective, err)
	}
	return data, nil
}

// ParseJudgement reads what Marshal has written.
func ParseJudgement(data []byte) (j BudgetJudgement, err error) {
	if err := json.Unmarshal(data, &j); err != nil || j.Schema != JudgementSchema {
		return j, tallystick.Errorf(tallystick.Invalid, "that is no judgement of the form %s", JudgementSchema)
	}
	return j, nil
}
