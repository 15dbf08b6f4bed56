package catalog

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// AtQuery asks what served at a moment, or at any time of a span.
type AtQuery struct {
	From     time.Time
	Until    time.Time // exclusive; zero: the moment From
	Personal bool      // names people, for those who may see that
	People   People    // give names to the ids of people if Personal is set; nil: they stay ids
}

// Serving is a version that served, who put it there and on what evidence.
type Serving struct {
	Environment string     `json:"environment"`
	Version     string     `json:"version"`
	Role        string     `json:"role" doc:"champion, challenger, shadow or canary"`
	Percent     int64      `json:"percent" doc:"share of the traffic"`
	Observed    bool       `json:"observed" doc:"it was found there; nobody asked before"`
	Since       time.Time  `json:"since"`
	Until       time.Time  `json:"until,omitzero" doc:"when it was taken out; absent if it still serves"`
	By          string     `json:"by,omitempty" doc:"id of who put it there; absent for those who may not see it"`
	ByName      string     `json:"by_name,omitempty" doc:"name of who put it there, of a user of the registry"`
	ByKind      string     `json:"by_kind" doc:"person, service or program"`
	Reason      string     `json:"reason,omitempty" doc:"why; absent for those who may not see it"`
	Event       uint64     `json:"event" doc:"sequence of the event that put it there"`
	EventID     string     `json:"event_id"`
	Evidence    []Evidence `json:"evidence" doc:"the newest of each kind that was on record when it was put there"`
	Words       string     `json:"words"`
}

// Moment is what served of a model at a moment, or during a span.
type Moment struct {
	Model   string    `json:"model"`
	From    time.Time `json:"from"`
	Until   time.Time `json:"until,omitzero"`
	Serving []Serving `json:"serving"`
}

// maxServing bounds the assignments of one answer, and maxShown the evidence that one of them is looked through for.
const (
	maxServing = 1000
	maxShown   = 1000
)

// At says what served of a model in each environment, by environment, who put it there and on what
// evidence. Times are those at which assignments were recorded.
func (c *Catalog) At(ctx context.Context, name string, q AtQuery) (Moment, error) {
	if q.From.IsZero() || !q.Until.IsZero() && !q.From.Before(q.Until) {
		return Moment{}, tallystick.Errorf(tallystick.Invalid, "the time from %s until %s is none", q.From.Format(time.RFC3339), q.Until.Format(time.RFC3339))
	}
	moment := Moment{Model: name, From: q.From, Until: q.Until}
	err := c.db.Read(ctx, func(tx *state.Tx) error {
		if _, err := model(tx, name); err != nil {
			return err
		}
		last := q.From.UnixMilli()
		if !q.Until.IsZero() {
			last = q.Until.UnixMilli() - 1
		}
		var err error
		moment.Serving, err = state.Collect(tx, scanServing, `SELECT environment, version, role, percent, observed, reason, from_ms, until_ms, event FROM assignments
			WHERE model = ? AND from_ms <= ? AND (until_ms IS NULL OR until_ms > ?) ORDER BY environment, role, event `+state.Limit,
			name, last, q.From.UnixMilli(), maxServing)
		if err != nil {
			return err
		}
		for i := range moment.Serving {
			s := &moment.Serving[i]
			if s.Evidence, err = evidenceBefore(tx, name, s.Version, s.Event); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range moment.Serving {
		if err == nil {
			err = c.tell(ctx, &moment.Serving[i], name, q)
		}
	}
	if err != nil {
		return Moment{}, fmt.Errorf("what served of %s: %w", name, err)
	}
	return moment, nil
}

func scanServing(row state.Scanner) (s Serving, err error) {
	var since int64
	var until sql.NullInt64
	err = row.Scan(&s.Environment, &s.Version, &s.Role, &s.Percent, &s.Observed, &s.Reason, &since, &until, &s.Event)
	s.Since, s.Until = moment(since), moment(until.Int64)
	return s, err
}

// evidenceBefore returns the newest evidence of each kind and name, of the version or of the model,
// that was recorded before an event.
func evidenceBefore(tx *state.Tx, model, version string, event uint64) (newest []Evidence, err error) {
	all, err := state.Collect(tx, scanEvidence, "SELECT "+evidenceColumns+` FROM evidence
		WHERE model = ? AND event < ? AND (version = ? OR version = '') ORDER BY event DESC, id `+state.Limit, model, int64(event), version, maxShown)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if !slices.ContainsFunc(newest, func(n Evidence) bool { return n.Kind == e.Kind && n.Name == e.Name }) {
			newest = append(newest, e)
		}
	}
	return newest, nil
}

// tell adds what the event of an assignment says.
func (c *Catalog) tell(ctx context.Context, s *Serving, model string, q AtQuery) error {
	e, err := c.events.Event(ctx, strconv.FormatUint(s.Event, 10))
	if err != nil {
		return err
	}
	data, err := e.Data()
	if err != nil {
		return err
	}
	names, err := namesOf(ctx, q.Personal, q.People, []touch{{e, data}})
	if err != nil {
		return err
	}
	line := newLine(touch{e, data}, sight{personal: q.Personal, names: names})
	s.By, s.ByName, s.ByKind, s.EventID = line.Actor, line.ActorName, line.ActorKind, line.ID
	if !q.Personal {
		s.Reason = ""
	}
	who := cmp.Or(s.ByName, s.By, "a "+s.ByKind)
	s.Words = fmt.Sprintf("%s@%s served in %s as %s since %s, put there by %s (event %d)",
		model, s.Version, s.Environment, s.Role, s.Since.Format(time.RFC3339), who, s.Event)
	if s.Observed {
		s.Words = fmt.Sprintf("%s@%s was found serving in %s as %s on %s, told by %s (event %d)",
			model, s.Version, s.Environment, s.Role, s.Since.Format(time.RFC3339), who, s.Event)
	}
	if len(s.Evidence) == 0 {
		s.Words += ", with no evidence on record"
		return nil
	}
	s.Words += ", on " + list(s.Evidence, func(e Evidence) string {
		words := string(e.Kind)
		if e.Kind == DocumentEvidence {
			words = e.Name
		}
		if e.Verdict != "" {
			words += " (" + string(e.Verdict) + ")"
		}
		return words
	})
	return nil
}
