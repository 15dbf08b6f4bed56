package trail

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// columnsBatch bounds the events whose columns are written in one transaction, for which recorders
// wait.
const columnsBatch = 512

// columns are what questions can choose an event by: a row of the table event_columns. The recorder
// does not write it, because its indexes cost more than the event itself and everyone who commits
// in the same group would wait for them. Whoever asks first writes the rows of the events recorded
// up to then; they follow from leaf and disclosures.
type columns struct {
	sequence uint64
	id       string
	kind     Type
	timeMS   int64
	latestMS int64 // the latest time of an event up to this one; the reader's to fill in, as lateMS
	lateMS   int64 // by how much timeMS is earlier
	resource Resource
	model    string
	outcome  tallystick.Outcome
	actor    string
}

func (e Event) columns() columns {
	resource := Resource{columnText(e.Resource.Type), columnText(e.Resource.ID)}
	return columns{
		sequence: e.Sequence, id: e.ID, kind: e.Type, timeMS: e.Time.UnixMilli(), resource: resource, model: columnText(e.Model), outcome: e.Outcome, actor: columnText(e.Actor),
	}
}

// maxColumn bounds a text in bytes: an entry of a PostgreSQL index has no room for a longer one.
const maxColumn = 1024

// columnText returns what of a text stands in a column. An event says what its author has said, however
// long; one that did not fit into its columns would hold up the questions about all behind it.
func columnText(s string) string {
	s = strings.ReplaceAll(s, "\x00", "\uFFFD") // PostgreSQL stores no U+0000
	if len(s) <= maxColumn {
		return s
	}
	end := maxColumn
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func (c columns) insert(tx *state.Tx) error {
	_, err := tx.Exec(`INSERT INTO event_columns (sequence, id, type, time_ms, latest_ms, late_ms, resource_type, resource_id, model, outcome, actor)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(c.sequence), c.id, string(c.kind), c.timeMS, c.latestMS, c.lateMS, c.resource.Type, c.resource.ID,
		textOrNil(c.model), textOrNil(string(c.outcome)), textOrNil(c.actor))
	return err
}

// maxTail bounds the events without columns that a question looks through itself. A write would cost
// it a sync, each time that anybody has recorded something since.
const maxTail = 128

// tail are the newest events, those that have no columns yet: behind last, up to newest.
type tail struct{ last, newest uint64 }

// chosen reads those of the tail that f chooses, in their order. Most questions need none of them.
func (t tail) chosen(tx *state.Tx, f Filter) ([]Event, error) {
	if t.newest <= t.last || f.Before > 0 && f.Before <= t.last+1 {
		return nil, nil
	}
	events, err := read(tx, nil, "v.sequence > ? ORDER BY v.sequence", max(t.last, f.After))
	return slices.DeleteFunc(events, func(e Event) bool { return !f.chooses(e.columns()) }), err
}

// prepared calls fn with a transaction and what has no columns in it.
func (r *Reader) prepared(ctx context.Context, fn func(tx *state.Tx, t tail) error) error {
	for {
		ready := false
		err := r.db.Read(ctx, func(tx *state.Tx) error {
			last, newest, err := behind(tx)
			if err != nil {
				return err
			}
			if ready = newest <= last+maxTail; !ready {
				return nil
			}
			return fn(tx, tail{last, newest})
		})
		if err != nil || ready {
			return err
		}
		if err := r.CatchUp(ctx); err != nil {
			return err
		}
	}
}

// CatchUp prepares questions about the events recorded before the call; those who ask do it
// themselves where many events are without columns, unless somebody has done it before them.
func (r *Reader) CatchUp(ctx context.Context) error {
	r.catching.Lock()
	defer r.catching.Unlock()
	for target := uint64(0); ; {
		var last, newest uint64
		var batch []Event
		err := r.db.Read(ctx, func(tx *state.Tx) (err error) {
			if last, newest, err = behind(tx); err == nil && last < newest {
				batch, err = read(tx, nil, "v.sequence > ? ORDER BY v.sequence "+state.Limit, last, columnsBatch)
			}
			return err
		})
		if target == 0 {
			target = newest
		}
		if err == nil && len(batch) > 0 {
			err = r.db.Write(ctx, func(tx *state.Tx) error { return insertColumns(tx, batch) })
		}
		if err != nil {
			return fmt.Errorf("prepare events after %d for questions: %w", last, err)
		}
		if last+uint64(len(batch)) >= target {
			return nil
		}
	}
}

// behind returns the newest event that has its columns, and the newest that there is.
func behind(tx *state.Tx) (last, newest uint64, err error) {
	err = tx.QueryRow("SELECT (SELECT coalesce(max(sequence), 0) FROM event_columns), (SELECT coalesce(max(sequence), 0) FROM events)").Scan(&last, &newest)
	return last, newest, err
}

// insertColumns writes the columns of those of the events, in their order, that another process has
// not done meanwhile.
func insertColumns(tx *state.Tx, events []Event) error {
	last, _, err := behind(tx)
	if err != nil {
		return err
	}
	var latest int64
	if err := tx.QueryRow("SELECT coalesce((SELECT latest_ms FROM event_columns WHERE sequence = ?), 0)", last).Scan(&latest); err != nil {
		return err
	}
	for _, e := range events {
		if e.Sequence <= last {
			continue
		}
		c := e.columns()
		latest = max(latest, c.timeMS)
		c.latestMS, c.lateMS = latest, latest-c.timeMS
		if err := c.insert(tx); err != nil {
			return fmt.Errorf("event %d: %w", e.Sequence, err)
		}
	}
	return nil
}

// read returns the events for which the condition on the table v holds, with what follows it. Those for which skim
// is false are not decoded.
func read(tx *state.Tx, skim func(leaf []byte) bool, condition string, args ...any) ([]Event, error) {
	rows, err := tx.Query("SELECT v.sequence, v.leaf, v.disclosures FROM events v WHERE "+condition, args...)
	if err != nil {
		return nil, err
	}
	var events []Event
	for rows.Next() {
		var sequence uint64
		var leaf, openings []byte
		if err := rows.Scan(&sequence, &leaf, &openings); err != nil {
			return nil, err
		}
		if skim != nil && !skim(leaf) {
			events = append(events, Event{Sequence: sequence})
			continue
		}
		e, err := decode(sequence, leaf, openings)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// EventIn returns the event of that sequence as the transaction sees it, or a NotFound error.
func EventIn(tx *state.Tx, sequence uint64) (Event, error) {
	events, err := read(tx, nil, "v.sequence = ?", sequence)
	if err == nil && len(events) == 0 {
		err = tallystick.Errorf(tallystick.NotFound, "there is no event %d", sequence)
	}
	if err != nil {
		return Event{}, err
	}
	return events[0], nil
}

// decode returns the event of a leaf and what opens it. It believes the disclosures, which
// Event.Data checks. The error is a *Difference.
func decode(sequence uint64, leaf, openings []byte) (Event, error) {
	damaged := func(what string, err error) (Event, error) {
		return Event{}, &Difference{Sequence: sequence, Reason: fmt.Sprintf("%s: %v", what, err)}
	}
	head, err := verify.ReadEvent(leaf, "actor", "model", "outcome", "resource")
	if err != nil {
		return damaged("its leaf is damaged", err)
	}
	e := Event{Sequence: sequence, ID: head.ID, Type: Type(head.Type), Time: head.Time, Leaf: leaf, written: head.Sequence, sealed: new(sealed)}
	if e.Disclosures, err = verify.ParseOpenings(openings); err != nil {
		return damaged("its disclosures are damaged", err)
	}
	outcome, _ := head.Data["outcome"].(string)
	e.Outcome = tallystick.Outcome(outcome)
	e.Model, _ = head.Data["model"].(string)
	resource, _ := head.Data["resource"].(map[string]any)
	e.Resource.Type, _ = resource["type"].(string)
	e.Resource.ID, _ = resource["id"].(string)
	actor, _ := head.Data["actor"].(map[string]any)
	e.ActorKind, _ = actor["kind"].(string)
	for _, d := range e.Disclosures {
		if d.Pointer == "/actor/id" {
			if err := json.Unmarshal(d.Value, &e.Actor); err != nil {
				return damaged("the disclosure of its actor is damaged", err)
			}
		}
	}
	return e, nil
}
