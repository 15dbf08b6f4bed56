package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
)

// The bounds of a brief.
const (
	maxJudgements = 200 // judgements
	maxOpened     = 12  // of them whose rows are told
	maxRows       = 20  // rows of each
	maxChanges    = 200
	maxSamples    = 20 // of each kind
)

// gather gathers a brief. What cannot be read is named in it, and does not keep the rest back: an incident is opened when
// things are broken.
func (o *Office) gather(ctx context.Context, in NewIncident, tier tallystick.Tier, now time.Time, signal *Signal) (*Brief, error) {
	hours := in.Hours
	if hours == 0 {
		hours = defaultHours
	}
	until, reach := now, time.Duration(hours)*time.Hour
	switch {
	case !in.At.IsZero():
		until = in.At.UTC()
	case signal != nil && signal.WindowTo > 0:
		until = moment(signal.WindowTo)
	}
	b := &Brief{
		Schema: BriefSchema, Model: in.Model, Version: in.Version, Environment: in.Environment, Tier: tier,
		From: until.Add(-reach), To: until, Gathered: now, Since: now.Add(-reach), Signal: signal,
	}
	for _, part := range []struct {
		what string
		read func(context.Context, *Brief) error
	}{
		{"what serves", o.gatherServing}, {"how the version was made", o.gatherMaking}, {"judgements", o.gatherJudgements}, {"traffic", o.gatherTraffic},
		{"samples", o.gatherSamples}, {"changes", o.gatherChanges}, {"the version before", o.gatherBefore},
	} {
		if err := part.read(ctx, b); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			message, _ := tallystick.Words(err)
			b.Missing = append(b.Missing, part.what+": "+message)
		}
	}
	return b, nil
}

func (o *Office) gatherServing(ctx context.Context, b *Brief) error {
	all, err := o.config.Catalog.Assignments(ctx, catalog.AssignmentFilter{Model: b.Model, Serving: true, Limit: maxListed})
	for _, a := range all {
		b.Serving = append(b.Serving, Served{a.Environment, a.Version, a.Role, a.Percent, a.From, a.Event})
	}
	return err
}

func (o *Office) gatherMaking(ctx context.Context, b *Brief) error {
	if b.Version == "" {
		b.Missing = append(b.Missing, "how the version was made: no version is named")
		return nil
	}
	v, err := o.config.Catalog.Version(ctx, b.Model, b.Version)
	if err != nil {
		return err
	}
	b.Making = &Making{Digest: v.Digest, CodeCommit: v.CodeCommit, Image: v.Image, Run: v.Run, Registered: v.Created, Event: v.First}
	b.Making.Data, err = o.config.Catalog.Links(ctx, catalog.LinkFilter{Model: b.Model, Version: b.Version, Limit: maxListed})
	return err
}

// gatherJudgements reads what monitors of the model judged, and finds the bad windows that lead up to now: those of one
// monitor, one after the other, of which none passed or warned between.
func (o *Office) gatherJudgements(ctx context.Context, b *Brief) error {
	found, err := o.config.Monitors.Judged(ctx, monitor.JudgedFilter{Model: b.Model, From: b.From.Add(-7 * 24 * time.Hour), Limit: maxListed})
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(j monitor.JudgedWindow) bool {
		return b.Version != "" && j.Version != "" && j.Version != b.Version && !j.To.After(b.From)
	})
	slices.SortStableFunc(found, func(x, y monitor.JudgedWindow) int { return y.From.Compare(x.From) })
	byMonitor := map[string][]monitor.JudgedWindow{}
	for _, j := range found {
		byMonitor[j.Monitor] = append(byMonitor[j.Monitor], j)
	}
	only := ""
	if b.Signal != nil {
		if rest, ok := strings.CutPrefix(b.Signal.Rule, "monitor/"); ok {
			only, _, _ = strings.Cut(rest, "/")
		}
	}
	for name, windows := range byMonitor {
		if only != "" && name != only { // an alert is about the windows of its own monitor
			continue
		}
		first, good := streak(windows)
		if first != nil && (b.First == nil || first.From.Before(b.First.From)) {
			b.First, b.LastGood = first, good
		}
	}
	opened := 0
	for _, j := range found {
		if j.From.Before(b.From) || len(b.Judgements) == maxJudgements {
			continue
		}
		kept := BriefJudgement{Monitor: j.Monitor, From: j.From, To: j.To, Version: j.Version, Verdict: j.Verdict, Predictions: j.Predictions, Backfilled: j.Backfilled, Judgement: j.Judgement, Event: j.Event}
		if j.Verdict != tallystick.Pass && opened < maxOpened {
			whole, err := o.config.Monitors.Judgement(ctx, j.Judgement)
			if err != nil {
				return err
			}
			kept.Rows, kept.Reference = rowsOf(whole), whole.Reference
			opened++
		}
		b.Judgements = append(b.Judgements, kept)
	}
	if len(found) == 0 {
		b.Missing = append(b.Missing, "judgements: no window of the model was judged in that time")
	}
	return nil
}

// streak returns the first of the bad windows at the end of a monitor's windows, which are the newest first, and the newest
// before it that was not bad. A window of which nobody could judge enough breaks no streak and begins none.
func streak(windows []monitor.JudgedWindow) (first, good *BadWindow) {
	for _, j := range windows {
		at := &BadWindow{j.Monitor, j.From, j.To, j.Judgement, j.Version, j.Event}
		switch j.Verdict {
		case tallystick.Fail:
			first = at
		case tallystick.Pass, tallystick.Warn:
			if first == nil {
				return nil, nil
			}
			return first, at
		}
	}
	return first, nil
}

// selection chooses the predictions that a brief is about.
func (b *Brief) selection(from time.Time) query.Selection {
	s := query.Selection{Model: b.Model, From: from, To: b.To}
	if b.Version != "" {
		s.Where = append(s.Where, query.Equals("version", b.Version))
	}
	if b.Environment != "" {
		s.Where = append(s.Where, query.Equals("environment", b.Environment))
	}
	return s
}

func (o *Office) gatherTraffic(ctx context.Context, b *Brief) error {
	failed, err := query.ParseCondition("status = error")
	if err != nil {
		return err
	}
	late, err := query.ParseCondition("status = timeout")
	if err != nil {
		return err
	}
	figures, err := o.config.Asker.Aggregate(ctx, query.Figures{
		Selection: b.selection(b.From), By: []string{"hour"}, Rates: []query.Condition{failed, late}, Quantiles: []query.Quantiles{{Column: "latency_us", At: []float64{0.99}}}, Groups: 720,
	})
	if err != nil {
		return err
	}
	for _, g := range figures.Groups {
		at, err := time.Parse("2006-01-02T15", fmt.Sprint(g.Key[0]))
		if err != nil {
			return fmt.Errorf("hour %v: %w", g.Key[0], err)
		}
		h := Hour{From: at, Predictions: g.Count, Failed: g.Rates[0].Count + g.Rates[1].Count}
		if len(g.Quantiles[0].Values) > 0 {
			ms := g.Quantiles[0].Values[0] / 1000
			h.P99 = &ms
		}
		b.Traffic = append(b.Traffic, h)
	}
	slices.SortFunc(b.Traffic, func(x, y Hour) int { return x.From.Compare(y.From) })
	return nil
}

// gatherSamples chooses predictions to look at, from the first bad window on if there is one: those that failed, those that
// were slower than nine in ten, and the newest.
func (o *Office) gatherSamples(ctx context.Context, b *Brief) error {
	from := b.From
	if b.First != nil && b.First.From.After(from) {
		from = b.First.From
	}
	wants := []struct{ why, where string }{{"failed", "status = error"}, {"failed", "status = timeout"}}
	slow, err := o.config.Asker.Aggregate(ctx, query.Figures{Selection: b.selection(from), Quantiles: []query.Quantiles{{Column: "latency_us", At: []float64{0.99}}}})
	if err != nil {
		return err
	}
	if len(slow.Groups) > 0 && len(slow.Groups[0].Quantiles[0].Values) > 0 {
		wants = append(wants, struct{ why, where string }{"slow", fmt.Sprintf("latency_us > %.0f", slow.Groups[0].Quantiles[0].Values[0])})
	}
	wants = append(wants, struct{ why, where string }{"recent", ""})
	for _, want := range wants {
		s := b.selection(from)
		if want.where != "" {
			c, err := query.ParseCondition(want.where)
			if err != nil {
				return err
			}
			s.Where = append(s.Where, c)
		}
		found, err := o.config.Asker.List(ctx, s, query.Place{}, maxSamples)
		if err != nil {
			return err
		}
		for _, f := range found {
			r, err := prediction.Decode(f.Encoding)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(b.Samples, func(is Sample) bool { return is.ID == f.ID.String() }) {
				b.Samples = append(b.Samples, Sample{f.ID.String(), f.Time.Time(), r.Version, want.why})
			}
		}
	}
	return nil
}

// changes are the families of types of events that can be why a model behaves differently.
var changes = []string{
	"assignment.", "release.promoted", "release.requested", "freeze.", "waiver.", "deployment.", "version.", "evidence.attached", "audit.completed", "monitor.", "reference.", "model.",
	"snapshot.", "gate.decided", "body.", "case.rule.", "reaction.", "objective.", "silence.", "finding.raised", "comparison.",
}

// IsChange reports whether events of a type can be why a model behaves differently.
func IsChange(short string) bool {
	return slices.ContainsFunc(changes, func(prefix string) bool { return strings.HasPrefix(short, prefix) })
}

func (o *Office) gatherChanges(ctx context.Context, b *Brief) error {
	before := uint64(0)
	for range 20 {
		h, err := o.config.Catalog.History(ctx, b.Model, catalog.HistoryFilter{Since: b.Since, Newest: true, Before: before, Limit: 250})
		if err != nil {
			return err
		}
		for _, line := range h.Lines {
			if !IsChange(line.Type) || line.Outcome != tallystick.Success {
				continue
			}
			if len(b.Changes) == maxChanges {
				b.Missing = append(b.Missing, fmt.Sprintf("changes: those before event %d were left out", line.Sequence))
				return nil
			}
			b.Changes = append(b.Changes, BriefChange{line.Sequence, line.Time, line.Type, line.Version, line.Words})
		}
		if h.Next == 0 {
			return nil
		}
		before = h.Next
	}
	b.Missing = append(b.Missing, fmt.Sprintf("changes: those before event %d were not looked for", before))
	return nil
}

// gatherBefore finds the version that served before, and how this one differs from it.
func (o *Office) gatherBefore(ctx context.Context, b *Brief) error {
	if b.LastGood != nil && b.LastGood.Version != "" && b.LastGood.Version != b.Version {
		b.Before = b.LastGood.Version
	}
	if b.Environment != "" {
		standing, err := o.config.Releases.Standing(ctx, b.Environment, b.Model)
		if err != nil {
			return err
		}
		if standing.LastCompliant != nil {
			b.Compliant = standing.LastCompliant.Version
		}
		if b.Before == "" {
			b.Before = b.Compliant
		}
	}
	if b.Before == "" || b.Version == "" || b.Before == b.Version {
		b.Missing = append(b.Missing, "the version before: none is on record")
		return nil
	}
	d, err := o.config.Catalog.Diff(ctx, b.Model+"@"+b.Before, b.Model+"@"+b.Version)
	if err == nil {
		b.Diff = &d
	}
	return err
}
