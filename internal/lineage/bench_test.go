package lineage_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/state"
)

// The graph of the benchmark: steps of snapshots and runs, each run reading a few of the snapshots of
// the steps before, so that almost everything is reached within twenty edges.
const (
	benchNodes = 400_000
	benchEdges = 1_000_000
)

// grow writes a graph of a million edges as rows, because it is the questions that are measured.
func grow(b *testing.B, db *state.DB) (last lineage.Ref, first lineage.Ref) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	write := func(fn func(tx *state.Tx) error) {
		if err := db.Write(b.Context(), fn); err != nil {
			b.Fatal(err)
		}
	}
	write(func(tx *state.Tx) error {
		_, err := tx.Exec("INSERT INTO events (sequence, leaf, disclosures) VALUES (1, ?, ?)", []byte{}, []byte{})
		return err
	})
	kinds := []lineage.Kind{lineage.Snapshot, lineage.Run}
	ref := func(i int) lineage.Ref { return lineage.Ref{Kind: kinds[i%2], ID: fmt.Sprintf("%07d", i)} }
	for chunk := range slices.Chunk(slices.Collect(counting(benchNodes)), 20_000) {
		write(func(tx *state.Tx) error {
			for _, i := range chunk {
				_, err := tx.Exec("INSERT INTO lineage_nodes (id, kind, name, label, facts, event) VALUES (?, ?, ?, ?, ?, 1)", i+1, string(ref(i).Kind), ref(i).ID, "label",
					fmt.Sprintf(`{"commit":["%040x",1772539200000],"label":["label",1772539200000],"rows":["%d",1772539200000],"seed":["7",1772539200000]}`, i, i))
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	for chunk := range slices.Chunk(slices.Collect(counting(benchEdges)), 20_000) {
		write(func(tx *state.Tx) error {
			for range chunk {
				to := 1 + r.IntN(benchNodes-1)
				from := max(0, to-1-r.IntN(benchNodes/50)) // near enough for twenty steps to matter, far enough to fan out
				_, err := tx.Exec(`INSERT INTO lineage_edges (from_node, to_node, relation, event) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING`,
					from+1, to+1, string(lineage.Derived))
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return ref(benchNodes - 1), ref(0)
}

func counting(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// BenchmarkQuestion asks for depth 20 in a graph of a million edges; the bar is 100 ms.
func BenchmarkQuestion(b *testing.B) {
	db := open(b)
	began := time.Now()
	last, first := grow(b, db)
	b.Logf("%d nodes and %d edges written in %v", benchNodes, benchEdges, time.Since(began).Round(time.Second))
	g := lineage.New(db)
	middle := lineage.Ref{Kind: lineage.Snapshot, ID: fmt.Sprintf("%07d", benchNodes/2)}
	for name, f := range map[string]lineage.Filter{
		"first": {}, "last": {After: last}, "middle": {After: middle}, "kind": {Kind: lineage.Snapshot, After: middle}, "model": {Model: "credit"},
	} {
		b.Run("list/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := g.Nodes(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, ask := range map[string]func(lineage.Options) (lineage.Walk, error){
		"up":     func(o lineage.Options) (lineage.Walk, error) { return g.Up(b.Context(), last, o) },
		"down":   func(o lineage.Options) (lineage.Walk, error) { return g.Down(b.Context(), first, o) },
		"middle": func(o lineage.Options) (lineage.Walk, error) { return g.Up(b.Context(), middle, o) },
	} {
		for _, o := range []lineage.Options{{Depth: 20}, {Depth: 20, Facts: true}, {Depth: 20, Limit: 3_000}, {Depth: 20, Limit: 3_000, Facts: true}, {Depth: 20, Kinds: []lineage.Kind{lineage.Version}}} {
			b.Run(fmt.Sprintf("%s/limit=%d/facts=%t/kinds=%d", name, o.Limit, o.Facts, len(o.Kinds)), func(b *testing.B) {
				var w lineage.Walk
				var worst time.Duration
				for b.Loop() {
					began := time.Now()
					var err error
					if w, err = ask(o); err != nil {
						b.Fatal(err)
					}
					worst = max(worst, time.Since(began))
				}
				b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
				b.ReportMetric(float64(len(w.Nodes)), "nodes")
				b.ReportMetric(float64(len(w.Edges)), "edges")
			})
		}
	}
}

// BenchmarkRecord tells batches of a thousand new edges, each of an event.
func BenchmarkRecord(b *testing.B) {
	h := setup(b)
	i := 0
	for b.Loop() {
		told := lineage.Batch{Origin: "api"}
		for j := range 1000 {
			from := lineage.Ref{Kind: lineage.Column, ID: fmt.Sprintf("%d/%d", i, j)}
			told.Edges = append(told.Edges, lineage.Edge{From: from, To: lineage.Ref{Kind: lineage.Feature, ID: fmt.Sprint(j)}, Relation: lineage.Derived})
		}
		h.mustTell(b, told)
		i++
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "edges/s")
}
