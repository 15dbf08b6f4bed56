package reaction

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/state"
)

// ReportSchema names the form of a report.
const ReportSchema = "tallystick.retrain.report/1"

// RetrainReport is what a pipeline needs that trains a model anew. It has figures of what drifted and names no value of a
// prediction, so that a program may read it that may not read predictions; the digests of judgements lead to the rest.
type RetrainReport struct {
	Schema      string             `json:"schema"`
	Model       string             `json:"model"`
	Version     string             `json:"version,omitempty" doc:"that is to be replaced"`
	Digest      tallystick.Digest  `json:"version_digest,omitempty" doc:"of its files"`
	Environment string             `json:"environment,omitempty"`
	Words       string             `json:"words" doc:"why, in a sentence"`
	Cause       string             `json:"cause,omitempty" doc:"alert/ID or comparison/NAME@VERSION; absent: a person asked"`
	Rule        string             `json:"rule,omitempty"`
	Incident    string             `json:"incident,omitempty"`
	Reaction    string             `json:"reaction,omitempty"`
	Made        time.Time          `json:"made"`
	LearnedFrom []catalog.DataLink `json:"learned_from,omitempty" doc:"snapshots of data sets that the version rests on"`
	Drift       []DriftReport      `json:"drift,omitempty" doc:"judgements of the time that did not pass, what was judged last first"`
	Reference   tallystick.Digest  `json:"reference_digest,omitempty" doc:"of what the newest of them compared with"`
	Snapshot    PredictionSnapshot `json:"snapshot" doc:"predictions to learn from"`
	Missing     []string           `json:"missing,omitempty" doc:"what could not be read, or was left out, and why"`
}

// DriftReport is a judgement with the rows that did not pass.
type DriftReport struct {
	Monitor   string             `json:"monitor"`
	From      time.Time          `json:"from"`
	To        time.Time          `json:"to"`
	Verdict   tallystick.Verdict `json:"verdict"`
	Judgement tallystick.Digest  `json:"judgement_digest"`
	Rows      []DriftRow         `json:"rows" doc:"the worst first"`
}

// DriftRow is a check that did not pass, in figures.
type DriftRow struct {
	Check     string             `json:"check"`
	Subject   string             `json:"subject,omitempty" doc:"feature, quantile or group"`
	Role      string             `json:"role,omitempty"`
	Method    string             `json:"method"`
	N         int64              `json:"n"`
	Against   int64              `json:"n_reference,omitempty"`
	Measure   string             `json:"measure"`
	Value     stat.Number        `json:"value"`
	Low       *float64           `json:"low,omitempty"`
	High      *float64           `json:"high,omitempty"`
	Threshold *float64           `json:"threshold,omitempty"`
	Verdict   tallystick.Verdict `json:"verdict"`
}

// PredictionSnapshot chooses predictions so that the same ones are chosen whenever it is asked.
type PredictionSnapshot struct {
	Model       string              `json:"model"`
	Version     string              `json:"version,omitempty"`
	Environment string              `json:"environment,omitempty"`
	From        time.Time           `json:"from"`
	To          time.Time           `json:"to" doc:"exclusive"`
	Registered  uint64              `json:"registered" doc:"what came on record by later events than that sequence is left out; 0: there is none"`
	Predictions int64               `json:"predictions"`
	Segments    []query.SegmentRoot `json:"segments,omitempty" doc:"that have predictions of that time, with the roots by which they are proven"`
	Command     string              `json:"command" doc:"exports exactly those"`
}

// The bounds of a report.
const (
	maxDrift    = 20   // judgements
	maxRows     = 50   // rows of each
	maxSegments = 1000 // roots
)

// NewRetrain is why a person asks that a model be trained anew.
type NewRetrain struct {
	Model       string `json:"model" maxLength:"128" doc:"name of the model"`
	Version     string `json:"version,omitempty" maxLength:"128" doc:"version that is to be replaced"`
	Environment string `json:"environment,omitempty" maxLength:"128" doc:"where"`
	Alert       string `json:"alert,omitempty" maxLength:"64" doc:"id of the alert that is the reason"`
	Days        int64  `json:"days,omitempty" minimum:"0" maximum:"90" doc:"predictions of so many days before are meant; 7, if absent"`
	Reason      string `json:"reason" maxLength:"4096" doc:"why"`
}

// PrepareRetrain gathers and keeps the report of a request by a person, and returns the change.
func (o *Office) PrepareRetrain(ctx context.Context, in NewRetrain) (*RetrainRequested, error) {
	if in.Reason == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "why the model is to be trained anew is not said").WithHint("add --reason TEXT")
	}
	if err := tallystick.ValidateText("reason", in.Reason, maxText); err != nil {
		return nil, err
	}
	if in.Days < 0 || in.Days > 90 {
		return nil, tallystick.Errorf(tallystick.Invalid, "predictions of 1 to 90 days are meant, not of %d", in.Days)
	}
	t := training{Model: in.Model, Version: in.Version, Environment: in.Environment, Window: time.Duration(in.Days) * 24 * time.Hour, Reason: in.Reason}
	if t.Window == 0 {
		t.Window = usualWindow
	}
	if in.Alert != "" {
		a, err := o.config.Alerts.Alert(ctx, in.Alert)
		if err != nil {
			return nil, err
		}
		if a.Model != in.Model {
			return nil, tallystick.Errorf(tallystick.Conflict, "the alert %s is about %s, not %s", a.ID, a.Model, in.Model)
		}
		c := causeOf(&a)
		t.Cause = &c
		err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
			i, _, err := o.incidentOf(tx, &c)
			t.Incident = i.ID
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return o.gather(ctx, t)
}

// training is what a report is gathered for.
type training struct {
	Model, Version, Environment string
	Cause                       *Cause // nil: a person asks
	Window                      time.Duration
	Reaction, Incident, Reason  string
}

// gather gathers and keeps a report, and returns the change that asks for the training. What cannot be read is named in it.
func (o *Office) gather(ctx context.Context, t training) (*RetrainRequested, error) {
	now := o.config.Now().UTC().Truncate(time.Millisecond)
	r := &RetrainReport{
		Schema: ReportSchema, Model: t.Model, Version: t.Version, Environment: t.Environment, Words: "A person asked for it.", Incident: t.Incident, Reaction: t.Reaction, Made: now,
		Snapshot: PredictionSnapshot{Model: t.Model, Version: t.Version, Environment: t.Environment, To: now},
	}
	if c := t.Cause; c != nil {
		r.Cause, r.Rule, r.Words = c.Name, c.Rule, c.About
		if c.To.After(c.From) { // the clock of predictions need not be that of the server
			r.Snapshot.To = c.To.UTC().Truncate(time.Millisecond)
		}
	}
	r.Snapshot.From = r.Snapshot.To.Add(-t.Window)
	if _, err := o.config.Catalog.Model(ctx, t.Model); err != nil {
		return nil, err
	}
	if t.Version != "" {
		v, err := o.config.Catalog.Version(ctx, t.Model, t.Version)
		if err != nil {
			return nil, err
		}
		r.Digest = v.Digest
	}
	for _, part := range []struct {
		what string
		read func(context.Context, *RetrainReport) error
	}{{"the data that the version learned from", o.gatherData}, {"judgements", o.gatherDrift}, {"predictions", o.gatherSnapshot}} {
		if err := part.read(ctx, r); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			r.Missing = append(r.Missing, part.what+": "+words(err))
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("report about %s: %w", t.Model, err)
	}
	digest, err := o.config.Evidence.Put(ctx, data)
	if err != nil {
		return nil, err
	}
	return &RetrainRequested{
		Model: t.Model, Version: t.Version, Environment: t.Environment, Reaction: t.Reaction, Cause: r.Cause, Rule: r.Rule, Incident: t.Incident, Report: digest,
		From: r.Snapshot.From.UnixMilli(), To: r.Snapshot.To.UnixMilli(), Predictions: r.Snapshot.Predictions, Known: r.Snapshot.Registered, Reason: t.Reason,
	}, nil
}

func (o *Office) gatherData(ctx context.Context, r *RetrainReport) (err error) {
	if r.Version == "" {
		return errors.New("no version is named")
	}
	r.LearnedFrom, err = o.config.Catalog.Links(ctx, catalog.LinkFilter{Model: r.Model, Version: r.Version, Limit: maxListed})
	if err == nil && len(r.LearnedFrom) == 0 {
		r.Missing = append(r.Missing, "the data that the version learned from: none is on record")
	}
	return err
}

func (o *Office) gatherDrift(ctx context.Context, r *RetrainReport) error {
	found, err := o.config.Monitors.Judged(ctx, monitor.JudgedFilter{Model: r.Model, From: r.Snapshot.From, To: r.Snapshot.To, ByWindow: true, Limit: maxListed})
	if err != nil {
		return err
	}
	for _, j := range found {
		if j.Verdict == tallystick.Pass || r.Version != "" && j.Version != "" && j.Version != r.Version {
			continue
		}
		if len(r.Drift) == maxDrift {
			r.Missing = append(r.Missing, fmt.Sprintf("judgements: those of windows before %s", stamp(r.Drift[maxDrift-1].From)))
			break
		}
		whole, err := o.config.Monitors.Judgement(ctx, j.Judgement)
		if err != nil {
			return err
		}
		d := DriftReport{Monitor: j.Monitor, From: j.From, To: j.To, Verdict: j.Verdict, Judgement: j.Judgement, Rows: []DriftRow{}}
		for _, row := range whole.Worst() {
			if row.Verdict == tallystick.Pass || len(d.Rows) == maxRows {
				break
			}
			d.Rows = append(d.Rows, DriftRow{row.Check, row.Subject, row.Role, row.Method, row.N, row.Against, row.Measure, row.Value, row.Low, row.High, row.Threshold, row.Verdict})
		}
		if r.Reference == "" {
			r.Reference = whole.Reference
		}
		r.Drift = append(r.Drift, d)
	}
	return nil
}

func (o *Office) gatherSnapshot(ctx context.Context, r *RetrainReport) error {
	s := &r.Snapshot
	known, err := o.config.Asker.Registered(ctx, s.Model, s.From, s.To, 0)
	if err != nil {
		return err
	}
	s.Registered = known.Newest
	if s.Segments, err = o.config.Asker.Roots(ctx, s.Model, s.From, s.To, s.Registered, maxSegments); err != nil {
		return err
	}
	if known.Segments > int64(len(s.Segments)) {
		r.Missing = append(r.Missing, fmt.Sprintf("predictions: %d of %d segments are not told of, or are not kept any more", known.Segments-int64(len(s.Segments)), known.Segments))
	}
	args := []string{"tallystick predictions export", s.Model, "--since", s.From.Format(time.RFC3339Nano), "--until", s.To.Format(time.RFC3339Nano)}
	chosen := query.Selection{Model: s.Model, From: s.From, To: s.To, Registered: s.Registered}
	if s.Version != "" {
		args, chosen.Where = append(args, "--version", s.Version), append(chosen.Where, query.Equals("version", s.Version))
	}
	if s.Environment != "" {
		args, chosen.Where = append(args, "--where", "'environment = "+s.Environment+"'"), append(chosen.Where, query.Equals("environment", s.Environment))
	}
	if s.Registered > 0 {
		args = append(args, "--registered", fmt.Sprint(s.Registered))
	}
	s.Command = strings.Join(append(args, "-o predictions.parquet"), " ")
	if s.Registered == 0 {
		return nil
	}
	counted, err := o.config.Asker.Aggregate(ctx, query.Figures{Selection: chosen})
	s.Predictions = counted.Predictions
	return err
}

// ParseReport reads a report.
func ParseReport(data []byte) (r RetrainReport, err error) {
	if err := json.Unmarshal(data, &r); err != nil || r.Schema != ReportSchema {
		return r, tallystick.Errorf(tallystick.Invalid, "that is no report of the form %s", ReportSchema)
	}
	return r, nil
}

// Moved returns the subjects that failed in the report, each once, the worst of the newest judgement first.
func (r *RetrainReport) Moved() (all []string) {
	for _, d := range r.Drift {
		for _, row := range d.Rows {
			name := strings.TrimSpace(row.Check + " " + row.Subject)
			if row.Verdict == tallystick.Fail && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
