package objective

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// hourly counts hours in which something was in force: an evaluation that passed, or a version that is young enough. An hour is
// what it was when it began.
type hourly struct {
	office *Office
	doc    *Document
}

func (h *hourly) newest(ctx context.Context, until uint64) (newest uint64, err error) {
	moments, err := h.moments(ctx, until)
	for _, m := range moments {
		newest = max(newest, m.event)
	}
	return newest, err
}

func (h *hourly) touched(_ context.Context, from time.Time, earlier, later mark) ([]Stretch, error) {
	return hoursBetween(from, earlier, later), nil
}

func (h *hourly) count(ctx context.Context, s Stretch, until uint64, add func(at time.Time, good bool)) error {
	moments, err := h.moments(ctx, until)
	if err != nil {
		return err
	}
	for at := s.From.Truncate(time.Hour); at.Before(s.To); at = at.Add(time.Hour) {
		if at.Before(s.From) {
			continue
		}
		good, begun := false, false
		for _, m := range moments {
			if m.at.After(at) {
				continue
			}
			begun = true
			good = good || m.counts && at.Sub(m.at) < h.doc.Parameters.Every
		}
		// Before the first version there was nothing to train anew; an audit is owed from the first hour on.
		if begun || h.doc.Indicator == "audited" {
			add(at, good)
		}
	}
	return nil
}

// happened is when an evaluation or a version came on record.
type happened struct {
	at     time.Time
	event  uint64
	counts bool
}

// maxMoments bounds the evaluations and versions that are looked at, the newest ones.
const maxMoments = 1000

func (h *hourly) moments(ctx context.Context, until uint64) (all []happened, err error) {
	if h.doc.Indicator == "retrained" {
		versions, err := h.office.config.Catalog.Versions(ctx, catalog.VersionFilter{Model: h.doc.Model, Limit: maxMoments})
		for _, v := range versions {
			if until == 0 || v.First <= until {
				all = append(all, happened{v.Created, v.First, true})
			}
		}
		return all, err
	}
	evaluations, err := h.office.config.Catalog.Evidence(ctx, catalog.EvidenceFilter{Model: h.doc.Model, Kind: catalog.EvaluationEvidence, Limit: maxMoments})
	for _, e := range evaluations {
		if until == 0 || e.Event <= until {
			all = append(all, happened{e.Recorded, e.Event, e.Verdict == tallystick.Pass})
		}
	}
	return all, err
}
