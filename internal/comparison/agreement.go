package comparison

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
)

// Agreement says which answers of two versions are to one input, and when they are alike.
type Agreement struct {
	PairBy    string           // column by which answers to one input are known, one of PairColumns
	Within    time.Duration    // how long after the first the second answer may come
	Tolerance float64          // how far numbers may be apart
	When      *query.Condition // both answers are alike if it holds of both or of neither; nil: the outputs are compared
}

// PairColumns are the columns by which both versions' answers to one input can be known.
func PairColumns() []string {
	return []string{"trace_id", "input_digest", "subject", "request_digest"}
}

// Party is whose answer a prediction is.
type Party int

// The parties. What is neither is not counted.
const (
	Neither Party = iota
	Candidate
	Incumbent
)

// answer is one version's to one input.
type answer struct {
	at      int64 // microseconds
	party   Party
	version string
	value   prediction.Value
}

const (
	mostAnswers = 200_000 // that are looked at together: about 40 MB
	leastSpan   = time.Minute
)

// errCrowded says that a time has more answers than are looked at together.
var errCrowded = errors.New("too many answers")

// Count calls add for each pair of answers whose second came in the span of the selection, at the time of the second. Of a version
// that answers an input again within Within the first answer counts. Which pairs there are depends on the predictions of
// twice Within before a pair alone, so that the pairs of two spans are those of both together. Answers without a value are
// none.
func (a *Agreement) Count(ctx context.Context, asker *query.Asker, s query.Selection, party func(version string, at time.Time) Party, add func(at time.Time, alike bool)) error {
	span := day
	for from := s.From; from.Before(s.To); {
		to := from.Add(span)
		if to.After(s.To) {
			to = s.To
		}
		all, err := a.answers(ctx, asker, s, from, to, party)
		switch {
		case errors.Is(err, errCrowded) && span > leastSpan:
			span = max(leastSpan, to.Sub(from)/2).Truncate(time.Microsecond)
			continue
		case errors.Is(err, errCrowded):
			return tallystick.Errorf(tallystick.Invalid, "more than %d predictions around %s could be pairs by %s", mostAnswers, from.Format(time.RFC3339), a.PairBy).
				WithHint("choose some of them with where, or state a shorter within")
		case err != nil:
			return err
		}
		for _, of := range all {
			a.pair(of, from.UnixMicro(), to.UnixMicro(), add)
		}
		from = to
	}
	return nil
}

// answers reads what can be in pairs of a time, by input.
func (a *Agreement) answers(ctx context.Context, asker *query.Asker, s query.Selection, from, to time.Time, party func(version string, at time.Time) Party) (map[string][]answer, error) {
	s.From, s.To = from.Add(-2*a.Within), to
	column := "output"
	if a.When != nil {
		column = a.When.Column
	}
	all, versions, n := map[string][]answer{}, map[string]string{}, 0
	for b, err := range asker.Blocks(ctx, s, []string{"time", "version", a.PairBy, column}) {
		if err != nil {
			return nil, fmt.Errorf("answers of two versions: %w", err)
		}
		for k := range b.Rows() {
			version, _ := b.Text(1, k)
			input, value := b.Value(2, k), b.Value(3, k)
			if len(version) == 0 || input.IsNull() || value.IsNull() {
				continue
			}
			at, err := timeOf(b.Value(0, k))
			if err != nil {
				return nil, err
			}
			name, known := versions[string(version)]
			if !known {
				name = string(version)
				versions[name] = name
			}
			is := answer{at: int64(at), version: name, value: value}
			if is.party = party(is.version, at.Time()); is.party == Neither {
				continue
			}
			if a.When != nil {
				is.value = prediction.Boolean(a.When.HoldsOf(value))
			}
			if n++; n > mostAnswers {
				return nil, errCrowded
			}
			key := input.String()
			all[key] = append(all[key], is)
		}
	}
	return all, nil
}

// pair finds the pairs among the answers to one input whose second came in a time.
func (a *Agreement) pair(all []answer, from, to int64, add func(at time.Time, alike bool)) {
	if len(all) < 2 {
		return
	}
	slices.SortFunc(all, func(x, y answer) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.version, y.version), cmp.Compare(x.value.String(), y.value.String()))
	})
	within := a.Within.Microseconds()
	newest := map[string]int64{} // answer of each version
	var first []answer           // those that are not given again, of which at most one of a version is near
	for _, is := range all {
		before, known := newest[is.version]
		if newest[is.version] = is.at; known && is.at-before <= within {
			continue
		}
		first = slices.DeleteFunc(first, func(other answer) bool { return is.at-other.at > within })
		for _, other := range first {
			if is.at >= from && is.at < to && other.party != is.party {
				add(time.UnixMicro(is.at).UTC(), alike(other.value, is.value, a.Tolerance))
			}
		}
		first = append(first, is)
	}
}
