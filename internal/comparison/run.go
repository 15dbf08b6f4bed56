package comparison

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
)

// Ask is a question about two versions.
type Ask struct {
	Comparison string // name of one that was applied; empty: Document
	Document   []byte
	New, Old   string    // Old may be empty, or champion: the version that serves as such
	From       time.Time // zero: from when the new version serves in the environment, or else from its first prediction
	AsOf       time.Time // as it was known then; zero: now
	Split      float64   // share that the new version is to have; 0: as the comparison says, or the canary's
}

// champion is the version that serves as such.
const champion = "champion"

// Judge answers a question. It records nothing: Keep makes the change that does.
func (o *Office) Judge(ctx context.Context, a Ask) (*VersionsJudgement, error) {
	until, now := uint64(0), o.config.Now()
	if !a.AsOf.IsZero() {
		var err error
		if until, err = o.config.Trail.NewestAt(ctx, a.AsOf); err != nil {
			return nil, err
		}
		if until == 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "nothing was on record on %s", stamp(a.AsOf))
		}
		now = a.AsOf
	}
	doc, err := o.documentOf(ctx, a, until)
	if err != nil {
		return nil, err
	}
	r := &reader{Office: o, doc: doc, asOf: a.AsOf}
	if err := o.versions(ctx, doc, &a, now); err != nil {
		return nil, err
	}
	r.question = Question{New: a.New, Old: a.Old, From: a.From.Truncate(time.Second).UTC(), Split: a.Split}
	if err := r.span(ctx, now, until); err != nil {
		return nil, err
	}
	known, err := r.watermark(ctx, until)
	if err != nil {
		return nil, err
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	return doc.judge(r.question, known, r.learnt, r.found), nil
}

// documentOf returns the comparison of a question.
func (o *Office) documentOf(ctx context.Context, a Ask, until uint64) (*Document, error) {
	if a.Comparison == "" {
		return Parse(a.Document, "comparison")
	}
	_, doc, err := o.comparisonAt(ctx, a.Comparison, until)
	if err == nil && doc == nil {
		return nil, tallystick.Errorf(tallystick.Conflict, "the comparison %s was removed", a.Comparison).WithHint("apply it again, or name a moment at which it was in force")
	}
	return doc, err
}

// versions finds which versions are meant, from when the new one serves, and with which share, as far as the question does not say.
func (o *Office) versions(ctx context.Context, d *Document, a *Ask, now time.Time) error {
	serving, err := o.config.Catalog.Assignments(ctx, catalog.AssignmentFilter{Environment: d.Environment, Model: d.Model, At: now, Limit: maxListed})
	if err != nil {
		return err
	}
	if a.Old = cmp.Or(a.Old, champion); a.Old == champion {
		a.Old = ""
		for _, s := range serving {
			if s.Role == catalog.Champion && (d.Environment != "" || a.Old == "") {
				a.Old = s.Version
			}
		}
		if a.Old == "" {
			return tallystick.Errorf(tallystick.NotFound, "no version of %s is champion in %s", d.Model, cmp.Or(d.Environment, "any environment")).
				WithHint("name the version that the new one is compared with")
		}
	}
	if a.New == a.Old {
		return tallystick.Errorf(tallystick.Invalid, "%s@%s is compared with itself", d.Model, a.New).WithHint("name two versions")
	}
	for _, version := range []string{a.New, a.Old} {
		if _, err := o.config.Catalog.Version(ctx, d.Model, version); err != nil {
			return err
		}
	}
	for _, s := range serving {
		if s.Version != a.New || d.Environment == "" {
			continue
		}
		if a.From.IsZero() {
			a.From = s.From
		}
		if a.Split == 0 && d.Split == 0 && s.Role == catalog.Canary {
			a.Split = float64(s.Percent) / 100
		}
	}
	return nil
}

// span ends the time of a question: whole windows from its beginning, up to where predictions are surely on record.
func (r *reader) span(ctx context.Context, now time.Time, until uint64) error {
	q, d := &r.question, r.doc
	end := now.Add(-d.Delay)
	if q.From.IsZero() {
		first, err := r.first(ctx, end.Add(-d.Longest), end, until)
		if err != nil {
			return err
		}
		q.From = first
	}
	windows := end.Sub(q.From) / d.Width
	switch {
	case windows < 1:
		return tallystick.Errorf(tallystick.Conflict, "no window of %s has ended since %s, %s for late records being waited for", short(d.Width), stamp(q.From), short(d.Delay))
	case windows > maxWindows:
		return tallystick.Errorf(tallystick.Invalid, "from %s on there are %d windows of %s, the limit is %d", stamp(q.From), windows, short(d.Width), maxWindows).
			WithHint("name a later beginning, or use wider windows")
	}
	q.To = q.From.Add(windows * d.Width)
	return nil
}

// first returns the minute of the new version's first prediction.
func (r *reader) first(ctx context.Context, from, to time.Time, until uint64) (time.Time, error) {
	s := query.Selection{Model: r.doc.Model, From: from, To: to, Registered: until, Where: []query.Condition{query.Equals("version", r.question.New)}}
	if r.doc.Environment != "" {
		s.Where = append(s.Where, query.Equals("environment", r.doc.Environment))
	}
	var first prediction.Time
	for b, err := range r.config.Asker.Blocks(ctx, s, []string{"time"}) {
		if err != nil {
			return time.Time{}, err
		}
		for k := range b.Rows() {
			at, err := timeOf(b.Value(0, k))
			if err != nil {
				return time.Time{}, err
			}
			if first == 0 || at < first {
				first = at
			}
		}
	}
	if first == 0 {
		return time.Time{}, tallystick.Errorf(tallystick.Conflict, "there are no predictions of %s@%s in the last %s", r.doc.Model, r.question.New, short(r.doc.Longest)).
			WithHint("say from when on with --from")
	}
	return first.Time().Truncate(time.Minute), nil
}

// watermark settles what counts as on record, and looks whether the features that are named are there.
func (r *reader) watermark(ctx context.Context, until uint64) (k KnownOf, err error) {
	s := query.Selection{Model: r.doc.Model, From: r.question.From, To: r.question.To}
	features, err := r.config.Asker.Features(ctx, s) // which brings in what was acknowledged before
	if err != nil {
		return k, err
	}
	wanted := slices.Clone(r.doc.Slices)
	for i := range r.doc.Metrics {
		if by := r.doc.Metrics[i].By; by != "" {
			wanted = append(wanted, by)
		}
	}
	for _, name := range wanted {
		if len(features) > 0 && !slices.Contains(features, name) {
			no := tallystick.Errorf(tallystick.Invalid, "predictions of %s have no feature %.80q", r.doc.Model, name)
			if near := tallystick.Nearest(name, features); near != "" {
				return k, no.WithHint("did you mean %s?", near)
			}
			return k, no
		}
	}
	registry, err := r.config.Asker.Registered(ctx, s.Model, s.From, s.To, until)
	if err != nil {
		return k, err
	}
	if registry.Removed > 0 {
		return k, tallystick.Errorf(tallystick.Conflict, "predictions of %s from %s to %s are not kept any more", s.Model, stamp(s.From), stamp(s.To)).
			WithHint("what was judged of them stays: `tallystick comparison judgements`")
	}
	k.Event = registry.Newest
	if r.registered = registry.Newest; r.registered == 0 {
		r.registered = 1 // nothing came on record by the first event
	}
	for i := range r.doc.Metrics {
		if r.doc.Metrics[i].labelled() {
			labels, err := r.config.Asker.Labels(ctx, s.Model, r.asOf)
			k.Labels = labels.Event
			if r.asOf.IsZero() {
				r.asOf = labels.AsOf // what comes while this is read does not count
			}
			return k, err
		}
	}
	return k, nil
}

// Undecided is the judgement of a question that could not be answered, for those who need one: it is inconclusive, and says
// why. It is nil where not even the comparison is known.
func (o *Office) Undecided(ctx context.Context, a Ask, why error) *VersionsJudgement {
	doc, err := o.documentOf(ctx, a, 0)
	if err != nil {
		return nil
	}
	message, hint := tallystick.Words(why)
	if hint != "" {
		message = fmt.Sprintf("%s; %s", message, hint)
	}
	return &VersionsJudgement{
		Schema: JudgementSchema, Comparison: doc.Name, Document: tallystick.DigestOf(doc.source), Model: doc.Model, New: a.New, Old: a.Old, Environment: doc.Environment,
		From: a.From.UTC(), Alpha: doc.Alpha, Verdict: Inconclusive, Reasons: []string{strings.ToUpper(message[:1]) + message[1:] + "."}, Rows: []MetricRow{}, source: doc.source,
	}
}
