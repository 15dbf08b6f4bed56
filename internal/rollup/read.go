package rollup

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/state"
)

// Question asks for what was counted of a time.
type Question struct {
	Model                string
	From, To             time.Time // whole minutes
	Version, Environment string    // empty: all
	Known                uint64    // event up to which segments count
}

// Answer is what was counted of a time.
type Answer struct {
	*Tally
	Slices []*Tally // of the rules' slices, in their order
}

// Read returns what was counted of a time by rules, nil if tallies do not cover exactly what the question asks for.
func (s *Store) Read(ctx context.Context, q Question, r *Rules) (answer *Answer, err error) {
	err = s.db.Read(ctx, func(tx *state.Tx) error {
		answer = nil
		all, err := state.Collect(tx, scanSeries, "SELECT "+seriesColumns+" FROM tally_series WHERE model = ? ORDER BY used_ms DESC, series", q.Model)
		if err != nil {
			return err
		}
		for i := range all {
			if !all[i].rules.covers(r) {
				continue
			}
			if covered, err := all[i].covered(tx, q); err != nil || !covered {
				if err != nil {
					return err
				}
				continue
			}
			answer, err = all[i].read(tx, q, r)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tallies of %s: %w", q.Model, err)
	}
	return answer, nil
}

// run is a time that is made of tallies of one grain.
type run struct {
	grain
	from, to int64
}

// runs divides a time into days, hours and minutes.
func runs(from, to int64) (all []run) {
	for at := from; at < to; {
		g := minute
		for _, longer := range []grain{hour, day} {
			if longer.of(at) == at && at+int64(longer) <= to {
				g = longer
			}
		}
		if n := len(all); n > 0 && all[n-1].grain == g {
			all[n-1].to += int64(g)
		} else {
			all = append(all, run{g, at, at + int64(g)})
		}
		at += int64(g)
	}
	return all
}

// covered reports whether the series has counted what the question asks for, all of it and nothing else.
func (is *series) covered(tx *state.Tx, q Question) (bool, error) {
	from, to := q.From.UnixMicro(), q.To.UnixMicro()
	if minute.of(from) != from || minute.of(to) != to || to-from > 366*int64(day) {
		return false, nil
	}
	for _, r := range runs(from, to) {
		if r.grain == minute && r.from < is.minutes || r.grain == hour && r.from < is.hours {
			return false, nil
		}
	}
	known := int64(q.Known)
	if known == 0 {
		known = math.MaxInt64
	}
	// A segment is either known and not counted, or counted and not known.
	for _, c := range []struct {
		sql  string
		args []any
	}{
		{"SELECT EXISTS (SELECT 1 FROM prediction_segments WHERE model = ? AND last_us >= ? AND first_us < ? AND (event <= ? OR event > ? AND event <= ? OR event > ? AND event <= ?))",
			[]any{q.Model, from, to, is.since, is.until, known, known, is.until}},
		{"SELECT EXISTS (SELECT 1 FROM tally_holes WHERE series = ? AND last_us >= ? AND first_us < ?)", []any{is.name, from, to}},
		{"SELECT EXISTS (SELECT 1 FROM prediction_erasures e JOIN prediction_segments s ON s.segment = e.segment WHERE e.event > ? AND s.model = ? AND s.last_us >= ? AND s.first_us < ?)",
			[]any{is.seen, q.Model, from, to}},
		{"SELECT EXISTS (SELECT 1 FROM prediction_segments WHERE model = ? AND removed > ? AND last_us >= ?)", []any{q.Model, is.seen, from}},
	} {
		var missing bool
		if err := tx.QueryRow(c.sql, c.args...).Scan(&missing); err != nil || missing {
			return false, err
		}
	}
	return true, nil
}

// read merges the tallies of a time.
func (is *series) read(tx *state.Tx, q Question, asked *Rules) (*Answer, error) {
	counts := len(is.rules.Counts)
	empty := func() *Tally {
		t := asked.Tally()
		t.Counts = make([]int64, counts)
		return t
	}
	total := map[string]*Tally{"": empty()}
	for _, name := range names(asked.Slices) {
		total[name] = empty()
	}
	type kept struct {
		slice string
		data  []byte
	}
	for _, r := range runs(q.From.UnixMicro(), q.To.UnixMicro()) {
		all, err := state.Collect(tx, func(row state.Scanner) (k kept, err error) { return k, row.Scan(&k.slice, &k.data) },
			"SELECT slice, data FROM tallies WHERE series = ? AND grain_us = ? AND from_us >= ? AND from_us < ? AND (version = ? OR ? = '') AND (environment = ? OR ? = '')",
			is.name, int64(r.grain), r.from, r.to, q.Version, q.Version, q.Environment, q.Environment)
		if err != nil {
			return nil, err
		}
		for _, k := range all {
			t := total[k.slice]
			if t == nil {
				continue // a slice that is not asked for
			}
			part, err := parseTally(k.data, asked.Reference, counts)
			if err == nil {
				err = t.Merge(part)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	answer := &Answer{Tally: is.only(total[""], asked)}
	for _, name := range names(asked.Slices) {
		answer.Slices = append(answer.Slices, is.only(total[name], asked))
	}
	return answer, nil
}

// only leaves of a tally the counts that are asked for.
func (is *series) only(t *Tally, asked *Rules) *Tally {
	counts := make([]int64, len(asked.Counts))
	for i, name := range names(asked.Counts) {
		counts[i] = t.Counts[slices.Index(is.rules.Counts, name)]
	}
	t.Counts = counts
	return t
}
