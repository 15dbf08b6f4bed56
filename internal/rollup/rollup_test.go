package rollup_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/workspace"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// house takes predictions of the model credit in, and keeps tallies of them.
type house struct {
	*rollup.Store
	*workspace.Workspace
	asker    *query.Asker
	archive  *archive.Archive
	capture  *capture.Capture
	registry *registry.Registry
	rules    *rollup.Rules
	now      time.Time
	ids      []prediction.ID
}

func open(t testing.TB) *house {
	t.Helper()
	h := &house{now: noon}
	dir, clock, itself := t.TempDir(), func() time.Time { return h.now }, trail.Actor{ID: "test", Kind: "program"}
	var err error
	h.Workspace, err = workspace.Open(t.Context(), workspace.Config{Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Database: postgrestest.IfChosen(t), Actor: itself, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Workspace.Close() })
	h.registry = registry.New(h.DB, h.Recorder)
	c := catalog.New(h.DB, h.Trail)
	for _, propose := range []func(tx *state.Tx) (trail.Change, error){
		func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterModel(tx, catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
		},
		func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: "1"})
		},
		func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterVersion(tx, catalog.VersionRegistration{Model: "credit", Version: "2"})
		},
	} {
		_, err := h.registry.Do(t.Context(), registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: func(tx *state.Tx) ([]trail.Change, error) {
			change, err := propose(tx)
			return []trail.Change{change}, err
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(h.Dir(), "journal"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	h.capture, err = capture.New(t.Context(), capture.Config{
		DB: h.DB, Catalog: c, Journal: j, Now: clock, Recorder: h.Recorder, Actor: itself, Segments: h.Segments, Plan: filepath.Join(h.Dir(), "predictions", "cut.json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.archive = archive.New(archive.Config{Workspace: h.Workspace, Actor: itself, Now: clock})
	t.Cleanup(h.archive.Close)
	h.asker = query.New(h.DB, h.archive, label.New(h.DB, h.Evidence))
	h.Store = rollup.New(h.DB, h.asker, clock)
	h.rules = &rollup.Rules{Reference: reference(t)}
	for _, text := range []string{"latency_us > 50000", "latency_us != null", "status = error"} {
		h.rules.Counts = append(h.rules.Counts, condition(t, text))
	}
	for _, text := range []string{"f_job = clerk", "f_income < 40"} {
		h.rules.Slices = append(h.rules.Slices, condition(t, text))
	}
	return h
}

func condition(t testing.TB, text string) query.Condition {
	t.Helper()
	c, err := query.ParseCondition(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func reference(t testing.TB) *window.Reference {
	t.Helper()
	b, random := window.NewBuilder(window.Options{}), rand.New(rand.NewPCG(1, 2))
	numbers := make([]float64, 2000)
	for i := range numbers {
		numbers[i] = random.NormFloat64()*15 + 50
	}
	if err := b.Number("income", window.RoleFeature, numbers, 0); err != nil {
		t.Fatal(err)
	}
	if err := b.Category("job", window.RoleFeature, map[string]int64{"clerk": 800, "nurse": 700, "cook": 500}, 0); err != nil {
		t.Fatal(err)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// send puts n predictions from a time on, spread over a span, on record as one segment.
func (h *house) send(t testing.TB, random *rand.Rand, from time.Time, over time.Duration, n int) {
	t.Helper()
	var all []prediction.Record
	for i := range n {
		at := from.Add(over * time.Duration(i) / time.Duration(n))
		id, err := prediction.ParseID(tallystick.NewID(at))
		if err != nil {
			t.Fatal(err)
		}
		h.ids = append(h.ids, id)
		r := prediction.Record{ID: id, Time: prediction.TimeOf(at), Model: "credit", Version: []string{"1", "2"}[random.IntN(2)], Environment: []string{"", "shop", "bank"}[random.IntN(3)]}
		if random.IntN(10) > 0 {
			r.Features = append(r.Features, prediction.Feature{Name: "income", Value: prediction.Number(random.NormFloat64()*15 + 50)})
		}
		r.Features = append(r.Features, prediction.Feature{Name: "job", Value: prediction.String([]string{"clerk", "nurse", "cook", fmt.Sprintf("odd%d", random.IntN(200))}[random.IntN(4)])})
		all = append(all, r)
	}
	answer, err := h.capture.Accept(t.Context(), capture.Batch{Records: all})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("%d rejected, %v", len(answer.Rejected), err)
	}
	if err := h.capture.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (h *house) count(t testing.TB) int {
	t.Helper()
	n, err := h.Count(t.Context(), "credit", h.rules)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// records counts the records themselves.
func (h *house) records(t testing.TB, q rollup.Question) *rollup.Answer {
	t.Helper()
	s := query.Selection{Model: q.Model, From: q.From, To: q.To, Registered: q.Known}
	if q.Version != "" {
		s.Where = append(s.Where, query.Equals("version", q.Version))
	}
	if q.Environment != "" {
		s.Where = append(s.Where, query.Equals("environment", q.Environment))
	}
	answer, counter := &rollup.Answer{Tally: h.rules.Tally()}, rollup.NewCounter(h.rules, 0)
	for range h.rules.Slices {
		answer.Slices = append(answer.Slices, h.rules.Tally())
	}
	for b, err := range h.asker.Blocks(t.Context(), s, h.rules.Columns()) {
		if err != nil {
			t.Fatal(err)
		}
		counter.Add(answer.Tally, answer.Slices, b)
	}
	return answer
}

func bytesOf(t testing.TB, a *rollup.Answer) []byte {
	t.Helper()
	var all []byte
	for _, tally := range append([]*rollup.Tally{a.Tally}, a.Slices...) {
		data, err := tally.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

// ask returns whether tallies answer, and fails the test if they do not say what records do.
func (h *house) ask(t testing.TB, q rollup.Question) bool {
	t.Helper()
	q.Model = "credit"
	if q.Known == 0 {
		known, err := h.asker.Registered(t.Context(), q.Model, q.From, q.To, 0)
		if err != nil {
			t.Fatal(err)
		}
		q.Known = known.Newest
	}
	answer, err := h.Read(t.Context(), q, h.rules)
	if err != nil {
		t.Fatal(err)
	}
	if answer != nil && !bytes.Equal(bytesOf(t, answer), bytesOf(t, h.records(t, q))) {
		t.Fatalf("tallies from %s to %s of version %q in %q differ from records", q.From, q.To, q.Version, q.Environment)
	}
	return answer != nil
}

// Segments come in time and late, are counted now and then, and some of their records are erased: whatever is answered from
// tallies is what records say, to the byte.
func TestTalliesAreWhatRecordsSay(t *testing.T) {
	h, random := open(t), rand.New(rand.NewPCG(3, 4))
	began, answered, asked := h.now.Add(-30*time.Hour), 0, 0
	var events []uint64
	for step := range 40 {
		from := h.now.Add(-time.Duration(random.IntN(90)) * time.Minute)
		if step%5 == 4 { // back-filled
			from = began.Add(time.Duration(random.IntN(25*60)) * time.Minute)
		}
		h.send(t, random, from, time.Duration(1+random.IntN(120))*time.Minute, 20+random.IntN(200))
		newest, err := h.Trail.Newest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, newest)
		if random.IntN(3) > 0 {
			h.count(t)
		}
		if step == 20 {
			h.erase(t, h.ids[17])
		}
		h.now = h.now.Add(time.Duration(random.IntN(40)) * time.Minute)
		for range 12 {
			width := []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour}[random.IntN(4)]
			at := began.Add(time.Duration(random.Int64N(int64(h.now.Sub(began))))).Truncate(width)
			q := rollup.Question{From: at, To: at.Add(width), Version: []string{"", "1"}[random.IntN(2)], Environment: []string{"", "shop"}[random.IntN(2)]}
			if random.IntN(4) == 0 {
				q.Known = events[random.IntN(len(events))]
			}
			if asked++; h.ask(t, q) {
				answered++
			}
		}
	}
	h.count(t)
	for from := began; from.Before(h.now); from = from.Add(time.Hour) {
		if asked++; h.ask(t, rollup.Question{From: from.Truncate(time.Hour), To: from.Truncate(time.Hour).Add(time.Hour)}) {
			answered++
		}
	}
	t.Logf("%d of %d questions were answered from tallies", answered, asked)
	if answered < asked/2 {
		t.Errorf("tallies answered %d of %d questions, want half", answered, asked)
	}
}

func (h *house) erase(t testing.TB, id prediction.ID) {
	t.Helper()
	if _, err := h.archive.Erase(t.Context(), h.registry, access.Local("ada"), archive.Erasure{IDs: []prediction.ID{id}, Reason: "asked to"}); err != nil {
		t.Fatal(err)
	}
}

// Whoever is cut off between counting and writing has counted nothing, and who counts at the same time counts nothing twice.
func TestASegmentCountsOnce(t *testing.T) {
	h, random := open(t), rand.New(rand.NewPCG(5, 6))
	hour := rollup.Question{From: noon.Add(-time.Hour), To: noon}
	h.send(t, random, hour.From, time.Hour, 300)
	h.Interrupt(func() { panic("killed") })
	func() {
		defer func() {
			if recover() == nil {
				t.Error("was not interrupted")
			}
		}()
		h.count(t)
	}()
	if h.ask(t, hour) {
		t.Error("answered although nothing was counted")
	}
	other, meanwhile := rollup.New(h.DB, h.asker, func() time.Time { return h.now }), 0
	h.Interrupt(func() {
		var err error
		if meanwhile, err = other.Count(t.Context(), "credit", h.rules); err != nil {
			t.Error(err)
		}
	})
	h.count(t)
	h.Interrupt(func() {})
	if again := h.count(t); meanwhile != 1 || again != 0 {
		t.Errorf("the other counted %d segments, and again %d, want 1 and 0", meanwhile, again)
	}
	if !h.ask(t, hour) {
		t.Error("not answered from tallies")
	}
}

// What was erased is in no tally from the moment on that it is not on record, and its tallies are removed.
func TestErasedRecordsAreInNoTally(t *testing.T) {
	h, random := open(t), rand.New(rand.NewPCG(7, 8))
	hour := rollup.Question{From: noon.Add(-time.Hour), To: noon}
	before := rollup.Question{From: noon.Add(-2 * time.Hour), To: noon.Add(-time.Hour)}
	h.send(t, random, before.From, 59*time.Minute, 100)
	h.send(t, random, hour.From, 59*time.Minute, 100)
	h.count(t)
	if !h.ask(t, hour) || !h.ask(t, before) {
		t.Fatal("not answered from tallies")
	}
	h.erase(t, h.ids[150])
	for _, when := range []string{"at once", "after it was carried out"} {
		if h.ask(t, hour) || !h.ask(t, before) {
			t.Errorf("%s: the hour is answered from tallies, or the one before is not", when)
		}
		h.count(t)
	}
	var left int
	err := h.DB.Read(t.Context(), func(tx *state.Tx) error {
		return tx.QueryRow("SELECT count(*) FROM tallies WHERE from_us >= ? OR grain_us > 3600000000", hour.From.UnixMicro()).Scan(&left)
	})
	if err != nil || left > 0 {
		t.Errorf("%d tallies of the time are left, %v", left, err)
	}
}

// Minutes are kept for two days, then hours answer.
func TestMinutesAreNotKept(t *testing.T) {
	h, random := open(t), rand.New(rand.NewPCG(9, 10))
	h.send(t, random, noon.Add(-time.Hour), time.Hour, 300)
	h.count(t)
	quarter := rollup.Question{From: noon.Add(-time.Hour), To: noon.Add(-45 * time.Minute)}
	if !h.ask(t, quarter) {
		t.Error("a quarter of an hour is not answered")
	}
	h.now = h.now.Add(rollup.MinutesKept + 2*time.Hour)
	h.count(t)
	if h.ask(t, quarter) {
		t.Error("minutes are kept for longer than two days")
	}
	if !h.ask(t, rollup.Question{From: noon.Add(-time.Hour), To: noon}) {
		t.Error("the hour is not answered")
	}
	h.send(t, random, noon.Add(-30*time.Minute), 10*time.Minute, 50) // late by more than minutes are kept
	h.count(t)
	if !h.ask(t, rollup.Question{From: noon.Add(-time.Hour), To: noon}) {
		t.Error("the hour to which records were added is not answered")
	}
}

// A segment that lies in more minutes than fit into memory is left to the records.
func TestASegmentOfTooMuchTimeIsLeftOut(t *testing.T) {
	h, random := open(t), rand.New(rand.NewPCG(11, 12))
	h.send(t, random, noon.Add(-time.Hour), 59*time.Minute, 100)
	h.send(t, random, noon.Add(-46*time.Hour), 44*time.Hour, 3000)
	if n := h.count(t); n != 2 {
		t.Errorf("%d segments were looked at, want 2", n)
	}
	if !h.ask(t, rollup.Question{From: noon.Add(-time.Hour), To: noon}) {
		t.Error("the hour is not answered from tallies")
	}
	if h.ask(t, rollup.Question{From: noon.Add(-20 * time.Hour), To: noon.Add(-19 * time.Hour)}) {
		t.Error("an hour of the segment is answered from tallies")
	}
}
