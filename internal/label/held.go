package label

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

// entry is a label on record.
type entry struct {
	Label
	event    int64
	place    int
	recorded time.Time
}

// later reports whether e counts rather than other: it was stated later or, at the same moment, recorded later.
func (e *entry) later(other *entry) bool {
	if e.Stated != other.Stated {
		return e.Stated > other.Stated
	}
	if e.event != other.event {
		return e.event > other.event
	}
	return e.place > other.place
}

func newest(all []entry) (counts *entry) {
	for i := range all {
		if counts == nil || all[i].later(counts) {
			counts = &all[i]
		}
	}
	return counts
}

// Watermark says up to where labels were known: so that a question put again gives the same answer.
type Watermark struct {
	Event uint64    `json:"event" doc:"newest event that recorded labels of the model"`
	AsOf  time.Time `json:"as_of" doc:"labels that were recorded until then count"`
}

// Watermark returns that of a moment; zero means now.
func (s *Store) Watermark(ctx context.Context, model string, asOf time.Time) (w Watermark, err error) {
	err = s.db.Read(ctx, func(tx *state.Tx) error {
		if w.AsOf = asOf.UTC().Truncate(time.Millisecond); asOf.IsZero() {
			w.AsOf = tx.Now()
		}
		return tx.QueryRow("SELECT coalesce(max(event), 0) FROM label_batches WHERE model = ? AND recorded_ms <= ?", model, w.AsOf.UnixMilli()).Scan(&w.Event)
	})
	if err != nil {
		return w, fmt.Errorf("newest labels of %s: %w", model, err)
	}
	return w, nil
}

// Held is what is known of the outcome of a prediction.
type Held struct {
	Label
	Labels   int       // on record; 0: nothing is known
	First    time.Time // when the first was recorded
	Recorded time.Time // when the one that counts was
	Event    uint64    // that recorded it
}

// Labelled reports whether there is an outcome, and it was not taken back.
func (h *Held) Labelled() bool { return h.Labels > 0 && !h.Value.IsNull() }

func (h *Held) take(e *entry) {
	if h.Labels == 0 || e.recorded.Before(h.First) {
		h.First = e.recorded
	}
	is := entry{Label: h.Label, event: int64(h.Event), place: -1}
	if h.Labels == 0 || e.later(&is) {
		h.Label, h.Event, h.Recorded = e.Label, uint64(e.event), e.recorded
	}
	h.Labels++
}

// Of fills held, one for each of ids, with what is known of them at the watermark.
func (s *Store) Of(ctx context.Context, model string, ids []prediction.ID, w Watermark, held []Held) error {
	places := make(map[prediction.ID]int, len(ids))
	for i, id := range ids {
		held[i] = Held{}
		if _, twice := places[id]; !twice {
			places[id] = i
		}
	}
	err := s.db.Read(ctx, func(tx *state.Tx) error {
		return eachOf(tx, model, ids, w, func(e entry) {
			if i, asked := places[e.Prediction]; asked {
				held[i].take(&e)
			}
		})
	})
	for i, id := range ids {
		held[i] = held[places[id]]
	}
	return err
}

// Known is a label on record, with its place in the history of its prediction.
type Known struct {
	Label
	Event    uint64
	Recorded time.Time
	Counts   bool
}

// History returns all labels of a prediction up to the watermark, in the order in which they were recorded.
func (s *Store) History(ctx context.Context, model string, id prediction.ID, w Watermark) (all []Known, err error) {
	var found []entry
	err = s.db.Read(ctx, func(tx *state.Tx) error {
		return eachOf(tx, model, []prediction.ID{id}, w, func(e entry) { found = append(found, e) })
	})
	if err != nil {
		return nil, err
	}
	counts := newest(found)
	for i := range found {
		all = append(all, Known{found[i].Label, uint64(found[i].event), found[i].recorded, &found[i] == counts})
	}
	return all, nil
}

// Predictions counts the predictions of a model that have labels.
func (s *Store) Predictions(ctx context.Context, model string, w Watermark) (n int64, err error) {
	err = s.db.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT count(DISTINCT prediction) FROM labels WHERE model = ? AND event <= ? AND recorded_ms <= ?",
			model, int64(w.Event), w.AsOf.UnixMilli()).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("count labels of %s: %w", model, err)
	}
	return n, nil
}

const (
	columns  = "prediction, event, place, value, time_us, stated_us, recorded_ms, source, note"
	perQuery = 500 // predictions that one query asks for by name
	// sparse is how many labels more than predictions a range of ids may have for it to be read whole.
	sparse = 4
)

// eachOf calls fn with every label of the predictions up to the watermark (the zero Watermark means all), and perhaps with others
// between them. Those of one prediction come in the order in which they were recorded.
func eachOf(tx *state.Tx, model string, ids []prediction.ID, w Watermark, fn func(entry)) error {
	if len(ids) == 0 {
		return nil
	}
	until, when := "", []any(nil)
	if w != (Watermark{}) {
		until, when = " AND event <= ? AND recorded_ms <= ?", []any{int64(w.Event), w.AsOf.UnixMilli()}
	}
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b prediction.ID) int { return strings.Compare(string(a[:]), string(b[:])) })
	sorted = slices.Compact(sorted)
	read := func(where string, args ...any) ([]entry, error) {
		return state.Collect(tx, scanEntry, "SELECT "+columns+" FROM labels WHERE model = ? AND "+where+until+" ORDER BY prediction, event, place", append(append([]any{model}, args...), when...)...)
	}
	first, last := sorted[0].String(), sorted[len(sorted)-1].String()
	if len(sorted) > perQuery {
		// Predictions that were made one after the other have ids beside each other.
		most := sparse * len(sorted)
		var n int
		err := tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM labels WHERE model = ? AND prediction BETWEEN ? AND ? "+state.Limit+") AS few", model, first, last, most+1).Scan(&n)
		if err != nil {
			return fmt.Errorf("count labels of %s: %w", model, err)
		}
		if n <= most {
			found, err := read("prediction BETWEEN ? AND ?", first, last)
			return each(found, err, model, fn)
		}
	}
	for chunk := range slices.Chunk(sorted, perQuery) {
		args := make([]any, 0, perQuery)
		for _, id := range chunk {
			args = append(args, id.String())
		}
		for len(args) < perQuery && len(chunk) > 1 {
			args = append(args, args[0]) // so that the statement stays the same
		}
		found, err := read("prediction IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
		if err := each(found, err, model, fn); err != nil {
			return err
		}
	}
	return nil
}

func each(found []entry, err error, model string, fn func(entry)) error {
	if err != nil {
		return fmt.Errorf("read labels of %s: %w", model, err)
	}
	for _, e := range found {
		fn(e)
	}
	return nil
}

func scanEntry(row state.Scanner) (e entry, err error) {
	var id, value string
	var recorded int64
	if err := row.Scan(&id, &e.event, &e.place, &value, &e.Time, &e.Stated, &recorded, &e.Source, &e.Note); err != nil {
		return e, err
	}
	e.recorded = time.UnixMilli(recorded).UTC()
	if e.Prediction, err = prediction.ParseID(id); err != nil {
		return e, err
	}
	return e, e.Value.UnmarshalJSON([]byte(value))
}
