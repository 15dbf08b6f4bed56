package monitor

import (
	"context"
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// agreementCheck says whether drift foretells what labels show: of earlier windows, in how many both said the same.
type agreementCheck struct {
	windows int64
	least   *float64
}

func newAgreementCheck() *agreementCheck { return &agreementCheck{windows: 30} }

func (*agreementCheck) about() About {
	return About{
		Key:    "agreement",
		Method: "share of the last 30 labelled windows before this one in which drift (warn or fail) and performance (warn or fail) say the same, 95 % Wilson interval",
		Fails:  "never; `warn` if the interval lies below `min`",
		Why:    "off. It says whether drift alarms of this model mean anything: what drifts without doing worse is a limit that is too narrow, and what does worse without drift is seen by labels alone",
	}
}

// maxAgreement bounds the judgements that are read for one.
const maxAgreement = 200

func (c *agreementCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var windows *int64
		if err := d.Mapping(node, path, yamldoc.Key("windows", d.Count(&windows, 5)), yamldoc.Key("min", d.Share(&c.least))); err != nil {
			return err
		}
		if windows != nil {
			if c.windows = *windows; c.windows > maxAgreement {
				return d.Errorf(node, "%s.windows is %d: at most %d are read", path, c.windows, maxAgreement)
			}
		}
		return nil
	}
}

// told counts windows by what drift and labels said of them.
type told struct{ both, drifted, worse, neither int64 }

func (c *agreementCheck) begin(ctx context.Context, s *subject) (*look, error) {
	if s.document.Checks.Labels == nil {
		return nil, nil
	}
	t, err := s.turnedOut(ctx)
	if err != nil {
		return nil, err
	}
	if r := t.unready("agreement", "agreement/1"); r != nil {
		return &look{judge: func(*facts) []Row { return []Row{*r} }}, nil
	}
	var digests []tallystick.Digest
	err = s.office.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		newest := t.judged
		digests, err = state.Collect(tx, func(row state.Scanner) (d tallystick.Digest, err error) {
			var event int64
			err = row.Scan(&event, &d)
			newest = max(newest, uint64(event))
			return d, err
		}, `SELECT event, digest FROM window_judgements j WHERE monitor = ? AND from_us < ? AND labelled > 0
			AND event = (SELECT max(event) FROM window_judgements n WHERE n.monitor = j.monitor AND n.from_us = j.from_us AND n.event <= ?) ORDER BY from_us DESC `+state.Limit,
			s.document.Name, s.window.From.UnixMicro(), bound(s.selection.Registered), c.windows)
		if err == nil {
			t.judged = newest
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("labelled windows of %s before %s: %w", s.document.Name, s.window, err)
	}
	var all told
	for _, digest := range digests {
		data, err := s.office.config.Evidence.Get(ctx, digest)
		if err != nil {
			return nil, fmt.Errorf("judgement %s: %w", digest, err)
		}
		j, err := ParseJudgement(data)
		if err != nil {
			return nil, err
		}
		all.add(&j)
	}
	return &look{judge: func(*facts) []Row { return []Row{c.row(all)} }}, nil
}

func (t *told) add(j *WindowJudgement) {
	said := map[string]bool{}
	wrong := map[string]bool{}
	for _, r := range j.Rows {
		said[r.Check] = said[r.Check] || r.Verdict != tallystick.Insufficient
		wrong[r.Check] = wrong[r.Check] || r.Verdict == tallystick.Warn || r.Verdict == tallystick.Fail
	}
	switch {
	case !said["drift"] || !said["performance"]:
	case wrong["drift"] && wrong["performance"]:
		t.both++
	case wrong["drift"]:
		t.drifted++
	case wrong["performance"]:
		t.worse++
	default:
		t.neither++
	}
}

// minAgreement is from how many windows on the share is told.
const minAgreement = 5

func (c *agreementCheck) row(t told) Row {
	p := stat.Proportion{K: t.both + t.neither, N: t.both + t.drifted + t.worse + t.neither}
	r := Row{
		Check: "agreement", Method: "agreement/1: share of windows, 95 % Wilson interval", N: p.N, Measure: "share of windows", Value: stat.Number(math.NaN()), Warn: c.least, Verdict: tallystick.Insufficient,
		Words: fmt.Sprintf("%d windows were judged by drift and by labels: too few to say whether they agree.", p.N),
	}
	if c.least != nil {
		r.Origin = ofMonitor
	}
	if p.N < minAgreement {
		return r
	}
	i := p.Wilson(stat.Confidence)
	r.Value, r.Low, r.High, r.Verdict = stat.Number(p.Rate()), &i.Low, &i.High, tallystick.Pass
	if c.least != nil && i.High < *c.least {
		r.Verdict = tallystick.Warn
	}
	r.Words = fmt.Sprintf("In %s of %d windows drift and labels said the same: %d drifted and did worse, %d neither; %d drifted and did no worse, %d did worse without drift.",
		figure.Percent(p.Rate()), p.N, t.both, t.neither, t.drifted, t.worse)
	return r
}
