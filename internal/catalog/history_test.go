package catalog_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/trail"
)

// calendar is a clock that is set.
type calendar struct{ ms atomic.Int64 }

func (c *calendar) now() time.Time { return time.UnixMilli(c.ms.Load()) }

func (c *calendar) set(t testing.TB, day string) {
	t.Helper()
	at, err := time.Parse(time.DateTime, day)
	if err != nil {
		t.Fatal(err)
	}
	c.ms.Store(at.UnixMilli())
}

// lived is a model with a history: registered, audited, read, refused, put into production twice, found there once.
func lived(t *testing.T) (bench, *calendar) {
	t.Helper()
	var day calendar
	day.set(t, "2026-03-01 09:00:00")
	b := setupBy(t, day.now)
	b.must(t,
		b.register(catalog.ModelRegistration{Name: "credit", ModelDetails: catalog.ModelDetails{Answers: harmless(map[string]string{"safety": "direct"})}}),
		b.environment("live", catalog.Checked, 1), b.environment("edge", catalog.Gated, 2))
	for _, v := range []string{"1", "2"} {
		b.must(t, b.made(t, v, complete()), b.audit("credit", v, "data "+v, tallystick.Pass))
	}
	day.set(t, "2026-03-02 12:00:00")
	b.acted(t, b.assign("live", "1", catalog.Champion, false))
	day.set(t, "2026-03-03 15:00:00")
	b.must(t, b.attach("credit", "1", catalog.EvidenceDetails{Kind: catalog.NoteEvidence, Note: "alice thinks it is fine"}))
	b.acted(t, b.assign("live", "2", catalog.Champion, false))
	b.acted(t, b.assign("edge", "1", catalog.Shadow, true))
	day.set(t, "2026-03-05 10:00:00")
	b.acted(t, b.withdraw("live", "2", false))
	_, err := b.recorder.Record(t.Context(), trail.Entry{
		Type: trail.CommandRefused, Actor: trail.Actor{ID: "mallory", Kind: "person"}, Resource: trail.Resource{Type: "model", ID: "credit"}, Outcome: tallystick.Denied,
		Description: "model credit belongs to alice, and mallory may not change it", Purpose: "none of yours",
		Data: map[string]any{"command": "model.update", "model": "credit", "code": "forbidden"},
	})
	if err != nil {
		t.Fatal(err)
	}
	entry, _, err := b.catalog.Read(t.Context(), catalog.Reading{Model: "credit", Version: "2", Purpose: "validation"}, trail.Actor{ID: "svc-7", Kind: "service"})
	if err == nil {
		_, err = b.recorder.Record(t.Context(), entry)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b, &day
}

func (b bench) history(t *testing.T, f catalog.HistoryFilter) catalog.History {
	t.Helper()
	h, err := b.catalog.History(t.Context(), "credit", f)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func words(h catalog.History) (all []string) {
	for _, line := range h.Lines {
		all = append(all, line.Words)
	}
	return all
}

func TestHistoryInWords(t *testing.T) {
	t.Parallel()
	b, _ := lived(t)
	h := b.history(t, catalog.HistoryFilter{Personal: true})
	want := []string{
		"alice registered model credit, tier high",
		"alice registered version credit@1, files " + filesDigest(t, "1").Short() + ", because of incident INC-12",
		"alice audited credit@1: pass",
		"alice registered version credit@2, files " + filesDigest(t, "2").Short() + ", because of incident INC-12",
		"alice audited credit@2: pass",
		"alice put credit@1 into live as champion",
		"alice attached evidence to credit@1: note",
		"alice put credit@2 into live as champion",
		"alice put credit@1 into edge as shadow",
		"alice raised a finding about credit@1: out_of_band, high",
		"alice took credit@2 out of live",
		"mallory was not allowed to change what is said of model credit",
		"svc-7 read version credit@2",
	}
	got := words(h)
	for i := range got { // the finding's own words are of those who raise it
		if strings.HasPrefix(got[i], "alice raised a finding about credit@1") {
			got[i] = want[9]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	last := h.Lines[len(h.Lines)-1]
	if last.Purpose != "validation" || last.Actor != "svc-7" || last.ActorKind != "service" || last.Version != "2" || last.Resource != "version/credit@2" || h.Next != 0 {
		t.Errorf("last line %+v, next %d", last, h.Next)
	}
	if audit := h.Lines[2]; len(audit.Evidence) != 2 {
		t.Errorf("an audit's evidence: %v", audit.Evidence)
	}

	// Who may not see people sees the path and no names.
	h = b.history(t, catalog.HistoryFilter{})
	if got := words(h)[0]; got != "a person registered model credit, tier high" {
		t.Errorf("closed: %s", got)
	}
	if why := h.Lines[11].Why; why != "model credit belongs to somebody, and somebody may not change it" {
		t.Errorf("why it was refused: %s", why)
	}
	if all := fmt.Sprintf("%+v", h); strings.Contains(all, "alice") || strings.Contains(all, "mallory") || strings.Contains(all, "none of yours") || strings.Contains(all, "svc-7") {
		t.Errorf("a name is open: %s", all)
	}
	if _, err := b.catalog.History(t.Context(), "credit", catalog.HistoryFilter{Actor: "alice"}); tallystick.CodeOf(err) != tallystick.Forbidden {
		t.Errorf("looking for a person whom one may not see: %v", err)
	}
}

func TestHistoryIsChosenAndPaged(t *testing.T) {
	t.Parallel()
	b, _ := lived(t)
	for name, test := range map[string]struct {
		filter catalog.HistoryFilter
		want   int
	}{
		"of a version":  {catalog.HistoryFilter{Version: "2"}, 5},
		"of a type":     {catalog.HistoryFilter{Type: trail.AuditCompleted}, 2},
		"of an outcome": {catalog.HistoryFilter{Outcome: tallystick.Denied}, 1},
		"of an actor":   {catalog.HistoryFilter{Actor: "mallory", Personal: true}, 1},
		"of a time":     {catalog.HistoryFilter{Since: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)}, 4},
	} {
		if h := b.history(t, test.filter); len(h.Lines) != test.want {
			t.Errorf("%s: %d lines, want %d: %v", name, len(h.Lines), test.want, words(h))
		}
	}
	whole := b.history(t, catalog.HistoryFilter{})
	for _, newest := range []bool{false, true} {
		var lines []catalog.Line
		f := catalog.HistoryFilter{Limit: 4, Newest: newest}
		for pages := 1; ; pages++ {
			h := b.history(t, f)
			lines = append(lines, h.Lines...)
			if f.After = h.Next; newest {
				f.After, f.Before = 0, h.Next
			}
			if h.Next == 0 {
				break
			}
			if pages > 10 {
				t.Fatal("no end")
			}
		}
		if len(lines) != len(whole.Lines) || (lines[0].Sequence > lines[1].Sequence) != newest {
			t.Errorf("newest %v: %d lines by pages, %d at once", newest, len(lines), len(whole.Lines))
		}
	}
	if _, err := b.catalog.History(t.Context(), "crdit", catalog.HistoryFilter{}); tallystick.CodeOf(err) != tallystick.NotFound || !strings.Contains(err.Error(), "there is credit") {
		t.Errorf("a model that nobody has touched: %v", err)
	}
}

func TestAt(t *testing.T) {
	t.Parallel()
	b, _ := lived(t)
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	served := func(q catalog.AtQuery) string {
		m, err := b.catalog.At(t.Context(), "credit", q)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, s := range m.Serving {
			all = append(all, s.Environment+":"+s.Version)
		}
		return strings.Join(all, " ")
	}
	for want, q := range map[string]catalog.AtQuery{
		"":                     {From: day(2)},
		"live:1":               {From: day(3)},
		"edge:1 live:2":        {From: day(4)},
		"edge:1 live:1 live:2": {From: day(3), Until: day(4)}, // the whole day
		"edge:1":               {From: day(6)},
	} {
		if got := served(q); got != want {
			t.Errorf("from %s until %s: %q, want %q", q.From, q.Until, got, want)
		}
	}
	m, err := b.catalog.At(t.Context(), "credit", catalog.AtQuery{From: day(4), Personal: true})
	if err != nil {
		t.Fatal(err)
	}
	live := m.Serving[1]
	if live.Words != fmt.Sprintf("credit@2 served in live as champion since 2026-03-03T15:00:00Z, put there by alice (event %d), on evaluation (pass)", live.Event) ||
		live.By != "alice" || live.Reason != "because" || len(live.Evidence) != 1 {
		t.Errorf("%+v", live)
	}
	if edge := m.Serving[0]; !edge.Observed || !strings.Contains(edge.Words, "was found serving in edge as shadow") || !strings.HasSuffix(edge.Words, "on note, evaluation (pass)") {
		t.Errorf("%+v", edge)
	}
	if m, err = b.catalog.At(t.Context(), "credit", catalog.AtQuery{From: day(4)}); err != nil || strings.Contains(fmt.Sprintf("%+v", m.Serving[1].Words), "alice") || m.Serving[1].Reason != "" {
		t.Errorf("closed: %+v, %v", m, err)
	}
	for _, q := range []catalog.AtQuery{{}, {From: day(2), Until: day(1)}} {
		if _, err := b.catalog.At(t.Context(), "credit", q); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := b.catalog.At(t.Context(), "debit", catalog.AtQuery{From: day(2)}); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("of a model that is not: %v", err)
	}
}
