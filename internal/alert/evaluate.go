package alert

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// evaluation looks at observations in one transaction.
type evaluation struct {
	office   *Office
	tx       *state.Tx
	policies policies
	done     *tally
	silences []Silence
	loaded   bool
	models   map[string]*live
}

// live are the alerts of a model that are pending or firing, with their standings.
type live struct {
	alerts  map[tallystick.Digest]*open
	dropped int // observations that would have raised one, and were one too many
}

type open struct {
	Alert
	standing
}

func (e *evaluation) observe(all []Observation) error {
	e.models = map[string]*live{}
	for i := range all {
		o := &all[i]
		m, err := e.model(o.Model)
		if err != nil {
			return err
		}
		if o.Over {
			if err := e.over(m, o); err != nil {
				return err
			}
			continue
		}
		if o.Sole && settles(o.Verdict) {
			if err := e.replace(m, o); err != nil {
				return err
			}
		}
		if err := e.judge(m, o); err != nil {
			return fmt.Errorf("%s of %s: %w", o.Rule, o.Model, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.models)) {
		if err := e.bound(name, e.models[name]); err != nil {
			return err
		}
	}
	return nil
}

// model returns the alerts of a model that are pending or firing.
func (e *evaluation) model(name string) (*live, error) {
	if m := e.models[name]; m != nil {
		return m, nil
	}
	m := &live{alerts: map[tallystick.Digest]*open{}}
	all, err := alerts(e.tx, Filter{Model: name, Live: true, Limit: maxListed})
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		m.alerts[a.Fingerprint] = &open{Alert: a}
	}
	rows, err := e.tx.Query("SELECT fingerprint, recent, unjudged, unjudged_us, last_us, last_verdict, last_evidence FROM alert_standings WHERE model = ?", name)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var of tallystick.Digest
		var recent string
		var s standing
		if err := rows.Scan(&of, &recent, &s.unjudged, &s.unjudgedUs, &s.lastUs, &s.lastVerdict, &s.lastDigest); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(recent), &s.recent); err != nil {
			return nil, fmt.Errorf("standing of %s: %w", of, err)
		}
		if is := m.alerts[of]; is != nil {
			is.standing = s
		}
	}
	e.models[name] = m
	return m, rows.Err()
}

// judge takes one observation in.
func (e *evaluation) judge(m *live, o *Observation) error {
	t := e.policies.treat(o)
	fingerprint := o.Fingerprint()
	is := m.alerts[fingerprint]
	if is == nil {
		if !settles(o.Verdict) || !t.bad(o.Verdict) {
			return nil
		}
		if len(m.alerts) >= e.policies.most(o.Model) {
			m.dropped++
			return nil
		}
		is = &open{Alert: Alert{Fingerprint: fingerprint}}
		is.note(o, t.Terms)
		if is.fires(t.Terms) {
			return e.fire(m, is, o, t)
		}
		receipt, err := e.commit(&Pended{o.identity(t), o.judged()})
		if err != nil {
			return err
		}
		e.done.pending++
		return e.raised(m, is, receipt.ID)
	}
	is.note(o, t.Terms)
	switch {
	case is.State == Pending && is.fires(t.Terms):
		return e.fire(m, is, o, t)
	case is.State == Pending && is.calm(t.Terms), is.State == Firing && is.clear(t.Terms):
		change := is.resolved(causeJudged, "")
		change.Judged = o.judged()
		return e.resolve(m, is, change)
	}
	return e.keep(is)
}

func (o *Observation) identity(t treatment) Identity {
	return Identity{
		Fingerprint: o.Fingerprint(), Rule: o.Rule, Model: o.Model, Version: o.Version, Environment: o.Environment, Subject: o.Subject, Segment: o.Segment, Severity: t.severity,
	}
}

func (o *Observation) judged() Judged {
	return Judged{From: stamp(o.From), To: stamp(o.To), Verdict: o.Verdict, Evidence: o.Evidence, Event: o.Event, Words: shortened(o.Words)}
}

// maxWords bounds what an alert repeats of a judgement, in bytes.
const maxWords = 2000

func shortened(s string) string {
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + "..."
}

// fire lets an alert fire, which may have been pending.
func (e *evaluation) fire(m *live, is *open, o *Observation, t treatment) error {
	change := &Fired{Alert: is.ID, Identity: o.identity(t), Judged: o.judged(), Whole: o.Whole, Labels: t.labels, Runbook: t.runbook}
	if err := e.loadSilences(); err != nil {
		return err
	}
	about := Alert{Rule: o.Rule, Model: o.Model, Version: o.Version, Environment: o.Environment, Subject: o.Subject, Segment: o.Segment, Severity: t.severity, Labels: t.labels}
	change.SuppressedBy = suppressor(&about, m.firing(), e.silences, e.tx.Now())
	receipt, err := e.commit(change)
	if err != nil {
		return err
	}
	e.done.fired++
	id := is.ID
	if id == "" {
		id = receipt.ID
	}
	is.State = Firing
	return e.raised(m, is, id)
}

func (m *live) firing() (all []Alert) {
	for _, is := range m.alerts {
		if is.State == Firing {
			all = append(all, is.Alert)
		}
	}
	slices.SortFunc(all, func(a, b Alert) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// raised reads an alert back and keeps its standing.
func (e *evaluation) raised(m *live, is *open, id string) (err error) {
	if is.Alert, err = e.office.AlertIn(e.tx, id); err != nil {
		return err
	}
	m.alerts[is.Fingerprint] = is
	return e.keep(is)
}

func (e *evaluation) keep(is *open) error {
	recent, err := json.Marshal(is.recent)
	if err != nil {
		return err
	}
	_, err = e.tx.Exec(`INSERT INTO alert_standings (fingerprint, alert, model, recent, unjudged, unjudged_us, last_us, last_verdict, last_evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (fingerprint) DO UPDATE SET alert = excluded.alert, recent = excluded.recent, unjudged = excluded.unjudged, unjudged_us = excluded.unjudged_us,
		last_us = excluded.last_us, last_verdict = excluded.last_verdict, last_evidence = excluded.last_evidence`,
		string(is.Fingerprint), is.ID, is.Model, string(recent), is.unjudged, is.unjudgedUs, is.lastUs, string(is.lastVerdict), string(is.lastDigest))
	return err
}

func (e *evaluation) resolve(m *live, is *open, change *Resolved) error {
	if _, err := e.commit(change); err != nil {
		return err
	}
	e.done.resolved++
	delete(m.alerts, is.Fingerprint)
	return nil
}

// over resolves the alerts of what is judged no more.
func (e *evaluation) over(m *live, o *Observation) error {
	for _, is := range m.sorted() {
		if is.Rule == o.Rule || strings.HasSuffix(o.Rule, "/") && strings.HasPrefix(is.Rule, o.Rule) {
			if err := e.resolve(m, is, is.resolved(causeRemoved, "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// replace resolves the alerts of a rule about versions that it watches no more.
func (e *evaluation) replace(m *live, o *Observation) error {
	for _, is := range m.sorted() {
		if is.Rule == o.Rule && is.Environment == o.Environment && is.Version != o.Version && o.From.UnixMicro() > is.lastUs {
			if err := e.resolve(m, is, is.resolved(causeReplaced, "")); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *live) sorted() (all []*open) {
	all = slices.Collect(maps.Values(m.alerts))
	slices.SortFunc(all, func(a, b *open) int { return strings.Compare(a.ID, b.ID) })
	return all
}

func (e *evaluation) commit(change trail.Change) (trail.Receipt, error) {
	return e.office.config.Recorder.Commit(e.tx, trail.Act{Actor: e.office.config.Actor}, change)
}

func (e *evaluation) loadSilences() (err error) {
	if !e.loaded {
		e.silences, err = silences(e.tx)
		e.loaded = err == nil
	}
	return err
}
