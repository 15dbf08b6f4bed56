package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/durable"
)

// refusal is a decision of which a customer complains, and the case about it.
type refusal struct {
	prediction, inCase string
}

func (s *stage) predictionPage() string { return "/predictions/" + s.refusal.prediction }

const (
	scored   = 400 // applications in production
	outcomes = 100 // of those granted, how so many turned out
)

// scoredLine is a prediction as a model server sends it.
type scoredLine struct {
	Route        string             `json:"route"`
	Subject      string             `json:"subject"`
	Features     map[string]any     `json:"features"`
	Output       string             `json:"output"`
	Score        float64            `json:"score"`
	Threshold    float64            `json:"threshold"`
	Rule         string             `json:"rule"`
	Attributions map[string]float64 `json:"attributions"`
	LatencyUs    int                `json:"latency_us"`
	Status       string             `json:"status"`
	DecidedBy    string             `json:"decided_by"`
}

// scores are the applications of a day in production: what the model said of each and what the right answer
// would have been. Incomes of the second half that come from brokers are in thousands.
func scores() (lines []scoredLine, right []string, wronged int) {
	s := sample{random: rand.New(rand.NewPCG(3, 2026))} //nolint:gosec // the same data for everybody
	decision := map[bool]string{true: "refuse", false: "grant"}
	wronged = -1
	for i := range scored {
		a := s.applicant()
		seen := a.income
		if a.channel == "broker" && i >= scored/2 {
			seen /= 1000
		}
		debt, earned, age := a.parts(seen)
		line := scoredLine{
			Route: "/loans", Subject: fmt.Sprintf("%016x", s.random.Uint64()), Score: round(a.score(seen), 4), Threshold: sampleThreshold,
			Features:     map[string]any{"age": a.age, "income": round(seen, 2), "debt": round(a.debt, 2), "channel": a.channel},
			Attributions: map[string]float64{"debt": round(debt, 4), "income": round(earned, 4), "age": round(age, 4)},
			Rule:         "refuse from 0.4 on", LatencyUs: 900 + s.random.IntN(400), Status: "ok", DecidedBy: "human",
		}
		line.Output = decision[line.Score >= sampleThreshold]
		if wronged < 0 && seen < a.income && line.Output == "refuse" && a.score(a.income) < sampleThreshold/2 {
			wronged = i
		}
		lines, right = append(lines, line), append(right, decision[s.defaults(a)])
	}
	return lines, right, wronged
}

func round(x float64, places int) float64 {
	scale := math.Pow10(places)
	return math.Round(x*scale) / scale
}

// predicted has the model score in production, where every prediction is recorded, and later tells of some how
// they turned out.
func (s *stage) predicted(ctx context.Context) (sentence, page string, err error) {
	lines, right, wronged := scores()
	if wronged < 0 {
		return "", "", fmt.Errorf("nobody of %d applicants was refused for a wrong income", scored)
	}
	input, labels := s.path("data", "scored.ndjson"), s.path("data", "outcomes.csv")
	err = durable.WriteFile(input, 0o600, func(w io.Writer) error {
		out := json.NewEncoder(w)
		for _, line := range lines {
			if err := out.Encode(line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", "", err
	}
	if err := s.must(ctx, operator, nil, "case", "rule", "define", "credit", "unsure", "--margin", "0.02", "--share", "1", "--by", "f_channel", "--second", "0.2", "--queue", "specialists"); err != nil {
		return "", "", err
	}
	var taken struct{ IDs []string }
	if err := s.must(ctx, operator, &taken, "predictions", "record", input, "--model", "credit", "--environment", "production", "--batch", "day-1"); err != nil {
		return "", "", err
	}
	if len(taken.IDs) != scored {
		return "", "", fmt.Errorf("%d predictions were recorded, of %d", len(taken.IDs), scored)
	}
	s.refusal.prediction = taken.IDs[wronged]
	err = durable.WriteFile(labels, 0o600, func(w io.Writer) error {
		out, told := bufio.NewWriter(w), 0
		fmt.Fprintln(out, "prediction,value,time,source")
		for i, line := range lines {
			if line.Output == "grant" && told < outcomes {
				fmt.Fprintf(out, "%s,%s,%s,core banking\n", taken.IDs[i], right[i], time.Now().UTC().Format(time.RFC3339))
				told++
			}
		}
		return out.Flush()
	})
	if err != nil {
		return "", "", err
	}
	return fmt.Sprintf("In production credit@1 scores %d applications, each on record with its input, score, threshold and contributions. Of %d it turns out later how they paid. A rule sends the close ones to specialists.",
		scored, outcomes), "/cases", s.must(ctx, operator, nil, "label", "record", "credit", labels)
}

// explained is what is on record about one decision.
type explained struct {
	Decision []string
	Causes   []struct {
		Feature      string
		Value        json.RawMessage
		Contribution float64
	}
	Released *struct{ Reviews []struct{ Verdict string } }
	Data     []struct{ Label, Node string } `json:"learned_from"`
	Missing  []string
}

// complaint has a customer ask why, and the record answer.
func (s *stage) complaint(ctx context.Context) (sentence, page string, err error) {
	var x explained
	if err := s.must(ctx, operator, &x, "explain", s.refusal.prediction, "--purpose", "complaint of a customer"); err != nil {
		return "", "", err
	}
	if len(x.Decision) == 0 || len(x.Causes) < 2 || x.Released == nil || len(x.Released.Reviews) != 3 || len(x.Data) != 1 || len(x.Missing) != 1 {
		return "", "", fmt.Errorf("the record should answer for prediction %s, and says %+v", s.refusal.prediction, x)
	}
	var weighed []string
	for _, c := range x.Causes[:2] {
		weighed = append(weighed, fmt.Sprintf("%s = %s (%+.1f)", c.Feature, c.Value, c.Contribution))
	}
	var opened struct{ Result struct{ ID string } }
	if err := s.must(ctx, operator, &opened, "case", "open", s.refusal.prediction, "--reason", "the customer complains of the refusal", "--second"); err != nil {
		return "", "", err
	}
	s.refusal.inCase = opened.Result.ID
	return fmt.Sprintf("A customer complains of a refusal, and one command answers. %s What weighed most: %s. %d people let this version in; it learned from %s. That income looks odd: two people are to look at it.",
		x.Decision[0], strings.Join(weighed, ", "), len(x.Released.Reviews), strings.TrimPrefix(x.Data[0].Node, "snapshot:")), s.predictionPage(), nil
}

// judged is a case as somebody sees it.
type judged struct {
	State    string
	Outcome  string
	Opinions []struct{ Outcome string }
}

// reviewed has two people look at the case, the second not knowing what the first says.
func (s *stage) reviewed(ctx context.Context) (sentence, page string, err error) {
	judge := func(why string) []string {
		return []string{"case", "judge", s.refusal.inCase, "--answer", "grant", "--rationale", why}
	}
	if err := s.all(ctx, validator, [][]string{{"case", "claim", s.refusal.inCase}, judge("the broker sends incomes in thousands; with the right one the score is far below the threshold")}); err != nil {
		return "", "", err
	}
	said, err := s.refused(ctx, validator, "somebody else has to look at it", judge("I am sure")...)
	if err != nil {
		return "", "", err
	}
	var blind, open judged
	if err := s.must(ctx, approver, &blind, "case", "show", s.refusal.inCase); err != nil {
		return "", "", err
	}
	if len(blind.Opinions) != 0 {
		return "", "", fmt.Errorf("the second reviewer is shown the first opinion: %+v", blind)
	}
	if err := s.must(ctx, approver, nil, judge("income and debt do not go together: the income is a thousand times too low")...); err != nil {
		return "", "", err
	}
	if err := s.must(ctx, approver, &open, "case", "show", s.refusal.inCase); err != nil {
		return "", "", err
	}
	if open.State != "decided" || open.Outcome != "grant" || len(open.Opinions) != 2 {
		return "", "", fmt.Errorf("two people said grant, and the case is %+v", open)
	}
	said, _, _ = strings.Cut(said, " on case ")
	return "The validator says grant, and why; a second time is refused: " + said + ". The approver, who is not shown that, says grant too. It is decided, and the label of this prediction.", "/cases/" + s.refusal.inCase, nil
}

// answered proves the decision to a stranger and drafts the letter to the customer.
func (s *stage) answered(ctx context.Context) (sentence, page string, err error) {
	proof, forged, trust, letter := s.path(proofFile), s.path("data", "forged.prediction-proof"), s.path(trustFile), s.path(letterFile)
	if err := s.all(ctx, operator, [][]string{
		{"prove", "prediction", s.refusal.prediction, "-o", proof},
		{"explain", s.refusal.prediction, "--purpose", "letter to the customer", "--letter", letter},
	}); err != nil {
		return "", "", err
	}
	if got, err := s.run(ctx, "server", "trust", "-o", trust, "--workspace", s.path("workspace")); err != nil || got.code != 0 {
		return "", "", fmt.Errorf("trust: exit code %d: %s: %w", got.code, got.complaint(), err)
	}
	if got, err := s.run(ctx, "stranger", "verify", proof, "--trust", trust); err != nil || got.code != 0 {
		return "", "", fmt.Errorf("the proof of the prediction does not verify: %s%s: %w", got.out, got.err, err)
	}
	if err := rewritten(proof, forged, `"output":"refuse"`, `"output":"grant"`); err != nil {
		return "", "", err
	}
	got, err := s.run(ctx, "stranger", "verify", forged, "--trust", trust)
	if err != nil {
		return "", "", err
	}
	if got.code != 1 {
		return "", "", fmt.Errorf("a proof of another decision is believed: exit code %d: %s%s", got.code, got.out, got.err)
	}
	return "A stranger verifies the record of that decision offline; one that says grant instead is refused. The letter to the customer is drafted: " + letter, s.predictionPage(), nil
}
