package query_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
	"github.com/tallystick/tallystick/internal/trail"
)

var began = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// shelf has files of one model, each with the time that it spans.
type shelf struct {
	files    []*segment.File
	from, to []time.Time
}

// Files implements query.Archive.
func (s *shelf) Files(_ context.Context, _ string, from, to time.Time) (*segment.Shelf, error) {
	var files []*segment.File
	for i, f := range s.files {
		if (to.IsZero() || s.from[i].Before(to)) && (from.IsZero() || !s.to[i].Before(from)) {
			files = append(files, f)
		}
	}
	return segment.NewShelf(len(files), func(_ context.Context, n int) (*segment.Piece, error) {
		return segment.NewPiece(files[n], n, func() {}), nil
	}), nil
}

func (s *shelf) add(tb testing.TB, name string, encodings iter.Seq2[[]byte, error]) {
	tb.Helper()
	var b bytes.Buffer
	summary, err := segment.Write(&b, name, encodings)
	if err != nil {
		tb.Fatal(err)
	}
	f, err := segment.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		tb.Fatal(err)
	}
	s.files, s.from, s.to = append(s.files, f), append(s.from, summary.FirstTime.Time()), append(s.to, summary.LastTime.Time())
}

// house has records in files, and labels for some of them.
type house struct {
	*query.Asker
	labels   *label.Store
	db       *state.DB
	recorder *trail.Recorder
	now      time.Time
	shelf    *shelf
	records  []prediction.Record // in the order of the files
	outcome  map[prediction.ID]prediction.Value
	first    map[prediction.ID]time.Time
}

func bare(tb testing.TB) *house {
	tb.Helper()
	h := &house{now: began.AddDate(0, 3, 0), shelf: &shelf{}, outcome: map[prediction.ID]prediction.Value{}, first: map[prediction.ID]time.Time{}}
	clock := func() time.Time { return h.now }
	var err error
	if h.db, err = state.Open(tb.Context(), state.Config{URL: postgrestest.IfChosen(tb), Path: filepath.Join(tb.TempDir(), "state.db"), Now: clock}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = h.db.Close() })
	if h.recorder, err = trail.NewRecorder(trail.RecorderConfig{DB: h.db, Source: "query.test/1", Now: clock}); err != nil {
		tb.Fatal(err)
	}
	blobs, err := blob.Open(blob.Config{Dir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	h.labels = label.New(h.db, evidence.NewStore(blobs))
	h.Asker = query.New(h.db, h.shelf, h.labels)
	return h
}

func (h *house) label(tb testing.TB, labels ...label.Label) {
	tb.Helper()
	var b label.Batch
	for _, l := range labels {
		b.Labels = append(b.Labels, label.Sent{Label: l})
	}
	ready, err := h.labels.Prepare(tb.Context(), "credit", b, h.now, nil)
	if err == nil {
		err = h.db.Write(tb.Context(), func(tx *state.Tx) error {
			change, _, err := ready.Propose(tx)
			if change == nil || err != nil {
				return err
			}
			_, err = h.recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "ada", Kind: "person"}}, change)
			return err
		})
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// made returns a house of n records in several files that differ in what their records have.
func made(tb testing.TB, n int) *house {
	tb.Helper()
	h := bare(tb)
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(values ...prediction.Value) prediction.Value { return values[random.IntN(len(values))] }
	for part := range 4 {
		var encodings [][]byte
		for range n / 4 {
			at := began.Add(time.Duration(part)*10*24*time.Hour + time.Duration(random.IntN(10*24*3600))*time.Second)
			r := prediction.Record{Model: "credit", Version: fmt.Sprint(1 + random.IntN(3)), Status: prediction.Status([]string{"ok", "error", ""}[random.IntN(3)])}
			r.Complete(at)
			income := pick(prediction.Number(float64(random.IntN(90_000))), prediction.Number(float64(random.IntN(100))/7), prediction.Value{})
			if part == 2 { // one that no column of numbers holds, now and then
				income = pick(income, income, income, prediction.String("much"), prediction.Integer(1<<53+1), prediction.Boolean(true), prediction.Number(math.NaN()), prediction.Number(math.Inf(1)))
			}
			features := map[string]prediction.Value{"income": income, "region": pick(prediction.String("north"), prediction.String("south"), prediction.String("7"), prediction.Value{})}
			if part > 0 {
				features["young"] = prediction.Boolean(random.IntN(2) == 0)
			}
			if part == 3 { // another kind of column
				features["region"] = prediction.Integer(int64(random.IntN(9)))
			}
			if random.IntN(5) > 0 {
				r.Features = prediction.NewFeatures(features)
			}
			r.Score = prediction.Number(float64(random.IntN(1000)) / 1000)
			r.Output = pick(prediction.String("approve"), prediction.String("deny"))
			if random.IntN(4) == 0 {
				r.Flags = []string{"edge"}
				if random.IntN(2) == 0 {
					r.Flags = []string{`a"b`, "edge"}
				}
			}
			if random.IntN(2) == 0 {
				r.Latency = prediction.Integer(int64(random.IntN(5000)))
			}
			r.Subject = fmt.Sprintf("s%d", random.IntN(n))
			encoding, err := r.Append(nil)
			if err != nil {
				tb.Fatal(err)
			}
			encodings = append(encodings, encoding)
			h.records = append(h.records, r)
		}
		h.shelf.add(tb, fmt.Sprint("part", part), each(encodings))
	}
	for round := range 2 {
		var batch []label.Label
		for i := range h.records {
			r := &h.records[i]
			if random.IntN(3) > 0 {
				continue
			}
			v := pick(prediction.Integer(0), prediction.Integer(1), prediction.Value{})
			batch = append(batch, label.Label{Prediction: r.ID, Value: v, Time: prediction.TimeOf(began), Source: fmt.Sprint(round)})
			h.outcome[r.ID] = v
			if _, known := h.first[r.ID]; !known {
				h.first[r.ID] = h.now
			}
		}
		batch = append(batch, label.Label{Prediction: prediction.NewID(began), Value: prediction.Integer(1), Time: prediction.TimeOf(began)}) // waits
		h.label(tb, batch...)
		h.now = h.now.Add(24 * time.Hour)
	}
	return h
}

func each(encodings [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, encoding := range encodings {
			if !yield(encoding, nil) {
				return
			}
		}
	}
}

// get returns what a record has in a column, the plain way.
func (h *house) get(r *prediction.Record, name string) prediction.Value {
	words := func(s string) prediction.Value {
		if s == "" {
			return prediction.Value{}
		}
		return prediction.String(s)
	}
	switch name {
	case "version":
		return words(r.Version)
	case "status":
		return words(string(r.Status))
	case "score":
		return r.Score
	case "output":
		return r.Output
	case "latency_us":
		return r.Latency
	case "subject":
		return words(r.Subject)
	case "label":
		return h.outcome[r.ID]
	case "day":
		return words(r.Time.Time().Format(time.DateOnly))
	case "threshold":
		return r.Threshold
	}
	v, _ := r.Features.Get(strings.TrimPrefix(name, "f_"))
	return v
}

// conditions are some of every kind, with what each means.
var conditions = []struct {
	text string
	mean func(h *house, r *prediction.Record) bool
}{
	{"f_income >= 30000", func(h *house, r *prediction.Record) bool {
		x, _ := h.get(r, "f_income").Float()
		return h.get(r, "f_income").IsNumber() && x >= 30000
	}},
	{"f_income<5", func(h *house, r *prediction.Record) bool {
		x, _ := h.get(r, "f_income").Float()
		return h.get(r, "f_income").IsNumber() && x < 5
	}},
	{"f_income = 9007199254740993", func(h *house, r *prediction.Record) bool { return h.get(r, "f_income") == prediction.Integer(1<<53+1) }},
	{"f_income = much", func(h *house, r *prediction.Record) bool { return h.get(r, "f_income") == prediction.String("much") }},
	{"f_income = null", func(h *house, r *prediction.Record) bool { return h.get(r, "f_income").IsNull() }},
	{"f_income != null", func(h *house, r *prediction.Record) bool { return !h.get(r, "f_income").IsNull() }},
	{"f_income != 5", func(h *house, r *prediction.Record) bool {
		v := h.get(r, "f_income")
		return !v.IsNull() && v != prediction.Integer(5)
	}},
	{"f_region = north", func(h *house, r *prediction.Record) bool { return h.get(r, "f_region") == prediction.String("north") }},
	{"f_region = 7", func(h *house, r *prediction.Record) bool { return h.get(r, "f_region").String() == "7" }},
	{`f_region = "7"`, func(h *house, r *prediction.Record) bool { return h.get(r, "f_region") == prediction.String("7") }},
	{"f_young = true", func(h *house, r *prediction.Record) bool { return h.get(r, "f_young") == prediction.Boolean(true) }},
	{"f_young != true", func(h *house, r *prediction.Record) bool { return h.get(r, "f_young") == prediction.Boolean(false) }},
	{"version = 2", func(_ *house, r *prediction.Record) bool { return r.Version == "2" }},
	{"version != 2", func(_ *house, r *prediction.Record) bool { return r.Version != "2" }},
	{"status = null", func(_ *house, r *prediction.Record) bool { return r.Status == "" }},
	{"flags = edge", func(_ *house, r *prediction.Record) bool { return slices.Contains(r.Flags, "edge") }},
	{"flags != edge", func(_ *house, r *prediction.Record) bool { return !slices.Contains(r.Flags, "edge") }},
	{`flags = 'a"b'`, func(_ *house, r *prediction.Record) bool { return slices.Contains(r.Flags, `a"b`) }},
	{"score > 0.25", func(_ *house, r *prediction.Record) bool { x, _ := r.Score.Float(); return x > 0.25 }},
	{"latency_us <= 2500", func(_ *house, r *prediction.Record) bool { return !r.Latency.IsNull() && r.Latency.Int() <= 2500 }},
	{"label = 1", func(h *house, r *prediction.Record) bool { return h.outcome[r.ID] == prediction.Integer(1) }},
	{"label = null", func(h *house, r *prediction.Record) bool { return h.outcome[r.ID].IsNull() }},
	{"time >= 2026-03-15", func(_ *house, r *prediction.Record) bool { return !r.Time.Time().Before(began.AddDate(0, 0, 14)) }},
	{"day = 2026-03-15", func(_ *house, r *prediction.Record) bool { return r.Time.Time().Format(time.DateOnly) == "2026-03-15" }},
	{"threshold = null", func(*house, *prediction.Record) bool { return true }},
	{"threshold > 1", func(*house, *prediction.Record) bool { return false }},
}

func parse(tb testing.TB, text string) query.Condition {
	tb.Helper()
	c, err := query.ParseCondition(text)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// TestAgainstEveryRecord asks many questions, and holds each answer against a look at every record.
func TestAgainstEveryRecord(t *testing.T) {
	t.Parallel()
	h := made(t, 2000)
	random := rand.New(rand.NewPCG(5, 6))
	columns := []string{"version", "status", "f_region", "f_young", "output", "label", "day", "f_income", "threshold"}
	rounds := 75
	if testing.Short() { // each condition once
		rounds = len(conditions)
	}
	for round := range rounds {
		s := query.Selection{Model: "credit"}
		if random.IntN(2) == 0 {
			s.From = began.Add(time.Duration(random.IntN(20*24)) * time.Hour)
			s.To = s.From.Add(time.Duration(1+random.IntN(15*24)) * time.Hour)
		}
		var means []func(*house, *prediction.Record) bool
		for range random.IntN(3) {
			c := conditions[random.IntN(len(conditions))]
			s.Where, means = append(s.Where, parse(t, c.text)), append(means, c.mean)
		}
		if round < len(conditions) {
			s.Where, means = []query.Condition{parse(t, conditions[round].text)}, []func(*house, *prediction.Record) bool{conditions[round].mean}
		}
		var chosen []*prediction.Record
		for i := range h.records {
			r := &h.records[i]
			at := r.Time.Time()
			holds := (s.From.IsZero() || !at.Before(s.From)) && (s.To.IsZero() || at.Before(s.To))
			for _, mean := range means {
				holds = holds && mean(h, r)
			}
			if holds {
				chosen = append(chosen, r)
			}
		}
		name := fmt.Sprint(s.From, s.To, s.Where)
		h.checkFigures(t, name, s, chosen, columns[random.IntN(len(columns))])
		if round%3 == 0 {
			h.checkList(t, name, s, chosen)
			h.checkJoined(t, name, s, chosen)
			h.checkExports(t, name, s, chosen)
		}
	}
}

func (h *house) checkFigures(t *testing.T, name string, s query.Selection, chosen []*prediction.Record, by string) {
	t.Helper()
	q := query.Figures{
		Selection: s, By: []string{by}, Groups: 10_000, Means: []string{"f_income"}, Rates: []query.Condition{parse(t, "output = approve")},
		Quantiles: []query.Quantiles{{Column: "f_income", At: []float64{0, 0.3, 1}}}, Histograms: []query.Histogram{{Column: "f_income", Bins: 7}},
	}
	answer, err := h.Aggregate(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if answer.Predictions != int64(len(chosen)) {
		t.Fatalf("%s: %d predictions, want %d", name, answer.Predictions, len(chosen))
	}
	type group struct {
		count, approved int64
		incomes         []float64
	}
	want := map[string]*group{}
	var low, high = math.Inf(1), math.Inf(-1)
	for _, r := range chosen {
		key := fmt.Sprint(query.Plain(h.get(r, by)))
		if v := h.get(r, by); v.Kind() == prediction.Text {
			key = fmt.Sprintf("%q", key)
		}
		g := want[key]
		if g == nil {
			g = &group{}
			want[key] = g
		}
		g.count++
		if r.Output == prediction.String("approve") {
			g.approved++
		}
		if x, _ := h.get(r, "f_income").Float(); h.get(r, "f_income").IsNumber() && x-x == 0 {
			g.incomes = append(g.incomes, x)
			low, high = min(low, x), max(high, x)
		}
	}
	if len(answer.Groups) != len(want) {
		t.Fatalf("%s: %d groups by %s, want %d", name, len(answer.Groups), by, len(want))
	}
	for _, g := range answer.Groups {
		key := fmt.Sprint(g.Key[0])
		if text, ok := g.Key[0].(string); ok && text != "NaN" && text != "Infinity" {
			key = fmt.Sprintf("%q", text)
		}
		w := want[key]
		if w == nil || g.Count != w.count || g.Rates[0].Count != w.approved || g.Means[0].N != int64(len(w.incomes)) {
			t.Fatalf("%s: group %s by %s: %+v, want %+v", name, key, by, g, w)
		}
		slices.Sort(w.incomes)
		sum := 0.0
		counts := make([]int64, 7)
		for _, x := range w.incomes {
			sum += x
			at := 0
			if high > low {
				at = min(int((x-low)/(high-low)*7), 6)
			}
			counts[at]++
		}
		if n := float64(len(w.incomes)); n > 0 && (math.Abs(*g.Means[0].Mean-sum/n) > 1e-9*math.Abs(sum/n) || *g.Means[0].Max != w.incomes[len(w.incomes)-1]) {
			t.Fatalf("%s: mean %v, want %v", name, *g.Means[0].Mean, sum/n)
		}
		for i, at := range []float64{0, 0.3, 1} {
			if len(w.incomes) > 0 && g.Quantiles[0].Values[i] != stat.Quantile(w.incomes, at) {
				t.Fatalf("%s: quantile %v is %v, want %v", name, at, g.Quantiles[0].Values[i], stat.Quantile(w.incomes, at))
			}
		}
		if low <= high && (!slices.Equal(g.Histograms[0].Counts, counts) && high > low || g.Histograms[0].Low != low) {
			t.Fatalf("%s: histogram %+v, want %v", name, g.Histograms[0], counts)
		}
	}
}

func (h *house) checkList(t *testing.T, name string, s query.Selection, chosen []*prediction.Record) {
	t.Helper()
	want := slices.Clone(chosen)
	slices.SortFunc(want, func(a, b *prediction.Record) int {
		if a.Time != b.Time {
			return int(min(max(b.Time-a.Time, -1), 1))
		}
		return bytes.Compare(b.ID[:], a.ID[:])
	})
	var after query.Place
	for len(want) > 0 {
		limit := max(len(want)/2, 7)
		page, err := h.List(t.Context(), s, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) != min(limit, len(want)) {
			t.Fatalf("%s: a page has %d, want %d of %d", name, len(page), limit, len(want))
		}
		for i, found := range page {
			r, err := prediction.Decode(found.Encoding)
			if err != nil || r.ID != want[i].ID || !r.Equal(want[i]) || found.Held.Value != h.outcome[r.ID] {
				t.Fatalf("%s: %d of the list is %s, want %s, %v", name, i, r.ID, want[i].ID, err)
			}
		}
		after, want = page[len(page)-1].Place, want[len(page):]
		if again, err := query.ParsePlace(after.String()); err != nil || again != after {
			t.Fatalf("%s: %v", after, err)
		}
	}
}

func (h *house) checkJoined(t *testing.T, name string, s query.Selection, chosen []*prediction.Record) {
	t.Helper()
	i := 0
	for row, err := range h.Joined(t.Context(), s, []string{"f_region", "status"}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		r := chosen[i]
		_, labelled := h.first[r.ID]
		if row.ID != r.ID || row.Time != r.Time || row.Version != r.Version || row.Score != r.Score || row.Output != r.Output || row.Columns[0] != h.get(r, "f_region") ||
			row.Columns[1] != h.get(r, "status") || row.Held.Value != h.outcome[r.ID] || row.Held.Labels > 0 != labelled || !row.Held.First.Equal(h.first[r.ID]) {
			t.Fatalf("%s: row %d is %+v, want %+v", name, i, row, r)
		}
		i++
	}
	if i != len(chosen) {
		t.Fatalf("%s: %d rows, want %d", name, i, len(chosen))
	}
}

func (h *house) checkExports(t *testing.T, name string, s query.Selection, chosen []*prediction.Record) {
	t.Helper()
	var lines, table, file bytes.Buffer
	if n, err := h.Export(t.Context(), &lines, s, query.Layout{Form: query.NDJSON}); err != nil || n != int64(len(chosen)) {
		t.Fatalf("%s: %d, %v", name, n, err)
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(lines.Bytes(), []byte("\n")), []byte("\n")) {
		if len(chosen) == 0 {
			break
		}
		if r, err := prediction.ParseJSON(line); err != nil || !r.Equal(chosen[i]) {
			t.Fatalf("%s: line %d is %s, %v", name, i, line, err)
		}
	}
	if n, err := h.Export(t.Context(), &table, s, query.Layout{Form: query.CSV}); err != nil || n != int64(len(chosen)) {
		t.Fatalf("%s: %d, %v", name, n, err)
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || len(rows) != len(chosen)+1 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	for i, r := range chosen {
		for k, column := range rows[0] {
			if !strings.HasPrefix(column, "f_") && column != "score" && column != "label" {
				continue
			}
			want := strings.Trim(h.get(r, column).String(), `"`)
			if h.get(r, column).IsNull() {
				want = ""
			}
			if rows[i+1][k] != want {
				t.Fatalf("%s: row %d has %q as %s, want %q", name, i, rows[i+1][k], column, want)
			}
		}
	}
	n, err := h.Export(t.Context(), &file, s, query.Layout{Form: query.Parquet})
	if len(chosen) == 0 {
		if tallystick.CodeOf(err) != tallystick.NotFound {
			t.Fatalf("%s: %v", name, err)
		}
		return
	}
	if err != nil || n != int64(len(chosen)) {
		t.Fatalf("%s: %d, %v", name, n, err)
	}
	f, err := segment.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for entry, err := range f.Entries() {
		if err != nil {
			t.Fatal(err)
		}
		if r, err := prediction.Decode(entry.Encoding); err != nil || !r.Equal(chosen[i]) {
			t.Fatalf("%s: record %d, %v", name, i, err)
		}
		i++
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	h := made(t, 2000)
	const mature = 60 * 24 * time.Hour
	got, err := h.Coverage(t.Context(), query.Selection{Model: "credit"}, mature)
	if err != nil {
		t.Fatal(err)
	}
	var matured, labelled int64
	var lags []float64
	for i := range h.records {
		r := &h.records[i]
		if h.now.Sub(r.Time.Time()) >= mature {
			matured++
			if !h.outcome[r.ID].IsNull() {
				labelled++
			}
		}
		if first, ok := h.first[r.ID]; ok {
			lags = append(lags, first.Sub(r.Time.Time()).Seconds())
		}
	}
	slices.Sort(lags)
	if got.All.Predictions != 2000 || got.All.Matured != matured || got.All.Labelled != labelled || *got.Waiting != 2 || matured == 2000 {
		t.Errorf("coverage %+v, waiting %d, want %d and %d", got.All, *got.Waiting, matured, labelled)
	}
	if e := (stat.Proportion{K: labelled, N: matured}).Estimate(); *got.All.Low != e.Interval.Low {
		t.Errorf("low %v, want %v", *got.All.Low, e.Interval.Low)
	}
	if got.All.Lag.Median != stat.Quantile(lags, 0.5) || got.All.Lag.N != int64(len(lags)) || got.All.Lag.Max != lags[len(lags)-1] {
		t.Errorf("lag %+v, want a median of %v", got.All.Lag, stat.Quantile(lags, 0.5))
	}
	var sum int64
	for _, v := range got.By {
		sum += v.Predictions
	}
	for _, a := range got.Ages {
		sum -= a.Predictions
	}
	if len(got.By) != 3 || sum != 0 {
		t.Errorf("versions %+v, ages %+v", got.By, got.Ages)
	}
	before, err := h.Coverage(t.Context(), query.Selection{Model: "credit", AsOf: began.AddDate(0, 2, 0)}, 0)
	if err != nil || before.All.Labelled != 0 || before.All.Lag != nil {
		t.Errorf("before there were labels: %+v, %v", before.All, err)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	h := made(t, 400)
	keys := []label.Key{{Subject: "nobody"}}
	want := map[string][]prediction.ID{}
	for i := range h.records {
		r := &h.records[i]
		if want[r.Subject] == nil {
			keys = append(keys, label.Key{Subject: r.Subject})
		}
		want[r.Subject] = append(want[r.Subject], r.ID)
	}
	ids, errs, err := h.Resolve(t.Context(), "credit", keys)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range keys {
		switch code := tallystick.CodeOf(errs[i]); len(want[k.Subject]) {
		case 0:
			if code != tallystick.NotFound {
				t.Errorf("%s: %v", k.Subject, errs[i])
			}
		case 1:
			if errs[i] != nil || ids[i] != want[k.Subject][0] {
				t.Errorf("%s: %v, %v", k.Subject, ids[i], errs[i])
			}
		default:
			if code != tallystick.Conflict {
				t.Errorf("%s: %v", k.Subject, errs[i])
			}
		}
	}
}

func TestParseCondition(t *testing.T) {
	t.Parallel()
	for _, c := range conditions {
		if again := parse(t, parse(t, c.text).String()); !cmp.Equal(again.String(), parse(t, c.text).String()) {
			t.Errorf("%s is read again as %s", c.text, again)
		}
	}
	for text, want := range map[string]string{
		"f_income":            "character 9: there is no =",
		"f_income ! 3":        "character 10: ! is no comparison",
		"f_income >=":         "character 12: the value is missing",
		"f_income => 3":       "character 11: a value with >",
		"incom = 3":           "predictions have no column",
		"statu = ok":          "did you mean status?",
		"= 3":                 "character 1: the column is missing",
		"f_x = 'north":        "character 7: the quotation mark is not closed",
		"time > yesterday":    "character 8: time is compared with a time",
		"id = 7":              "id is compared with an id",
		"flags > edge":        "a flag is there",
		"score > null":        "null is equal or not",
		"f_é = 1 and f_y = 2": `character 17: a value with =`,
	} {
		_, err := query.ParseCondition(text)
		if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, c := range conditions {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := query.ParseCondition(text)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Invalid {
				t.Fatal(err)
			}
			return
		}
		again, err := query.ParseCondition(c.String())
		if err == nil && again.String() != c.String() {
			t.Fatalf("%q is %q, and then %q", text, c, again)
		}
	})
}

func TestRefusesFigures(t *testing.T) {
	t.Parallel()
	h := made(t, 40)
	s := query.Selection{Model: "credit"}
	for _, q := range []query.Figures{
		{Selection: s, By: []string{"colour"}},
		{Selection: query.Selection{Model: "credit", To: began.AddDate(0, 0, 9)}, By: []string{"f_incom"}},
		{Selection: s, By: []string{"day", "hour", "month", "version", "status"}},
		{Selection: s, Quantiles: []query.Quantiles{{Column: "score"}}},
		{Selection: s, Quantiles: []query.Quantiles{{Column: "score", At: []float64{math.NaN()}}}},
		{Selection: s, Histograms: []query.Histogram{{Column: "score", Bins: 1000}}},
		{Selection: s, Histograms: []query.Histogram{{Column: "score", Low: 1}}},
		{Selection: s, Histograms: []query.Histogram{{Column: "score", Low: math.Inf(-1), High: 1}}},
		{Selection: query.Selection{Model: "credit", From: began, To: began}},
		{Selection: query.Selection{Model: "credit", Where: slices.Repeat([]query.Condition{query.Equals("version", "1")}, 65)}},
	} {
		if _, err := h.Aggregate(t.Context(), q); tallystick.CodeOf(err) == "" || tallystick.CodeOf(err) == tallystick.Internal {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
