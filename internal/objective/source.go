package objective

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
)

// mark is up to where something was looked at: an event of the trail, and a time of the clock.
type mark struct {
	Event uint64    `json:"event"`
	Time  time.Time `json:"time"`
}

// source counts the events of one objective.
type source interface {
	// newest returns the sequence of the newest event, up to until, by which something came on record that can be counted; 0
	// if nothing has.
	newest(ctx context.Context, until uint64) (uint64, error)
	// touched returns when something happened, from a time on, of which a later mark can know more than an earlier one.
	touched(ctx context.Context, from time.Time, earlier, later mark) ([]Stretch, error)
	// count adds what happened in a Stretch, as events up to until say.
	count(ctx context.Context, s Stretch, until uint64, add func(at time.Time, good bool)) error
}

// source returns what counts for a document, and what the counts rest on besides it: those of another basis are none.
func (o *Office) source(ctx context.Context, d *Document, until uint64) (s source, basis tallystick.Digest, err error) {
	p := d.Parameters
	switch d.Indicator {
	case "in_time":
		return &records{o, d, []string{"latency_us"}, func(b *query.Block, k int) (good, valid bool) {
			us, timed := b.Number(first, k)
			return us <= float64(p.Limit.Microseconds()), timed
		}}, "", nil
	case "answered":
		return &records{o, d, []string{"status"}, func(b *query.Block, k int) (good, valid bool) {
			s, _ := b.Text(first, k)
			return string(s) != string(prediction.Failed) && string(s) != string(prediction.TimedOut), true
		}}, "", nil
	case "share":
		var columns []string
		for _, c := range p.Good {
			columns = append(columns, c.Column)
		}
		return &records{o, d, columns, func(b *query.Block, k int) (good, valid bool) {
			good, valid = true, true
			for i := range p.Good {
				good = p.Good[i].HoldsOf(b.Value(first+i, k)) && good
			}
			return good, valid
		}}, "", nil
	case "valid_input", "in_domain":
		return o.referred(ctx, d, until)
	case "correct", "no_false_alarm", "no_miss":
		return &matured{o, d}, "", nil
	case "stable", "drift_explained":
		return &windows{o, d}, "", nil
	case "not_overridden":
		return &decided{o, d}, "", nil
	case "audited", "retrained":
		return &hourly{o, d}, "", nil
	case "canary_agrees":
		return &pairs{o, d}, "", nil
	}
	return nil, "", fmt.Errorf("objective %s: nothing counts %s here", d.Name, d.Indicator)
}

// selection returns the predictions that the document is about, of a time.
func (d *Document) selection(s Stretch) query.Selection {
	q := query.Selection{Model: d.Model, From: s.From, To: s.To, Where: append([]query.Condition(nil), d.Where...)}
	if d.Version != "" && d.Version != champion && d.Parameters.Against == "" {
		q.Where = append(q.Where, query.Equals("version", d.Version))
	}
	if d.Environment != "" {
		q.Where = append(q.Where, query.Equals("environment", d.Environment))
	}
	return q
}

// reigns says which version was champion when. Nil says that it does not matter.
type reigns []catalog.Assignment

// maxReigns bounds the assignments that are looked at: those before are not known.
const maxReigns = 1000

func (o *Office) reigns(ctx context.Context, d *Document) (r reigns, err error) {
	if d.Version != champion && d.Parameters.Against != champion {
		return nil, nil
	}
	all, err := o.config.Catalog.Assignments(ctx, catalog.AssignmentFilter{Environment: d.Environment, Model: d.Model, Limit: maxReigns})
	r = reigns{}
	for _, a := range all {
		if a.Role == catalog.Champion {
			r = append(r, a)
		}
	}
	return r, err
}

func (r reigns) had(version string, at time.Time) bool {
	if r == nil {
		return true
	}
	for _, a := range r {
		if a.Version == version && !at.Before(a.From) && (a.Until.IsZero() || at.Before(a.Until)) {
			return true
		}
	}
	return false
}
