package objective

import (
	"context"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
)

// matured counts predictions when their labels are mature: those that were made an age before, by the labels and records that
// were there at the end of that hour. What is known later changes no hour that has passed: an objective about labels is
// about those that came in time to be acted on, and a count that never ends would never be one.
type matured struct {
	office *Office
	doc    *Document
}

func (m *matured) newest(ctx context.Context, until uint64) (uint64, error) {
	known, err := m.office.config.Asker.Registered(ctx, m.doc.Model, time.Time{}, time.Time{}, until)
	if err != nil {
		return 0, err
	}
	labels, err := m.office.config.Asker.Labelled(ctx, m.doc.Model, until)
	return max(known.Newest, labels), err
}

func (m *matured) touched(_ context.Context, from time.Time, earlier, later mark) ([]Stretch, error) {
	return hoursBetween(from, earlier, later), nil
}

// hoursBetween returns the hours that have ended between two marks.
func hoursBetween(from time.Time, earlier, later mark) []Stretch {
	if since := earlier.Time.Truncate(time.Hour); since.After(from) {
		from = since
	}
	if to := later.Time.Truncate(time.Hour); from.Before(to) {
		return []Stretch{{from, to}}
	}
	return nil
}

func (m *matured) count(ctx context.Context, s Stretch, until uint64, add func(at time.Time, good bool)) error {
	champions, err := m.office.reigns(ctx, m.doc)
	if err != nil {
		return err
	}
	age := m.doc.Parameters.Mature
	for at := s.From; at.Before(s.To); at = at.Add(time.Hour) {
		ends := at.Add(time.Hour)
		q := m.doc.selection(Stretch{at.Add(-age), ends.Add(-age)})
		q.AsOf = ends
		if q.Registered, err = m.office.config.Trail.NewestAt(ctx, ends); err != nil {
			return err
		}
		if until > 0 {
			q.Registered = min(q.Registered, until)
		}
		if q.Registered == 0 {
			continue // nothing was on record
		}
		for row, err := range m.office.config.Asker.Joined(ctx, q, nil, nil) {
			if err != nil {
				return err
			}
			made := row.Time.Time()
			if !row.Held.Labelled() || !champions.had(row.Version, made) {
				continue
			}
			if good, valid := m.judge(row); valid {
				add(made.Add(age), good)
			}
		}
	}
	return nil
}

// judge says whether a prediction came out right, and whether it is one that the indicator is about.
func (m *matured) judge(row *query.Row) (good, valid bool) {
	p := m.doc.Parameters
	label := plain(row.Held.Value)
	positive := plain(row.Output) == p.Positive
	if p.Threshold != nil {
		x, _ := row.Score.Float()
		if !row.Score.IsNumber() || x-x != 0 {
			return false, false
		}
		positive = x >= *p.Threshold
	} else if row.Output.IsNull() {
		return false, false
	}
	switch m.doc.Indicator {
	case "no_false_alarm":
		return !positive, label != p.Positive
	case "no_miss":
		return positive, label == p.Positive
	}
	if p.Threshold != nil {
		return positive == (label == p.Positive), true
	}
	return plain(row.Output) == label, true
}

// plain writes a value so that 1, "1" and 1.0 are alike, as labels from tables and outputs from programs are.
func plain(v prediction.Value) string {
	switch {
	case v.IsNumber():
		return strings.Trim(v.String(), `"`)
	case v.Kind() == prediction.Text:
		return v.Text()
	}
	return v.String()
}
