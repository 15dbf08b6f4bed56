package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	routedAtOnce = 64  // segments that are looked up together
	openedAtOnce = 500 // cases of one transaction
	maxPerStop   = 100_000
	cursorName   = "segments"
)

// Route asks the rules of every segment that came on record since it was called last, in order, and opens
// the cases that they choose. A rule is asked of the segments that came after it was defined. It goes on
// where it was cut off; no case is opened twice.
func (d *Desk) Route(ctx context.Context) error {
	for {
		after, known, err := d.standing(ctx)
		if err != nil {
			return fmt.Errorf("open cases: %w", err)
		}
		sealed, err := d.config.Segments.Sealed(ctx, after, routedAtOnce)
		if err != nil || len(sealed) == 0 {
			return err
		}
		for _, s := range sealed {
			if err := d.route(ctx, s, after, known); err != nil {
				return fmt.Errorf("open cases of segment %s: %w", s.Segment, err)
			}
			after = s.Event
		}
	}
}

// standing returns up to which event segments were routed, and the rules.
func (d *Desk) standing(ctx context.Context) (after uint64, known []CaseRule, err error) {
	err = d.config.DB.Read(ctx, func(tx *state.Tx) error {
		if after, err = cursor(tx); err != nil {
			return err
		}
		known, err = rules(tx, "")
		return err
	})
	return after, known, err
}

func cursor(tx *state.Tx) (at uint64, err error) {
	err = tx.QueryRow("SELECT coalesce(max(event), 0) FROM case_cursors WHERE name = ?", cursorName).Scan(&at)
	return at, err
}

// route opens the cases of one segment.
func (d *Desk) route(ctx context.Context, s archive.Sealed, after uint64, known []CaseRule) error {
	var asked []*asked
	for _, r := range known {
		if r.Model != s.Model || r.Removed || r.Event > s.Event {
			continue
		}
		tier, err := d.tier(ctx, r.Model)
		if err != nil {
			return err
		}
		a, err := ask(r, tier)
		if err != nil {
			return err
		}
		asked = append(asked, a)
	}
	if len(asked) > 0 {
		for e, err := range d.config.Segments.Entries(ctx, s.Segment) {
			if err != nil {
				return err
			}
			if e.Encoding == nil { // erased
				continue
			}
			r, err := prediction.Decode(e.Encoding)
			if err != nil {
				return err
			}
			for _, a := range asked {
				a.look(&r, e.Leaf)
			}
		}
	}
	return d.commit(ctx, s, after, asked)
}

// tier returns the risk tier that a model has now.
func (d *Desk) tier(ctx context.Context, model string) (tallystick.Tier, error) {
	m, err := d.config.Models.Model(ctx, model)
	if err != nil {
		return "", err
	}
	return m.Tier, nil
}

// asked is a rule while a segment is looked at.
type asked struct {
	CaseRule
	chooser *selection.Chooser
	strata  map[place]*stratum
}

// place is where coverage is counted.
type place struct {
	day     int64
	stratum string // as JSON
}

// stratum is what a rule found in one place: how many records it holds for, and those that can become cases, in
// the order of their draws.
type stratum struct {
	values []string
	held   int64
	drawn  []candidate
	over   int64 // were chosen, and are more than the rule takes in a day
}

// candidate is a record that may become a case. Its draw is a number from 0 to 1 that follows from its leaf, in
// which there are 16 random bytes of ours: its sender cannot choose it, and who has the record can check it.
type candidate struct {
	change *Opened
	draw   float64
}

func ask(r CaseRule, tier tallystick.Tier) (*asked, error) {
	c, err := selection.New(selection.Rule{Purpose: "case", Model: r.Model, Name: r.Name, Terms: r.Terms}, tier)
	return &asked{CaseRule: r, chooser: c, strata: map[place]*stratum{}}, err
}

// look notes a record if the rule holds for it.
func (a *asked) look(r *prediction.Record, leaf prediction.Leaf) {
	if !a.chooser.Holds(r) {
		return
	}
	values, text := a.chooser.Stratum(r)
	at := place{day: dayOf(r.Time), stratum: text}
	s := a.strata[at]
	if s == nil {
		if len(a.strata) >= maxPerStop { // values without end are no strata: the rest counts as one
			at.stratum = `["` + selection.Rest + `"]`
			if s = a.strata[at]; s == nil {
				s = &stratum{values: []string{selection.Rest}}
				a.strata[at] = s
			}
		} else {
			s = &stratum{values: values}
			a.strata[at] = s
		}
	}
	s.held++
	c := candidate{draw: a.chooser.Draw(leaf[:])}
	if c.draw >= a.Share && a.AtLeast == 0 {
		return
	}
	c.change = opened(r)
	c.change.Rule, c.change.Queue, c.change.Stratum = a.Name, a.Queue, s.values
	c.change.Second = a.chooser.DrawOf("second", leaf[:]) < a.Second
	c.change.Due = 0 // known when it is opened
	i, _ := slices.BinarySearchFunc(s.drawn, c.draw, func(x candidate, draw float64) int {
		if x.draw < draw {
			return -1
		}
		return 1
	})
	s.drawn = slices.Insert(s.drawn, i, c)
	// Beyond the share only the lowest draws can still be taken, to have at least so many.
	if most := max(int(a.AtLeast), 0); len(s.drawn) > most && s.drawn[len(s.drawn)-1].draw >= a.Share {
		s.drawn = s.drawn[:len(s.drawn)-1]
	}
	if len(s.drawn) > int(a.Most) {
		s.drawn = s.drawn[:len(s.drawn)-1]
		s.over++
	}
}

func dayOf(t prediction.Time) int64 {
	const day = int64(24 * time.Hour / time.Microsecond)
	n := int64(t) / day
	if int64(t)%day < 0 {
		n--
	}
	return n
}

// commit opens the cases of a segment and moves the cursor over it, in as many transactions as it takes: the
// cursor moves with the last, and a prediction that has a case gets no other.
func (d *Desk) commit(ctx context.Context, s archive.Sealed, after uint64, asked []*asked) error {
	write := func(fn func(tx *state.Tx) error) error {
		return d.config.DB.Write(ctx, func(tx *state.Tx) error {
			switch is, err := cursor(tx); {
			case err != nil:
				return err
			case is != after:
				return fmt.Errorf("segments are routed up to event %d, not %d: somebody else routes them", is, after)
			}
			return fn(tx)
		})
	}
	for _, a := range asked {
		for _, at := range sortedPlaces(a.strata) {
			st := a.strata[at]
			for from := 0; from < len(st.drawn); from += openedAtOnce {
				some, left := st.drawn[from:min(from+openedAtOnce, len(st.drawn))], int64(0)
				if err := write(func(tx *state.Tx) (err error) {
					left, err = d.openSome(tx, a, at, some)
					return err
				}); err != nil {
					return err
				}
				st.over += left // is counted with the cursor: a stop before that has them all left out again
			}
		}
	}
	return write(func(tx *state.Tx) error {
		for _, a := range asked {
			for _, at := range sortedPlaces(a.strata) {
				if err := a.count(tx, at, "held", a.strata[at].held); err != nil {
					return err
				}
				if err := a.count(tx, at, "left_out", a.strata[at].over); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec("INSERT INTO case_cursors (name, event) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET event = excluded.event", cursorName, s.Event)
		return err
	})
}

func sortedPlaces(strata map[place]*stratum) []place {
	all := make([]place, 0, len(strata))
	for at := range strata {
		all = append(all, at)
	}
	slices.SortFunc(all, func(a, b place) int {
		if a.day != b.day {
			return int(a.day - b.day)
		}
		return strings.Compare(a.stratum, b.stratum)
	})
	return all
}

// openSome opens those candidates that the rule's bounds of the day allow, counts them, and returns how many
// it left out.
func (d *Desk) openSome(tx *state.Tx, a *asked, at place, some []candidate) (left int64, err error) {
	var today, here int64
	err = tx.QueryRow(`SELECT coalesce(sum(taken), 0), coalesce(sum(CASE WHEN stratum = ? THEN taken ELSE 0 END), 0) FROM case_coverage
		WHERE model = ? AND rule = ? AND day = ?`, at.stratum, a.Model, a.Name, at.day).Scan(&today, &here)
	if err != nil {
		return 0, err
	}
	var taken int64
	for _, c := range some {
		if c.draw >= a.Share && here+taken >= a.AtLeast {
			continue
		}
		var has bool
		if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM cases WHERE prediction = ?)", c.change.Prediction).Scan(&has); err != nil {
			return 0, err
		}
		if has { // chosen by another rule, or before a stop
			continue
		}
		if today+taken >= a.Most {
			left++
			continue
		}
		c.change.Due = tx.Now().Add(a.Within.duration()).UnixMilli()
		if _, err := d.config.Recorder.Commit(tx, trail.Act{Actor: d.config.Actor}, c.change); err != nil {
			return 0, err
		}
		taken++
	}
	return left, a.count(tx, at, "taken", taken)
}

// count adds to a column of coverage.
func (a *asked) count(tx *state.Tx, at place, column string, n int64) error {
	if n == 0 {
		return nil
	}
	counts := map[string]int64{column: n}
	_, err := tx.Exec(`INSERT INTO case_coverage (model, rule, day, stratum, held, taken, left_out) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (model, rule, day, stratum) DO UPDATE SET held = case_coverage.held + excluded.held, taken = case_coverage.taken + excluded.taken,
		left_out = case_coverage.left_out + excluded.left_out`, a.Model, a.Name, at.day, at.stratum, counts["held"], counts["taken"], counts["left_out"])
	return err
}
