package comparison_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// house is a workspace with the model credit, versions 3 and 4, whose predictions are recorded and compared.
type house struct {
	*comparison.Office
	*workspace.Workspace
	capture  *capture.Capture
	registry *registry.Registry
	catalog  *catalog.Catalog
	labels   *label.Store
	asker    *query.Asker
	now      time.Time
	rng      *rand.Rand
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{now: noon, rng: rand.New(rand.NewPCG(1, 45))}
	dir, clock := t.TempDir(), func() time.Time { return h.now }
	var err error
	h.Workspace, err = workspace.Open(t.Context(), workspace.Config{
		Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: "program"}, Now: clock,
		Database: postgrestest.IfChosen(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Workspace.Close(); err != nil {
			t.Error(err)
		}
	})
	h.registry, h.catalog, h.labels = registry.New(h.DB, h.Recorder), catalog.New(h.DB, h.Trail), label.New(h.DB, h.Evidence)
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
	})
	for _, version := range []string{"3", "4"} {
		h.do(t, func(tx *state.Tx) (trail.Change, error) {
			return h.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: version})
		})
	}
	j, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(h.Dir(), "journal"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	itself := trail.Actor{ID: "tallystick", Kind: "program"}
	h.capture, err = capture.New(t.Context(), capture.Config{
		DB: h.DB, Catalog: h.catalog, Journal: j, Now: clock, Recorder: h.Recorder, Actor: itself, Segments: h.Segments, Plan: filepath.Join(h.Dir(), "predictions", "cut.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := archive.New(archive.Config{Workspace: h.Workspace, Actor: itself, Now: clock, Fresh: h.capture.Cut})
	t.Cleanup(kept.Close)
	h.asker = query.New(h.DB, kept, h.labels)
	h.Office = comparison.New(comparison.Config{DB: h.DB, Trail: h.Trail, Catalog: h.catalog, Asker: h.asker, Evidence: h.Evidence, Now: clock})
	return h
}

func (h *house) do(t testing.TB, propose func(tx *state.Tx) (trail.Change, error)) registry.Done {
	t.Helper()
	done, err := h.registry.Do(t.Context(), registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: func(tx *state.Tx) ([]trail.Change, error) {
		change, err := propose(tx)
		if change == nil || err != nil {
			return nil, err
		}
		return []trail.Change{change}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// apply applies the comparison canary.
func (h *house) apply(t testing.TB, lines string) {
	t.Helper()
	change, err := h.PrepareApply(t.Context(), "canary", []byte("apiVersion: tallystick/v1\nkind: Comparison\nname: canary\nmodel: credit\n"+lines))
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposeApply(tx, change) })
}

// does is how a version answers.
type does struct {
	errors, yes float64
	latency     time.Duration
	north       float64 // chance of an error more where the region is north
}

// predict makes n predictions of an hour, of which share are of version 4, or all of both versions if it is 1.
func (h *house) predict(from time.Time, n int, share float64, four, three does) (all []prediction.Record) {
	for i := range n {
		at := from.Add(time.Hour * time.Duration(i) / time.Duration(n))
		region, sex := []string{"north", "south", "west"}[h.rng.IntN(3)], []string{"f", "m"}[h.rng.IntN(2)]
		luck, choice := h.rng.Float64(), h.rng.Float64()
		var trace prediction.TraceID
		copy(trace[:], fmt.Sprintf("%016d", at.UnixMicro()))
		one := func(version string, d does) prediction.Record {
			id, err := prediction.ParseID(tallystick.NewID(at))
			if err != nil {
				panic(err)
			}
			r := prediction.Record{
				ID: id, Time: prediction.TimeOf(at), Model: "credit", Version: version, Environment: "production", TraceID: trace, Status: prediction.OK,
				Features: prediction.NewFeatures(map[string]prediction.Value{"region": prediction.String(region), "sex": prediction.String(sex)}),
				Latency:  prediction.Integer(int64((20*time.Millisecond + time.Duration(h.rng.Float64()*float64(d.latency))) / time.Microsecond)),
				Score:    prediction.Number(max(0, min(1, choice-d.yes+0.5))),
			}
			if limit := d.errors; luck < limit || region == "north" && luck < limit+d.north {
				r.Status = prediction.Failed
			}
			if r.Output = prediction.String("no"); choice < d.yes {
				r.Output = prediction.String("yes")
			}
			return r
		}
		switch {
		case share == 1:
			all = append(all, one("3", three), one("4", four))
		case h.rng.Float64() < share:
			all = append(all, one("4", four))
		default:
			all = append(all, one("3", three))
		}
	}
	return all
}

func (h *house) send(t testing.TB, records []prediction.Record) {
	t.Helper()
	for part := range slices.Chunk(records, 5000) {
		answer, err := h.capture.Accept(t.Context(), capture.Batch{Records: part})
		if err != nil || len(answer.Rejected) > 0 {
			t.Fatalf("%d rejected, the first %+v, %v", len(answer.Rejected), answer.Rejected[:min(1, len(answer.Rejected))], err)
		}
	}
	if err := h.capture.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// judge asks, and returns the judgement with its bytes.
func (h *house) judge(t testing.TB, a comparison.Ask) (*comparison.VersionsJudgement, string) {
	t.Helper()
	j, err := h.Judge(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	data, err := j.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return j, string(data)
}

var asked = comparison.Ask{Comparison: "canary", New: "4", Old: "3", From: noon}

const metrics = `environment: production
window: 5m
longest: 24h
split: 30%
metrics:
  - {metric: errors, margin: 1%}
  - {metric: slow, limit: 200ms, margin: 1%}
  - {metric: decisions, when: output = yes, margin: 8%}
  - {metric: score, margin: 15%, role: guard}
  - {metric: fairness, by: sex, of: decisions, margin: 25%, role: guard}
slices: [region]
budget: {target: 99%, period: 30d, spend: 10%}
`

var usual = does{errors: 0.01, yes: 0.4, latency: 100 * time.Millisecond}

// TestCanary: what is as good is promoted; what fails, is slow, or decides otherwise is rolled back and said to; and what fails in
// one region alone is found there.
func TestCanary(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		four    does
		verdict comparison.Verdict
		words   string
	}{
		{"as good", usual, comparison.Promote, "It is surely not worse by 1.0 points or more."},
		{"fails", does{0.08, 0.4, 100 * time.Millisecond, 0}, comparison.Rollback, "Predictions that failed: "},
		{"slow", does{0.01, 0.4, 250 * time.Millisecond, 0}, comparison.Rollback, "Predictions slower than 200ms: "},
		{"decides otherwise", does{0.01, 0.6, 100 * time.Millisecond, 0}, comparison.Rollback, "Predictions with output = yes: "},
		{"fails in the north", does{0.004, 0.4, 100 * time.Millisecond, 0.05}, comparison.Rollback, "Predictions that failed where region = north: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.apply(t, metrics)
			h.send(t, h.predict(noon, 12_000, 0.3, test.four, usual))
			h.now = noon.Add(time.Hour + 2*time.Minute)
			j, _ := h.judge(t, asked)
			told := slices.ContainsFunc(j.Reasons, func(s string) bool { return strings.Contains(s, test.words) })
			if j.Verdict != test.verdict || !told || (j.Score == 100) != (test.verdict == comparison.Promote) {
				t.Errorf("%s, score %v: %s", j.Verdict, j.Score, strings.Join(j.Reasons, "\n"))
			}
			if len(j.Rows) != 5 || j.Judged != 9 || len(j.Slices) != 9 || j.Length.Spent == nil || *j.Length.Spent <= 0 || j.Length.Allowed == "" {
				t.Errorf("%d rows, %d slices of %d, %+v", len(j.Rows), len(j.Slices), j.Judged, j.Length)
			}
		})
	}
}

// TestUnusable is A13: no data, stale data, an unknown version, another routing than intended, an unknown comparison, a store that
// is down: nothing of it is ever a reason to promote.
func TestUnusable(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, metrics)
	h.send(t, h.predict(noon, 12_000, 0.3, usual, usual))
	h.now = noon.Add(time.Hour + 2*time.Minute)
	if j, _ := h.judge(t, asked); j.Verdict != comparison.Promote {
		t.Fatalf("with everything there: %s: %v", j.Verdict, j.Reasons)
	}
	want := func(what string, a comparison.Ask, now time.Time, words string) {
		t.Helper()
		h.now = now
		j, err := h.Judge(t.Context(), a)
		if err != nil {
			if j = h.Undecided(t.Context(), a, err); j == nil {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%s: %v", what, err)
				}
				return
			}
		}
		if j.Verdict != comparison.Inconclusive || j.Score > 99 || !strings.Contains(strings.Join(j.Reasons, " "), words) {
			t.Errorf("%s: %s, %v: %v", what, j.Verdict, j.Score, j.Reasons)
		}
		change, err := h.Keep(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		if done := h.do(t, func(tx *state.Tx) (trail.Change, error) { return h.ProposeJudged(tx, change) }); done.Changes != 1 {
			t.Errorf("%s is not on record", what)
		}
	}
	a, later := asked, noon.Add(time.Hour+2*time.Minute)
	want("stale", a, noon.Add(2*time.Hour), "The newest prediction of credit@4 is of 2026-03-02T12:")
	a.Split = 0.5
	want("routed otherwise", a, later, "whatever routes them chooses among them")
	a = asked
	a.From = noon.Add(2 * time.Hour)
	want("no data", a, noon.Add(4*time.Hour), "There are no predictions of credit@4")
	want("nothing yet", a, noon.Add(2*time.Hour), "No window of 5m has ended")
	a = asked
	a.New = "9"
	want("unknown version", a, later, "9")
	a = asked
	a.Old = ""
	want("no champion", a, later, "champion")
	a = asked
	a.Comparison = "cannery"
	want("unknown comparison", a, later, `there is no comparison "cannery"`)
	if err := h.DB.Close(); err != nil {
		t.Fatal(err)
	}
	if j, err := h.Judge(t.Context(), asked); err == nil {
		t.Errorf("with the store down: %s", j.Verdict)
	} else if u := h.Undecided(t.Context(), asked, err); u != nil {
		t.Errorf("with the store down: %+v", u)
	}
}

// TestAsOf: what was known then gives the bytes of then, whatever has come since; and what has come changes those of now.
func TestAsOf(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, metrics)
	all := h.predict(noon, 6_000, 0.3, usual, usual)
	h.now = noon.Add(time.Hour + 2*time.Minute)
	h.send(t, all[:5000])
	_, then := h.judge(t, asked)
	if _, again := h.judge(t, asked); again != then {
		t.Error("asked again, the bytes differ")
	}
	at := h.now
	h.now = h.now.Add(time.Minute)
	h.send(t, all[5000:])
	h.apply(t, strings.Replace(metrics, "alpha: 5%\n", "", 1)+"alpha: 0.01\n")
	now := asked
	now.AsOf = h.now
	if _, is := h.judge(t, now); is == then {
		t.Error("a thousand predictions more make no difference")
	}
	past := asked
	past.AsOf = at
	if _, is := h.judge(t, past); is != then {
		t.Errorf("as of then:\n%s\nand then it was\n%s", is, then)
	}
}

// TestShadow: both versions answer every input; their answers are paired, and labels that came for one count for both.
func TestShadow(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, `environment: production
pair_by: trace_id
longest: 24h
metrics:
  - {metric: errors, margin: 1%}
  - {metric: disagreement, margin: 10%}
  - {metric: wrong, margin: 5%, mature: 20m}
`)
	four := usual
	four.yes = 0.42
	all := h.predict(noon, 8_000, 1, four, usual)
	h.now = noon.Add(time.Hour + 2*time.Minute)
	h.send(t, all)
	var labels []label.Sent
	for _, r := range all {
		if r.Version == "3" { // the shadow's answers have no labels of their own
			outcome := "no"
			if x, _ := r.Score.Float(); x < 0.55 { // those that 3 and 4 say yes to, and some that they do not
				outcome = "yes"
			}
			labels = append(labels, label.Sent{Label: label.Label{Prediction: r.ID, Value: prediction.String(outcome), Time: r.Time, Source: "file"}})
		}
	}
	for part := range slices.Chunk(labels, 5000) {
		h.label(t, part)
	}
	j, _ := h.judge(t, asked)
	if j.Traffic.Pairs == nil || *j.Traffic.Pairs < 7_900 {
		t.Fatalf("pairs: %+v", j.Traffic)
	}
	if j.Verdict != comparison.Promote || j.Rows[1].Difference < 0.01 || j.Rows[1].Difference > 0.03 {
		t.Errorf("%s: %v", j.Verdict, j.Reasons)
	}
	if wrong := j.Rows[2]; wrong.NewRows < 5_000 || wrong.NewRows > 5_400 || !(wrong.New < wrong.Old) {
		t.Errorf("of labels: %+v", wrong)
	}
}

// label puts labels on record.
func (h *house) label(t testing.TB, all []label.Sent) {
	t.Helper()
	ready, err := h.labels.Prepare(t.Context(), "credit", label.Batch{Labels: all}, h.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		change, out, err := ready.Propose(tx)
		if len(out.Rejected) > 0 {
			t.Errorf("%d labels rejected, the first %+v", len(out.Rejected), out.Rejected[0])
		}
		return change, err
	})
}
