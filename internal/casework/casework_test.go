package casework_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

// house has a desk over segments that a test makes up; each is on record with an event of its own.
type house struct {
	*casework.Desk
	db       *state.DB
	registry *registry.Registry
	recorder *trail.Recorder
	reader   *trail.Reader
	now      time.Time
	segments []archive.Sealed
	blobs    *evidence.Store
	entries  map[string][]segment.Entry
}

func (h *house) Sealed(_ context.Context, after uint64, limit int) (found []archive.Sealed, _ error) {
	for _, s := range h.segments {
		if s.Event > after && len(found) < limit {
			found = append(found, s)
		}
	}
	return found, nil
}

func (h *house) Model(_ context.Context, name string) (catalog.Model, error) {
	return catalog.Model{Name: name, TierDecision: catalog.TierDecision{Tier: tallystick.TierHigh}}, nil
}

func (h *house) Entries(_ context.Context, name string) iter.Seq2[segment.Entry, error] {
	return func(yield func(segment.Entry, error) bool) {
		for _, e := range h.entries[name] {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{now: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC), entries: map[string][]segment.Entry{}}
	clock := func() time.Time { return h.now }
	var err error
	if h.db, err = state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), URL: postgrestest.IfChosen(t), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.db.Close() })
	if h.recorder, err = trail.NewRecorder(trail.RecorderConfig{DB: h.db, Source: "casework.test/1", Now: clock}); err != nil {
		t.Fatal(err)
	}
	h.reader = trail.NewReader(h.db, "casework.test/1")
	h.registry = registry.New(h.db, h.recorder)
	blobs, err := blob.Open(blob.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	h.blobs = evidence.NewStore(blobs)
	h.Desk = casework.New(casework.Config{
		DB: h.db, Recorder: h.recorder, Actor: trail.Actor{ID: "tallystick", Kind: access.KindProgram}, Segments: h, Labels: label.New(h.db, h.blobs), Models: h,
	})
	return h
}

func person(name string) access.Principal {
	return access.Principal{ID: "usr_" + name, Kind: access.KindPerson, Roles: []access.Role{access.Validator}}
}

func (h *house) do(who access.Principal, propose func(tx *state.Tx) ([]trail.Change, error)) (registry.Done, error) {
	return h.registry.Do(context.Background(), registry.Command{Principal: who, Action: access.CaseDecide, Resource: trail.Resource{Type: "case", ID: "c"}, Propose: propose})
}

func (h *house) must(t *testing.T, who access.Principal, propose func(tx *state.Tx) (trail.Change, error)) registry.Done {
	t.Helper()
	done, err := h.do(who, single(propose))
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func single(propose func(tx *state.Tx) (trail.Change, error)) func(tx *state.Tx) ([]trail.Change, error) {
	return func(tx *state.Tx) ([]trail.Change, error) {
		c, err := propose(tx)
		if c == nil || err != nil {
			return nil, err
		}
		return []trail.Change{c}, nil
	}
}

func (h *house) define(t *testing.T, r casework.CaseRule) {
	t.Helper()
	h.must(t, person("vera"), func(tx *state.Tx) (trail.Change, error) { return h.DefineRule(tx, r) })
}

// seal puts records on record.
func (h *house) seal(t *testing.T, model string, records ...prediction.Record) {
	t.Helper()
	name := fmt.Sprintf("s%d", len(h.segments))
	for i := range records {
		records[i].Model = model
		records[i].Complete(h.now)
		encoding, err := records[i].Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		h.entries[name] = append(h.entries[name], segment.Entry{Encoding: encoding, Leaf: prediction.LeafOf(encoding)})
	}
	receipt, err := h.recorder.Record(t.Context(), trail.Entry{
		Type: trail.ServerStopped, Actor: trail.Actor{ID: "x", Kind: access.KindProgram}, Resource: trail.Resource{Type: "workspace", ID: "w"}, Outcome: tallystick.Success,
		Data: map[string]any{"release": "test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.segments = append(h.segments, archive.Sealed{Segment: name, Model: model, Event: receipt.Sequence})
}

func (h *house) route(t *testing.T) {
	t.Helper()
	if err := h.Route(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (h *house) cases(t *testing.T, f casework.Filter) []casework.Case {
	t.Helper()
	f.Limit = 1000
	list, err := h.Cases(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (h *house) judge(id, who, outcome string, more ...func(*casework.Judgement)) error {
	j := casework.Judgement{Outcome: prediction.String(outcome), Rationale: "seen"}
	for _, fn := range more {
		fn(&j)
	}
	c, _, err := h.Case(context.Background(), id, person(who))
	if err != nil {
		return err
	}
	propose, err := h.Prepare(context.Background(), c, j, person(who), h.now)
	if err == nil {
		_, err = h.do(person(who), propose)
	}
	return err
}

// replays compares the tables with what the trail says.
func (h *house) replays(t *testing.T) {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	r := trail.Replayer{Changes: casework.Changes(), Tables: slices.Concat(casework.Tables(), label.Tables())}
	maps.Copy(r.Changes, label.Changes(h.blobs))
	if _, err := r.Check(t.Context(), h.reader, scratch); err != nil {
		t.Error(err)
	}
}

func scored(score float64, region string) prediction.Record {
	return prediction.Record{
		Version: "1", Score: prediction.Number(score), Threshold: prediction.Number(0.5), Output: prediction.String("no"),
		Features: prediction.NewFeatures(map[string]prediction.Value{"region": prediction.String(region)}),
	}
}

// TestRouteByStratum: a share of all, so many of each stratum however rare it is, and what is not sure.
func TestRouteByStratum(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.define(t, casework.CaseRule{Model: "credit", Name: "sample", Terms: selection.Terms{Share: 0.05, Strata: []string{"f_region"}, AtLeast: 3}})
	h.define(t, casework.CaseRule{Model: "credit", Name: "unsure", Terms: selection.Terms{Share: 1, Margin: new(float64)}})
	var records []prediction.Record
	for i := range 2000 {
		region := "north"
		if i%1000 < 2 { // 4 in all
			region = "islands"
		}
		records = append(records, scored(0.9, region))
	}
	for range 7 {
		records = append(records, scored(0.5, "north"))
	}
	h.seal(t, "credit", records[:1000]...)
	h.seal(t, "churn", scored(0.5, "north"))
	h.seal(t, "credit", records[1000:]...)
	h.route(t)
	if n := len(h.cases(t, casework.Filter{Model: "churn"})); n != 0 {
		t.Errorf("%d cases of a model without rules", n)
	}
	count := map[string]int{}
	for _, c := range h.cases(t, casework.Filter{Model: "credit"}) {
		count[c.Rule+" "+strings.Join(c.Stratum, "")]++
		if c.State != casework.Open || !c.Due.Equal(h.now.Add(7*24*time.Hour)) || string(c.Output) != `"no"` {
			t.Fatalf("%+v", c)
		}
	}
	// 1,996 at 0.05: 99.8 on average, deviation 9.7; seven deviations either way.
	if n := count["sample north"]; n < 32 || n > 168 {
		t.Errorf("%d of the north", n)
	}
	if n := count["sample islands"]; n < 3 || n > 4 {
		t.Errorf("%d of the islands, of which there are 4", n)
	}
	// Each of the seven is a case, by one rule or the other.
	if n := count["unsure "]; n > 7 || n+count["sample north"] < 7 {
		t.Errorf("%d that are not sure", n)
	}
	s, err := h.Workload(t.Context(), "credit", time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Sampled {
		want := map[string]int64{"sample north": 2003, "sample islands": 4, "unsure ": 7}[c.Rule+" "+strings.Join(c.Stratum, "")]
		if c.Held != want || c.Taken != int64(count[c.Rule+" "+strings.Join(c.Stratum, "")]) || c.LeftOut != 0 {
			t.Errorf("%+v, want %d", c, want)
		}
	}
	before := len(h.cases(t, casework.Filter{}))
	h.route(t)
	if n := len(h.cases(t, casework.Filter{})); n != before {
		t.Errorf("%d cases after routing again, %d before", n, before)
	}
	h.replays(t)
}

// TestRouteIsBounded: a rule opens no more cases a day than it says, and what is left out is counted.
func TestRouteIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.define(t, casework.CaseRule{Model: "credit", Name: "risky", Terms: selection.Terms{Where: []string{"flags = risk", "tier = high"}, Share: 1, Most: 10}})
	var records []prediction.Record
	for i := range 40 {
		r := scored(0.2, "north")
		if i%2 == 0 {
			r.Flags = []string{"risk"}
		}
		records = append(records, r)
	}
	h.seal(t, "credit", records[:24]...)
	h.seal(t, "credit", records[24:]...)
	h.route(t)
	if n := len(h.cases(t, casework.Filter{})); n != 10 {
		t.Errorf("%d cases", n)
	}
	s, err := h.Workload(t.Context(), "", time.Time{}, time.Time{})
	if err != nil || len(s.Sampled) != 1 || s.Sampled[0].Held != 20 || s.Sampled[0].Taken != 10 || s.Sampled[0].LeftOut != 10 {
		t.Errorf("%+v, %v", s.Sampled, err)
	}
	h.must(t, person("vera"), func(tx *state.Tx) (trail.Change, error) { return h.RemoveRule(tx, "credit", "risky") })
	h.now = h.now.Add(48 * time.Hour)
	h.seal(t, "credit", prediction.Record{Version: "1", Flags: []string{"risk"}})
	h.route(t)
	if n := len(h.cases(t, casework.Filter{})); n != 10 {
		t.Errorf("%d cases after the rule was removed", n)
	}
	h.replays(t)
}

// TestRouteCutOff: what is left out is counted once, also where the work is cut off before its end.
func TestRouteCutOff(t *testing.T) {
	t.Parallel()
	if os.Getenv("TALLYSTICK_TEST_STATE") == "postgres" {
		t.Skip("the trigger that cuts off is SQLite's")
	}
	h := open(t)
	h.define(t, casework.CaseRule{Model: "credit", Name: "all", Terms: selection.Terms{Share: 1, Most: 10}})
	for range 2 {
		var records []prediction.Record
		for range 8 {
			records = append(records, scored(0.2, "north"))
		}
		h.seal(t, "credit", records...)
	}
	sql := func(text string) {
		t.Helper()
		if err := h.db.Write(t.Context(), func(tx *state.Tx) error {
			_, err := tx.Exec(text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	sql("CREATE TRIGGER cut_off BEFORE INSERT ON case_cursors WHEN (SELECT count(*) FROM cases) = 10 BEGIN SELECT RAISE(ABORT, 'cut off'); END")
	for range 2 {
		if err := h.Route(t.Context()); err == nil {
			t.Fatal("it was not cut off")
		}
	}
	sql("DROP TRIGGER cut_off")
	h.route(t)
	s, err := h.Workload(t.Context(), "", time.Time{}, time.Time{})
	if err != nil || len(s.Sampled) != 1 || s.Sampled[0].Held != 16 || s.Sampled[0].Taken != 10 || s.Sampled[0].LeftOut != 6 {
		t.Errorf("%+v, %v", s.Sampled, err)
	}
	h.replays(t)
}

// TestSecondOpinion: it is blind and another person's; where the two differ a third decides.
func TestSecondOpinion(t *testing.T) {
	t.Parallel()
	h := open(t)
	r := scored(0.4, "north")
	r.Model = "credit"
	r.Complete(h.now)
	opened := h.must(t, person("ann"), func(tx *state.Tx) (trail.Change, error) {
		return h.Open(tx, &r, casework.Opening{Reason: "the customer complains", Second: true})
	})
	id := opened.Receipt.ID
	refused := func(what string, err error, code tallystick.Code) {
		t.Helper()
		if tallystick.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}
	_, err := h.do(person("ann"), single(func(tx *state.Tx) (trail.Change, error) { return h.Open(tx, &r, casework.Opening{Reason: "again"}) }))
	refused("a second case about it", err, tallystick.Conflict)
	h.must(t, person("bob"), func(tx *state.Tx) (trail.Change, error) { return h.Claim(tx, id, person("bob")) })
	refused("claimed by another", h.judge(id, "carl", "yes"), tallystick.Conflict)
	refused("an answer that is no label", h.judge(id, "bob", strings.Repeat("y", 1<<17)), tallystick.Invalid)
	refused("without a reason", h.judge(id, "bob", "yes", func(j *casework.Judgement) { j.Rationale = "" }), tallystick.Invalid)
	if err := h.judge(id, "bob", "yes"); err != nil {
		t.Fatal(err)
	}
	refused("the same person", h.judge(id, "bob", "yes"), tallystick.Forbidden)
	if c, seen, err := h.Case(t.Context(), id, person("carl")); err != nil || c.State != casework.Second || len(seen) != 0 {
		t.Errorf("carl sees %+v of %+v, %v", seen, c, err)
	}
	if _, seen, err := h.Case(t.Context(), id, person("bob")); err != nil || len(seen) != 1 {
		t.Errorf("bob sees %+v, %v", seen, err)
	}
	if err := h.judge(id, "carl", "no"); err != nil {
		t.Fatal(err)
	}
	if c, seen, err := h.Case(t.Context(), id, person("dora")); err != nil || c.State != casework.Disputed || len(seen) != 2 {
		t.Errorf("dora sees %+v of %+v, %v", seen, c, err)
	}
	h.now = h.now.Add(3 * time.Hour)
	if err := h.judge(id, "dora", "yes"); err != nil {
		t.Fatal(err)
	}
	c, seen, err := h.Case(t.Context(), id, person("eve"))
	if err != nil || c.State != casework.Decided || len(seen) != 3 || string(c.Outcome) != `"yes"` || c.Agrees == nil || *c.Agrees {
		t.Errorf("%+v, %+v, %v", c, seen, err)
	}
	labels := label.New(h.db, h.blobs)
	now, err := labels.Watermark(t.Context(), "credit", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := labels.History(t.Context(), "credit", r.ID, now); err != nil || len(all) != 1 || all[0].Value.Text() != "yes" || all[0].Source != "case "+id {
		t.Errorf("labels %+v, %v", all, err)
	}
	refused("after it is decided", h.judge(id, "eve", "no"), tallystick.Conflict)
	s, err := h.Workload(t.Context(), "credit", time.Time{}, time.Time{})
	if err != nil || s.Decided != 1 || s.Same.N != 1 || s.Same.K != 0 || s.Agreement.N != 1 || s.Agreement.K != 0 || s.Median != 3 {
		t.Errorf("%+v, %v", s, err)
	}
	h.replays(t)
}

// TestAgreement: kappa of 40 pairs whose table is [[20 5] [10 15]] over 50 is 0.4 (Cohen 1960's
// arithmetic: observed 0.7, by chance 0.5).
func TestAgreement(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, cell := range []struct {
		first, second string
		n             int
	}{{"yes", "yes", 20}, {"yes", "no", 5}, {"no", "yes", 10}, {"no", "no", 15}} {
		for range cell.n {
			r := scored(0.4, "north")
			r.Model = "credit"
			r.Complete(h.now)
			id := h.must(t, person("ann"), func(tx *state.Tx) (trail.Change, error) {
				return h.Open(tx, &r, casework.Opening{Reason: "sample", Second: true})
			}).Receipt.ID
			if err := h.judge(id, "bob", cell.first); err != nil {
				t.Fatal(err)
			}
			if err := h.judge(id, "carl", cell.second); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := h.Workload(t.Context(), "credit", time.Time{}, time.Time{})
	if err != nil || s.Same.N != 50 || s.Same.K != 35 || s.Kappa == nil || math.Abs(s.Kappa.Value-0.4) > 1e-12 || s.Disputed != 15 || s.Decided != 35 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestRuleRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	negative := -1.0
	for what, r := range map[string]casework.CaseRule{
		"nothing chosen":  {Name: "r"},
		"share above one": {Name: "r", Terms: selection.Terms{Share: 2}},
		"no number":       {Name: "r", Terms: selection.Terms{Share: math.NaN()}},
		"margin":          {Name: "r", Terms: selection.Terms{Share: 1, Margin: &negative}},
		"stratum":         {Name: "r", Terms: selection.Terms{Share: 1, Strata: []string{"label"}}},
		"condition":       {Name: "r", Terms: selection.Terms{Share: 1, Where: []string{"score >"}}},
		"name":            {Name: "no name", Terms: selection.Terms{Share: 1}},
		"more than most":  {Name: "r", Terms: selection.Terms{AtLeast: 20, Most: 10}},
		"too long":        {Name: "r", Terms: selection.Terms{Share: 1}, Within: 24_000},
	} {
		r.Model = "credit"
		if _, err := h.do(person("vera"), single(func(tx *state.Tx) (trail.Change, error) { return h.DefineRule(tx, r) })); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.define(t, casework.CaseRule{Model: "credit", Name: "r", Terms: selection.Terms{Share: 1}})
	if done := h.must(t, person("vera"), func(tx *state.Tx) (trail.Change, error) {
		return h.DefineRule(tx, casework.CaseRule{Model: "credit", Name: "r", Terms: selection.Terms{Share: 1}})
	}); done.Changes != 0 {
		t.Error("the same rule again is a change")
	}
}
