package audit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/performance"
)

// served writes the lists of a small shop: 40 users, 12 items each of 30, graded labels 0 to 3. The
// rows of a user do not lie together.
func served(t *testing.T) string {
	rng := rand.New(rand.NewPCG(11, 4))
	var lines []string
	for user := range 40 {
		for _, item := range rng.Perm(30)[:12] {
			gain := max(0, rng.IntN(7)-3)
			lines = append(lines, fmt.Sprintf("u%d,i%d,%.4f,%d", user, item, 0.4*float64(gain)+rng.NormFloat64(), gain))
		}
	}
	rng.Shuffle(len(lines), func(i, k int) { lines[i], lines[k] = lines[k], lines[i] })
	return write(t, "served.csv", "user,item,score,label\n"+strings.Join(lines, "\n")+"\n")
}

func ranking(t *testing.T) Config {
	return Config{Files: []string{served(t)}, Query: "user", Item: "item", Score: "score", Label: "label", K: 5}
}

// NDCG is the mean over users of sklearn.metrics.ndcg_score(k=5) of scikit-learn 1.9.1 on this file,
// the others follow their definitions in NumPy; coverage and Gini are over the places 1 to 5.
func TestRanking(t *testing.T) {
	t.Parallel()
	doc := measured(t, ranking(t))
	if doc.Columns.Task != performance.Ranking || doc.Performance.N != 40 || doc.Performance.K != 5 || doc.Labelled != 480 {
		t.Fatalf("%s of %d queries at %d, %d rows labelled", doc.Columns.Task, doc.Performance.N, doc.Performance.K, doc.Labelled)
	}
	for name, want := range map[string]float64{
		"ndcg": 0.6714797013233379, "recall_at_k": 0.64, "precision_at_k": 0.615, "map": 0.5942916666666667,
		"mrr": 0.8895833333333332, "hit_rate": 1, "coverage": 1, "popularity_gini": 0.16066666666666668,
	} {
		m, ok := doc.Performance.Metric(name)
		if !ok || math.Abs(m.Value-want) > 1e-9 {
			t.Errorf("%s = %v, want %v", name, m.Value, want)
		}
	}
}

func TestRankingByChunks(t *testing.T) {
	t.Parallel()
	cfg := ranking(t)
	cfg.Chunk = 240
	doc := measured(t, cfg)
	if len(doc.Windows) != 2 || doc.Windows[0].Performance == nil || doc.Windows[0].Performance.NDCG == nil {
		t.Fatalf("windows of a ranking: %+v", doc.Windows)
	}
}

// A ranking needs every row of a query, so it does not go beyond the rows that are held.
func TestRankingBeyondExactRows(t *testing.T) {
	t.Parallel()
	cfg := ranking(t)
	cfg.ExactRows = 100
	_, err := Measure(t.Context(), cfg)
	if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "480 rows") {
		t.Errorf("error %v, want one that states the rows", err)
	}
}

// Rows without a query are in no list, least of all in one list together, and their number is told.
func TestRankingWithoutQueryOrItem(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("user,item,score,label\n")
	for row := range 400 {
		user, item := fmt.Sprintf("%d.5", row/10), fmt.Sprint(row%10)
		if row%10 == 3 {
			user = "NaN"
		}
		if row%20 == 5 {
			item = "NaN"
		}
		fmt.Fprintf(&b, "%s,%s,%d,%d\n", user, item, row*7%11, row%3)
	}
	cfg := Config{Files: []string{write(t, "gaps.csv", b.String())}, Query: "user", Item: "item", Score: "score", Label: "label", K: 5}
	doc := measured(t, cfg)
	if doc.Performance.N != 40 || doc.Labelled != 360 {
		t.Errorf("%d queries of %d rows, want 40 of 360", doc.Performance.N, doc.Labelled)
	}
	for _, words := range []string{`40 of 400 rows have no query in "user" and are in no ranked list.`, `20 of 400 rows have no item in "item"`} {
		if !slices.ContainsFunc(doc.Limits, func(limit string) bool { return strings.HasPrefix(limit, words) }) {
			t.Errorf("%q is not among %q", words, doc.Limits)
		}
	}
}
