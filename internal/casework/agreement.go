package casework

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/state"
)

// Workload is how the work on the cases of a model stands.
type Workload struct {
	Waiting   int64          `json:"waiting" doc:"cases that are not decided"`
	Overdue   int64          `json:"overdue" doc:"of them, those that are overdue"`
	Disputed  int64          `json:"disputed" doc:"of them, those that wait for a third person"`
	Decided   int64          `json:"decided"`
	Median    Hours          `json:"median_hours" doc:"half of the decided cases took no longer"`
	Agreement figure.Portion `json:"agreement" doc:"of the decided cases in which the model had said something, those in which the answer is the same"`
	Same      figure.Portion `json:"same" doc:"of the cases with two independent opinions, those in which both say the same"`
	Kappa     *Kappa         `json:"kappa,omitempty" doc:"absent where the pairs are too few or too much alike for an interval"`
	Sampled   []Sampled      `json:"sampled" doc:"by rule and stratum"`
}

// Kappa is Cohen's kappa of pairs of opinions: their agreement beyond chance, with its 95 % interval.
type Kappa struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Sampled says what a rule chose of how many.
type Sampled struct {
	Rule    string   `json:"rule"`
	Stratum []string `json:"stratum"`
	Held    int64    `json:"held" doc:"records that the rule holds for"`
	Taken   int64    `json:"taken" doc:"of them, those that became cases"`
	LeftOut int64    `json:"left_out" doc:"of them, those that were chosen but were too many for a day"`
}

const maxCoverage = 1000

// Workload returns how the work on cases stands, of those that were opened in [from, to); a zero time is no
// bound. What rules chose is by the days of the predictions.
func (d *Desk) Workload(ctx context.Context, model string, from, to time.Time) (s Workload, err error) {
	low, high := int64(0), int64(1)<<62
	if !from.IsZero() {
		low = from.UnixMilli()
	}
	if !to.IsZero() {
		high = to.UnixMilli()
	}
	err = d.config.DB.Read(ctx, func(tx *state.Tx) error {
		var agree, said int64
		err := tx.QueryRow(`SELECT coalesce(sum(CASE WHEN state <> 'decided' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN state <> 'decided' AND due_ms <= ? THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN state = 'disputed' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN state = 'decided' THEN 1 ELSE 0 END), 0),
			coalesce(sum(CASE WHEN agrees = 1 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN agrees IS NULL THEN 0 ELSE 1 END), 0)
			FROM cases WHERE (model = ? OR ? = '') AND opened_ms >= ? AND opened_ms < ?`, tx.Now().UnixMilli(), model, model, low, high).
			Scan(&s.Waiting, &s.Overdue, &s.Disputed, &s.Decided, &agree, &said)
		if err != nil {
			return err
		}
		s.Agreement = figure.NewPortion(agree, said)
		if s.Median, err = median(tx, model, low, high, s.Decided); err != nil {
			return err
		}
		if err := s.pairs(tx, model, low, high); err != nil {
			return err
		}
		s.Sampled, err = coverage(tx, model, low, high)
		return err
	})
	return s, err
}

// median returns the time from opening to decision that half of the decided cases took.
func median(tx *state.Tx, model string, low, high, decided int64) (Hours, error) {
	if decided == 0 {
		return 0, nil
	}
	var ms int64
	err := tx.QueryRow(`SELECT decided_ms - opened_ms FROM cases WHERE state = 'decided' AND (model = ? OR ? = '') AND opened_ms >= ? AND opened_ms < ?
		ORDER BY decided_ms - opened_ms LIMIT 1 OFFSET CAST(? AS BIGINT)`, model, model, low, high, (decided-1)/2).Scan(&ms)
	return hours(time.Duration(ms) * time.Millisecond), err
}

// pairs compares the first two opinions of cases that have two.
func (s *Workload) pairs(tx *state.Tx, model string, low, high int64) error {
	type pair struct {
		first, second string
		n             int64
	}
	all, err := state.Collect(tx, func(row state.Scanner) (p pair, err error) {
		return p, row.Scan(&p.first, &p.second, &p.n)
	}, `SELECT a.outcome, b.outcome, count(*) FROM case_opinions a JOIN case_opinions b ON b.case_id = a.case_id AND b.number = 2 JOIN cases c ON c.id = a.case_id
		WHERE a.number = 1 AND (c.model = ? OR ? = '') AND c.opened_ms >= ? AND c.opened_ms < ? GROUP BY a.outcome, b.outcome ORDER BY a.outcome, b.outcome `+state.Limit,
		model, model, low, high, maxCoverage*maxCoverage)
	if err != nil {
		return err
	}
	var values []string
	for _, p := range all {
		values = append(values, p.first, p.second)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	m := make(stat.Matrix, len(values))
	for i := range m {
		m[i] = make([]int64, len(values))
	}
	var same, pairs int64
	for _, p := range all {
		i, _ := slices.BinarySearch(values, p.first)
		j, _ := slices.BinarySearch(values, p.second)
		m[i][j] = p.n
		if pairs += p.n; i == j {
			same += p.n
		}
	}
	s.Same = figure.NewPortion(same, pairs)
	if k := m.Kappa(); !math.IsNaN(k.Value) && k.Interval.Low < k.Interval.High { // one of no width would look certain, and comes of few or uniform pairs
		s.Kappa = &Kappa{Value: k.Value, Low: k.Interval.Low, High: k.Interval.High}
	}
	return nil
}

func coverage(tx *state.Tx, model string, low, high int64) ([]Sampled, error) {
	const day = int64(24 * time.Hour / time.Millisecond)
	return state.Collect(tx, func(row state.Scanner) (c Sampled, err error) {
		var stratum string
		if err = row.Scan(&c.Rule, &stratum, &c.Held, &c.Taken, &c.LeftOut); err == nil {
			err = json.Unmarshal([]byte(stratum), &c.Stratum)
		}
		return c, err
	}, `SELECT rule, stratum, sum(held), sum(taken), sum(left_out) FROM case_coverage WHERE (model = ? OR ? = '') AND day >= ? AND day <= ?
		GROUP BY rule, stratum ORDER BY rule, stratum `+state.Limit, model, model, low/day, (high-1)/day, maxCoverage)
}
