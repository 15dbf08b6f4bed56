package lineage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

var start = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

type house struct {
	db       *state.DB
	graph    *lineage.Graph
	recorder *trail.Recorder
	reader   *trail.Reader
}

func open(t testing.TB) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{URL: postgrestest.IfChosen(t), Path: filepath.Join(t.TempDir(), "w", "state.db"), Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func setup(t testing.TB) house {
	t.Helper()
	db := open(t)
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: "example.test/ledger"})
	if err != nil {
		t.Fatal(err)
	}
	return house{db, lineage.New(db), recorder, trail.NewReader(db, "example.test/ledger")}
}

// tell records a batch and returns how many events that took.
func (h house) tell(ctx context.Context, b lineage.Batch) (events int, err error) {
	err = h.db.Write(ctx, func(tx *state.Tx) error {
		changes, err := h.graph.Record(tx, b)
		if err != nil {
			return err
		}
		events = len(changes)
		for _, c := range changes {
			if _, err := h.recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "alice", Kind: "person"}}, c); err != nil {
				return err
			}
		}
		return nil
	})
	return events, err
}

func (h house) mustTell(t testing.TB, b lineage.Batch) int {
	t.Helper()
	n, err := h.tell(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (h house) check(t *testing.T) error {
	t.Helper()
	_, err := trail.Replayer{Changes: lineage.Changes(), Tables: lineage.Tables()}.Check(t.Context(), h.reader, open(t))
	return err
}

func ref(t testing.TB, s string) lineage.Ref {
	t.Helper()
	r, err := lineage.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func edge(t testing.TB, words string) lineage.Edge {
	t.Helper()
	w := strings.Fields(words)
	return lineage.Edge{From: ref(t, w[0]), Relation: lineage.Relation(w[1]), To: ref(t, w[2])}
}

func batch(t testing.TB, edges ...string) lineage.Batch {
	t.Helper()
	b := lineage.Batch{Origin: "api"}
	for _, e := range edges {
		b.Edges = append(b.Edges, edge(t, e))
	}
	return b
}

// credit is the life of a model in small.
func credit(t testing.TB) lineage.Batch {
	t.Helper()
	b := batch(t,
		"source:core/loans read transformation:clean",
		"transformation:clean wrote snapshot:loans@1",
		"code:9f2c1ab defines transformation:clean",
		"column:core/loans#income part source:core/loans",
		"column:core/loans#income derived column:loans@1#income",
		"column:core/loans#postcode derived column:loans@1#postcode",
		"column:loans@1#income derived feature:debt_ratio",
		"column:loans@1#postcode derived feature:region",
		"feature:debt_ratio read run:r1",
		"snapshot:loans@1 read run:r1",
		"run:r1 trained version:credit@3",
		"version:credit@3 deployed deployment:eu-prod",
		"deployment:eu-prod predicted segment:s1",
	)
	b.Edges[1].Reason, b.Edges[1].Script = "drop loans without a decision", "9f2c1ab"
	b.Nodes = []lineage.Node{
		{Ref: ref(t, "snapshot:loans@1"), Label: "Loans, March", Digest: tallystick.DigestOf([]byte("loans")), Facts: map[string]string{"rows": "1200"}},
		{Ref: ref(t, "deployment:eu-prod"), Model: "credit"},
	}
	b.Rules = []lineage.UsageRule{
		{Node: ref(t, "column:core/loans#income"), Allowed: []string{"credit scoring", "audit"}, Basis: "contract"},
		{Node: ref(t, "column:core/loans#postcode"), Forbidden: []string{"credit scoring"}, Basis: "consent", Reason: "stands in for origin"},
	}
	return b
}

func names(steps []lineage.Step) []string {
	var names []string
	for _, s := range steps {
		names = append(names, s.Ref.String())
	}
	slices.Sort(names)
	return names
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	h := setup(t)
	if resource, model := credit(t).Subject(); resource != (trail.Resource{Type: "version", ID: "credit@3"}) || model != "credit" {
		t.Errorf("the subject is %v of %q", resource, model)
	}
	if n := h.mustTell(t, credit(t)); n != 1 {
		t.Errorf("one model took %d events", n)
	}
	fed, err := h.graph.Fed(t.Context(), "credit", "3", lineage.Options{Facts: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"code:9f2c1ab", "column:core/loans#income", "column:loans@1#income", "feature:debt_ratio",
		"run:r1", "snapshot:loans@1", "source:core/loans", "transformation:clean",
	}
	if diff := cmp.Diff(want, names(fed.Nodes)); diff != "" {
		t.Errorf("what fed credit@3 (-want +got):\n%s", diff)
	}
	if fed.Cut != "" {
		t.Errorf("cut by %q", fed.Cut)
	}
	i := slices.IndexFunc(fed.Edges, func(e lineage.Edge) bool { return e.To.ID == "loans@1" && e.Relation == lineage.Wrote })
	if i < 0 || fed.Edges[i].Reason != "drop loans without a decision" || fed.Edges[i].Script != "9f2c1ab" || fed.Edges[i].Event != 1 {
		t.Errorf("the edge does not say why: %+v", fed.Edges)
	}

	users, err := h.graph.Down(t.Context(), ref(t, "snapshot:loans@1"), lineage.Options{Kinds: []lineage.Kind{lineage.Version, lineage.Deployment}, Paths: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"deployment:eu-prod", "version:credit@3"}, names(users.Nodes)); diff != "" {
		t.Errorf("users of the snapshot (-want +got):\n%s", diff)
	}
	if way := fmt.Sprint(users.Nodes[1].Path); way != "[snapshot:loans@1 read run:r1 run:r1 trained version:credit@3 version:credit@3 deployed deployment:eu-prod]" {
		t.Errorf("way to the deployment: %s", way)
	}

	postcode := ref(t, "column:core/loans#postcode")
	features, cut, err := h.graph.Uses(t.Context(), postcode, lineage.Feature, "credit scoring")
	if err != nil || cut != "" || len(features) != 1 {
		t.Fatalf("features: %+v, %q, %v", features, cut, err)
	}
	against := features[0].Against
	if features[0].Node.Ref.ID != "region" || len(against) != 1 || against[0].Rule.Reason != "stands in for origin" || len(against[0].Path) != 2 {
		t.Errorf("rules of the feature: %+v", features[0])
	}
	features, _, err = h.graph.Uses(t.Context(), postcode, lineage.Feature, "marketing")
	if err != nil || len(features) != 1 || len(features[0].Against) != 0 {
		t.Errorf("a purpose that nothing forbids is forbidden: %+v, %v", features, err)
	}
	if _, _, err := h.graph.Uses(t.Context(), postcode, "colum", ""); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("an unknown kind: %v", err)
	}

	use, err := h.graph.Rules(t.Context(), ref(t, "deployment:eu-prod"), "marketing")
	if err != nil || len(use.Rules) != 1 || use.Rules[0].Rule.Node.ID != "core/loans#income" || len(use.Rules[0].Path) < 4 {
		t.Errorf("rules of the deployment: %+v, %v", use, err)
	}
	if len(use.Against) != 1 {
		t.Errorf("nothing is against marketing: %+v", use)
	}
	if use, err = h.graph.Rules(t.Context(), ref(t, "deployment:eu-prod"), "audit"); err != nil || len(use.Against) != 0 {
		t.Errorf("against audit: %+v, %v", use, err)
	}

	way, err := h.graph.Path(t.Context(), ref(t, "source:core/loans"), ref(t, "segment:s1"))
	if err != nil || len(way) != 6 || way[0].From.ID != "core/loans" || way[5].To.ID != "s1" {
		t.Errorf("path: %v, %v", way, err)
	}
	if _, err := h.graph.Path(t.Context(), ref(t, "segment:s1"), ref(t, "source:core/loans")); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("a way against the data: %v", err)
	}
	if _, err := h.graph.Fed(t.Context(), "credit", "4", lineage.Options{}); tallystick.CodeOf(err) != tallystick.NotFound || !strings.Contains(err.Error(), "credit@3") {
		t.Errorf("unknown version: %v", err)
	}

	nodes, err := h.graph.Nodes(t.Context(), lineage.Filter{Model: "credit"})
	if err != nil || len(nodes) != 2 {
		t.Errorf("nodes of the model: %v, %v", nodes, err)
	}
	byDigest, err := h.graph.Nodes(t.Context(), lineage.Filter{Digest: tallystick.DigestOf([]byte("loans"))})
	if err != nil || len(byDigest) != 1 || byDigest[0].Label != "Loans, March" || byDigest[0].Facts["rows"] != "1200" {
		t.Errorf("node by digest: %+v, %v", byDigest, err)
	}
	var paged []string
	for f := (lineage.Filter{Limit: 3}); ; {
		page, err := h.graph.Nodes(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, n := range page {
			paged = append(paged, n.Ref.String())
		}
		f.After = page[len(page)-1].Ref
	}
	if len(paged) != 14 || !slices.IsSortedFunc(paged, strings.Compare) {
		t.Errorf("pages: %d %v", len(paged), paged)
	}
	events, err := h.reader.Events(t.Context(), trail.Filter{Model: "credit"})
	if err != nil || len(events) != 1 || events[0].Resource.ID != "credit@3" {
		t.Errorf("history of the model: %+v, %v", events, err)
	}
	if strings.Contains(string(events[0].Leaf), "without a decision") || strings.Contains(string(events[0].Leaf), "origin\"") && strings.Contains(string(events[0].Leaf), "stands in for") {
		t.Error("a reason stands in the leaf")
	}
}

func TestToldTwice(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.mustTell(t, credit(t))
	if n := h.mustTell(t, credit(t)); n != 0 {
		t.Errorf("what is known took %d events", n)
	}
	dated := credit(t)
	dated.Observed = start.Add(-time.Hour)
	if n := h.mustTell(t, dated); n != 0 {
		t.Errorf("what was so before took %d events", n)
	}
	other := batch(t, "snapshot:loans@1 read run:r1")
	other.Nodes = []lineage.Node{{Ref: ref(t, "snapshot:loans@1"), Digest: tallystick.DigestOf([]byte("changed"))}}
	if _, err := h.tell(t.Context(), other); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("another digest: %v", err)
	}
	two := batch(t, "version:fraud@1 derived version:credit@3")
	if n := h.mustTell(t, two); n != 2 {
		t.Errorf("an edge between two models took %d events", n)
	}
	for _, model := range []string{"fraud", "credit"} {
		events, err := h.reader.Events(t.Context(), trail.Filter{Model: model, Newest: true, Limit: 1})
		if err != nil || len(events) != 1 || events[0].Sequence < 2 {
			t.Errorf("history of %s: %+v, %v", model, events, err)
		}
	}
}

func TestCyclesAndCuts(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.mustTell(t, batch(t, "source:a derived source:b", "source:b derived source:c", "source:c derived source:a", "source:c derived source:d"))
	w, err := h.graph.Down(t.Context(), ref(t, "source:a"), lineage.Options{})
	if err != nil || len(w.Nodes) != 3 || len(w.Edges) != 4 || w.Cut != "" {
		t.Errorf("cycle: %+v, %v", w, err)
	}
	w, err = h.graph.Down(t.Context(), ref(t, "source:a"), lineage.Options{Depth: 2})
	if err != nil || len(w.Nodes) != 2 || w.Cut != lineage.CutDepth {
		t.Errorf("depth 2: %+v, %v", w, err)
	}
	w, err = h.graph.Down(t.Context(), ref(t, "source:a"), lineage.Options{Depth: 4})
	if err != nil || len(w.Nodes) != 3 || w.Cut != "" {
		t.Errorf("just deep enough: %+v, %v", w, err)
	}
	var spokes []string
	for i := range 600 {
		spokes = append(spokes, fmt.Sprintf("source:hub derived source:spoke%d", i))
	}
	h.mustTell(t, batch(t, spokes...))
	for _, limit := range []int{1, 10, 599} {
		w, err := h.graph.Down(t.Context(), ref(t, "source:hub"), lineage.Options{Limit: limit})
		if err != nil || len(w.Nodes) != limit || len(w.Edges) != limit || w.Cut != lineage.CutSize {
			t.Errorf("limit %d: %d nodes, %d edges, cut %q, %v", limit, len(w.Nodes), len(w.Edges), w.Cut, err)
		}
	}
	w, err = h.graph.Down(t.Context(), ref(t, "source:hub"), lineage.Options{Limit: 600})
	if err != nil || len(w.Nodes) != 600 || w.Cut != "" {
		t.Errorf("whole hub: %d nodes, cut %q, %v", len(w.Nodes), w.Cut, err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for name, spoil := range map[string]func(*lineage.Batch){
		"nothing":          func(b *lineage.Batch) { *b = lineage.Batch{Origin: "api"} },
		"no origin":        func(b *lineage.Batch) { b.Origin = "" },
		"too much":         func(b *lineage.Batch) { b.Edges = slices.Repeat(b.Edges, lineage.MaxBatch) },
		"from the future":  func(b *lineage.Batch) { b.Observed = start.Add(time.Hour) },
		"unknown kind":     func(b *lineage.Batch) { b.Edges[0].From.Kind = "planet" },
		"unknown relation": func(b *lineage.Batch) { b.Edges[0].Relation = "ate" },
		"against the flow": func(b *lineage.Batch) { b.Edges[0].From, b.Edges[0].To = b.Edges[0].To, b.Edges[0].From },
		"to itself": func(b *lineage.Batch) {
			b.Edges[0] = lineage.Edge{From: b.Edges[0].From, To: b.Edges[0].From, Relation: "derived"}
		},
		"version without @": func(b *lineage.Batch) { b.Edges[0].To.ID = "credit" },
		"control character": func(b *lineage.Batch) { b.Edges[0].From.ID = "r\n1" },
		"long id":           func(b *lineage.Batch) { b.Edges[0].From.ID = strings.Repeat("x", 513) },
		"digest of a source": func(b *lineage.Batch) {
			b.Nodes[0] = lineage.Node{Ref: ref(t, "source:a"), Digest: tallystick.DigestOf(nil)}
		},
		"no digest":         func(b *lineage.Batch) { b.Nodes[0].Digest = "sha256:12" },
		"another's version": func(b *lineage.Batch) { b.Nodes[0] = lineage.Node{Ref: ref(t, "version:credit@3"), Model: "fraud"} },
		"two digests": func(b *lineage.Batch) {
			b.Nodes = append(b.Nodes, lineage.Node{Ref: b.Nodes[0].Ref, Digest: tallystick.DigestOf(nil)})
		},
		"empty fact": func(b *lineage.Batch) { b.Nodes[0].Facts = map[string]string{"a": ""} },
		"allowed and not": func(b *lineage.Batch) {
			b.Rules = []lineage.UsageRule{{Node: b.Nodes[0].Ref, Allowed: []string{"a"}, Forbidden: []string{"a"}}}
		},
		"too many facts":      func(b *lineage.Batch) { b.Nodes[0].Facts = many(65, "v") },
		"facts of many bytes": func(b *lineage.Batch) { b.Nodes[0].Facts = many(5, strings.Repeat("v", 4096)) },
	} {
		b := batch(t, "run:r1 trained version:credit@3")
		b.Nodes = []lineage.Node{{Ref: ref(t, "snapshot:s"), Digest: tallystick.DigestOf([]byte("s"))}}
		spoil(&b)
		if _, err := h.tell(t.Context(), b); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func many(n int, value string) map[string]string {
	facts := map[string]string{}
	for i := range n {
		facts[fmt.Sprint("f", i)] = value
	}
	return facts
}

// TestLargeBatch tells the largest batch of the longest ids and facts: every event must fit a leaf.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	h := setup(t)
	b := lineage.Batch{Origin: "api"}
	long := strings.Repeat(`"`, 480)
	for i := range 60 {
		b.Nodes = append(b.Nodes, lineage.Node{
			Ref: lineage.Ref{Kind: lineage.Snapshot, ID: fmt.Sprint(long, i)}, Digest: tallystick.DigestOf([]byte{byte(i)}),
			Facts: many(4, strings.Repeat("\n", 4096)),
		})
		b.Edges = append(b.Edges, lineage.Edge{
			From: b.Nodes[i].Ref, To: lineage.Ref{Kind: lineage.Run, ID: long}, Relation: lineage.Read, Reason: strings.Repeat(`\`, 2048),
		})
		b.Rules = append(b.Rules, lineage.UsageRule{Node: b.Nodes[i].Ref, Allowed: slices.Sorted(slices.Values(purposes(32))), Reason: strings.Repeat(`"`, 2048)})
	}
	if n := h.mustTell(t, b); n < 60 {
		t.Errorf("all fitted in %d events", n)
	}
	small := lineage.Batch{Origin: "api"}
	for i := range 5000 {
		small.Edges = append(small.Edges, edge(t, fmt.Sprintf("column:a%d derived column:b%d", i, i)))
	}
	if n := h.mustTell(t, small); n < 5 || n > 20 {
		t.Errorf("5,000 small edges took %d events", n)
	}
	if err := h.check(t); err != nil {
		t.Error(err)
	}
}

func purposes(n int) []string {
	var words []string
	for i := range n {
		words = append(words, fmt.Sprint(strings.Repeat(`"`, 60), i))
	}
	return words
}

// view is the graph without the numbers of rows and events.
func (h house) view(t *testing.T) string {
	t.Helper()
	var lines []string
	nodes, err := h.graph.Nodes(t.Context(), lineage.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		n.Event = 0
		line, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		w, err := h.graph.Up(t.Context(), n.Ref, lineage.Options{Depth: 1, Facts: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range w.Edges {
			e.Event = 0
			lines = append(lines, fmt.Sprintf("%+v", e))
		}
		use, err := h.graph.Rules(t.Context(), n.Ref, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range use.Rules {
			a.Rule.Event = 0
			lines = append(lines, n.Ref.String()+fmt.Sprintf("%+v", a.Rule))
		}
		lines = append(lines, string(line))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func random(r *rand.Rand) lineage.Batch {
	node := func() lineage.Ref {
		kinds := []lineage.Kind{lineage.Source, lineage.Snapshot, lineage.Run, lineage.Column, lineage.Feature}
		return lineage.Ref{Kind: kinds[r.IntN(len(kinds))], ID: fmt.Sprint(r.IntN(6))}
	}
	b := lineage.Batch{Origin: "api", Observed: start.Add(-time.Duration(r.IntN(50)) * time.Second)}
	for range 1 + r.IntN(3) {
		e := lineage.Edge{From: node(), To: node(), Relation: lineage.Derived}
		if r.IntN(2) == 0 {
			e.Reason, e.Script = fmt.Sprint("because ", r.IntN(9)), fmt.Sprint("v", r.IntN(3))
		}
		if e.From != e.To {
			b.Edges = append(b.Edges, e)
		}
		n := lineage.Node{Ref: node(), Facts: map[string]string{fmt.Sprint("f", r.IntN(3)): fmt.Sprint(r.IntN(9))}}
		if n.Ref.Kind == lineage.Snapshot {
			n.Digest = tallystick.DigestOf([]byte(n.Ref.ID))
		}
		if r.IntN(3) == 0 {
			n.Label = fmt.Sprint("label ", r.IntN(4))
		}
		if n.Ref.Kind == lineage.Run {
			n.Model = "m" + n.Ref.ID
		}
		b.Nodes = append(b.Nodes, n)
		b.Rules = append(b.Rules, lineage.UsageRule{Node: node(), Forbidden: []string{fmt.Sprint("p", r.IntN(3))}})
	}
	return b
}

// TestOrderDoesNotMatter tells the same in two orders, one of them with repetitions.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	var batches []lineage.Batch
	for range 60 {
		batches = append(batches, random(r))
	}
	a, b := setup(t), setup(t)
	for _, told := range batches {
		a.mustTell(t, told)
	}
	again := slices.Concat(batches, batches[:20])
	r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	for _, told := range again {
		b.mustTell(t, told)
	}
	if diff := cmp.Diff(strings.Split(a.view(t), "\n"), strings.Split(b.view(t), "\n")); diff != "" {
		t.Errorf("the order matters (-first +second):\n%s", diff)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	for name, touch := range map[string]string{
		"":                "",
		"node renamed":    "UPDATE lineage_nodes SET name = 'other' WHERE id = 2",
		"digest changed":  "UPDATE lineage_nodes SET digest = 'sha256:00' WHERE kind = 'snapshot'",
		"edge taken out":  "DELETE FROM lineage_edges WHERE from_node = (SELECT min(from_node) FROM lineage_edges)",
		"edge turned":     "UPDATE lineage_edges SET relation = 'part' WHERE from_node = (SELECT min(from_node) FROM lineage_edges)",
		"edge put in":     "INSERT INTO lineage_edges (from_node, to_node, relation, event) VALUES (1, 2, 'read', 1)",
		"rule loosened":   "UPDATE lineage_rules SET forbidden = '[]'",
		"rule taken away": "DELETE FROM lineage_rules",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := setup(t)
			r := rand.New(rand.NewPCG(5, 5))
			for range 40 {
				h.mustTell(t, random(r))
			}
			if touch == "" {
				if err := h.check(t); err != nil {
					t.Error(err)
				}
				return
			}
			err := h.db.Write(t.Context(), func(tx *state.Tx) error {
				_, err := tx.Exec(touch)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.check(t); tallystick.CodeOf(err) != tallystick.Invalid {
				t.Errorf("nobody noticed: %v", err)
			}
		})
	}
}

func FuzzRef(f *testing.F) {
	for _, s := range []string{"version:credit@3", "source:a:b", "column:x#y", "run:", "version:a@b@c", ":", "image:sha256:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := lineage.ParseRef(s)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Invalid {
				t.Fatal(err)
			}
			return
		}
		if r.String() != s || r.Validate() != nil {
			t.Fatalf("%q became %q", s, r)
		}
	})
}
