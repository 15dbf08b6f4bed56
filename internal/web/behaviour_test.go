package web_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// hostile is the name of a feature that wants to be markup.
const hostile = `inc<script>alert(1)</script>"ome`

// drawn puts predictions of credit on record whose feature is drawn around a mean.
func (h *house) drawn(t testing.TB, from time.Time, over time.Duration, n int, mean float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(from.Unix()), 1))
	var records []prediction.Record
	for i := range n {
		at := from.Add(over * time.Duration(i) / time.Duration(n))
		id, err := prediction.ParseID(tallystick.NewID(at))
		if err != nil {
			t.Fatal(err)
		}
		x := random.NormFloat64() + mean
		records = append(records, prediction.Record{
			ID: id, Time: prediction.TimeOf(at), Model: "credit", Version: "3", Status: prediction.OK, Score: prediction.Number(1 / (1 + float64(1+i%9)*x*x)),
			Features: prediction.Features{{Name: hostile, Value: prediction.Number(x)}, {Name: "region", Value: prediction.String([]string{"north", "south"}[random.IntN(2)])}},
		})
	}
	answer, err := h.captured.Accept(t.Context(), capture.Batch{Records: records})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("%d rejected, the first %+v, %v", len(answer.Rejected), answer.Rejected[:min(1, len(answer.Rejected))], err)
	}
	if err := h.captured.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// monitored applies a monitor of credit.
func (h *house) monitored(t testing.TB, name, lines string) {
	t.Helper()
	applied, err := h.monitors.PrepareApply(t.Context(), name, []byte("apiVersion: tallystick/v1\nkind: Monitor\nname: "+name+"\nmodel: credit\n"+lines))
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.monitors.ProposeApply(tx, applied)) })
}

// judged judges a window and puts the judgement on record.
func (h *house) judged(t testing.TB, name string, at time.Time) *monitor.Judged {
	t.Helper()
	j, err := h.monitors.Judge(t.Context(), name, at, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := h.monitors.Keep(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.monitors.ProposeJudged(tx, kept)) })
	return kept
}

// behave furnishes two monitors of credit and twelve hours of which the last three are not as the reference; it returns the
// newest judgement of the first, and of another that passed.
func (h *house) behave(t testing.TB) (bad, good *monitor.Judged) {
	t.Helper()
	start := time.Now().UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour)
	h.drawn(t, start.Add(-24*time.Hour), 24*time.Hour, 3000, 0)
	pin, _, err := h.monitors.PreparePin(t.Context(), monitor.Pin{Model: "credit", From: start.Add(-24 * time.Hour), To: start})
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.monitors.ProposePin(tx, pin)) })
	h.monitored(t, "credit-hourly", "window: 1h\nchecks:\n  errors: {max: 5%}\n  volume: {min: 100}\n")
	h.monitored(t, "credit-errors", "window: 1h\nchecks:\n  drift: off\n  new_values: off\n  missing: off\n  range: off\n  errors: {max: 5%}\n")
	for i := range 12 {
		at := start.Add(time.Duration(i) * time.Hour)
		mean := 0.0
		if i >= 9 {
			mean = 1.5
		}
		if i != 5 { // nothing comes in then
			h.drawn(t, at, time.Hour, 800, mean)
		}
		kept := h.judged(t, "credit-hourly", at)
		if i == 2 {
			good = kept
		}
		bad = kept
		h.judged(t, "credit-errors", at)
	}
	return bad, good
}

// TestBehaviourOnPages shows what is wrong with a model to those who may read its predictions, and to the others that
// something is.
func TestBehaviourOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	const page = "/models/credit/behaviour"
	empty := h.as(t, access.Operator)
	empty.says(page, "tallystick reference pin credit", "tallystick monitor apply")
	bad, good := h.behave(t)
	judgement := func(d tallystick.Digest) string { return page + "?judgement=" + url.QueryEscape(string(d)) }
	since := bad.From[:10] + " 09:00:00"
	for _, role := range access.Roles() {
		if role == access.Service {
			continue
		}
		b := empty
		if role != access.Operator {
			b = h.as(t, role)
		}
		for _, at := range []string{page, page + "?monitor=credit-errors", page + "?monitor=credit-hourly&before=" + bad.From, judgement(bad.Judgement), judgement(good.Judgement)} {
			got := b.get(at)
			if strings.Contains(got.Body.String(), "<script>alert") {
				t.Errorf("%s as %s: a name is markup", at, role)
			}
			if role == access.Viewer && strings.Contains(at, "judgement=") {
				if got.Code != http.StatusForbidden {
					t.Errorf("a viewer reads a judgement: %d", got.Code)
				}
				continue
			}
			if faults := check(parse(t, got.Body.String())); got.Code != http.StatusOK || len(faults) > 0 {
				t.Errorf("%s as %s: %d, %q", at, role, got.Code, faults)
			}
		}
		b.says(page, "credit-hourly fails in 3 windows, since "+since, "Drift", "Errors", "✕")
		b.says("/models/credit", "Behaviour", "Health", "how it behaves")
		if body := b.get(page).Body.String(); role == access.Viewer && (strings.Contains(body, "alert(1)") || strings.Contains(body, "judgement=") || strings.Contains(body, "800")) {
			t.Error("a viewer is told names or values")
		} else if role == access.Viewer {
			b.says(page, since+": drift")
		}
	}
	empty.says(page, hostile, "PSI of "+hostile, "Predictions of a window", "credit-errors", "Errors: share")
	empty.says(judgement(bad.Judgement), hostile, "default", "The window over the reference")
	for at, code := range map[string]int{
		"/models/nothing/behaviour": http.StatusNotFound, page + "?monitor=nothing": http.StatusNotFound, page + "?before=x": http.StatusBadRequest, page + "?judgement=x": http.StatusBadRequest,
		judgement(digest("nothing")): http.StatusNotFound, "/models/fraud/behaviour?judgement=" + url.QueryEscape(string(bad.Judgement)): http.StatusNotFound,
	} {
		if got := empty.get(at); got.Code != code {
			t.Errorf("%s: %d, want %d", at, got.Code, code)
		}
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

// watch has 100 minutes judged, of which the newest is judged again, since its predictions came late. It returns what was
// said of that one first.
func (h *house) watch(t testing.TB) (first *monitor.Judged) {
	t.Helper()
	h.monitored(t, "watch", "window: 1m\nchecks:\n  drift: off\n  new_values: off\n  missing: off\n  range: off\n  constant: off\n  volume: {min: 1}\n")
	end := time.Now().UTC().Truncate(time.Hour).Add(-24 * time.Hour)
	for i := range 100 {
		first = h.judged(t, "watch", end.Add(time.Duration(i-100)*time.Minute))
	}
	h.drawn(t, end.Add(-time.Minute), time.Minute, 50, 0)
	h.judged(t, "watch", end.Add(-time.Minute))
	return first
}

// TestBehaviourIsBounded shows 96 of 100 windows, and leads to the others; a window that was judged again is there once, and
// what was judged before leads to it.
func TestBehaviourIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	first := h.watch(t)
	b := h.as(t, access.Auditor)
	windows := func(address string) (n int, older string) {
		root := parse(t, b.get(address).Body.String())
		for _, a := range all(root, "a") {
			if attribute(a, "rel") == "next" {
				older = attribute(a, "href")
			}
		}
		for _, row := range all(root, "tr") {
			if attribute(row, "class") == "whole" {
				n += len(all(row, "td"))
			}
		}
		return n, older
	}
	n, older := windows("/models/credit/behaviour")
	if n != 96 || older == "" {
		t.Fatalf("%d windows, the others at %q", n, older)
	}
	if n, older := windows(older); n != 4 || older != "" {
		t.Errorf("%d older windows, and more at %q", n, older)
	}
	b.says("/models/credit/behaviour?judgement="+url.QueryEscape(string(first.Judgement)), "The window was judged again since")
	b.says("/models/credit/behaviour", "watch passes in 1 window", "Windows after ", "are not judged", "tallystick status")
}

// TestBehaviourOfManyRows reads the newest judgements until it has 40,000 rows, and shows of older ones the verdict.
func TestBehaviourOfManyRows(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	h.monitored(t, "wide", "window: 1h\n")
	start := time.Now().UTC().Truncate(time.Hour).Add(-31 * time.Hour)
	var newest *monitor.Judged
	for i := range 30 {
		at := start.Add(time.Duration(i) * time.Hour)
		j := &monitor.WindowJudgement{Schema: monitor.JudgementSchema, Monitor: "wide", Model: "credit", From: at, To: at.Add(time.Hour), Predictions: 5000, Verdict: tallystick.Fail}
		for k := range 2000 {
			r := monitor.Row{Check: "drift", Subject: fmt.Sprintf("feature %d", k), Role: "feature", Method: "drift/1", N: 5000, Measure: "psi", Value: stat.Number(k) / 4000, Verdict: tallystick.Pass, Words: "no change"}
			if k == 1999 {
				r.Verdict, r.Words = tallystick.Fail, "it moved"
			}
			j.Rows = append(j.Rows, r)
		}
		kept, err := h.monitors.Keep(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.monitors.ProposeJudged(tx, kept)) })
		newest = kept
	}
	b := h.as(t, access.Auditor)
	began := time.Now()
	b.says("/models/credit/behaviour", "wide fails in at least 30 windows", "it moved", "Of 10 windows only the verdict is shown", "PSI of feature 1999")
	t.Logf("a page of 40,000 rows takes %s", time.Since(began).Round(time.Millisecond))
	page := parse(t, b.get("/models/credit/behaviour?judgement="+url.QueryEscape(string(newest.Judgement))).Body.String())
	if n := len(all(all(page, "tbody")[0], "tr")); n != 200 || !strings.Contains(text(page), "1,800 rows more") {
		t.Errorf("%d rows of a judgement of 2,000", n)
	}
}

func TestBrowserSeesBehaviour(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	bad, _ := h.behave(t)
	eve := walkers(t, h)("eve", access.Validator)
	eve.open("/models/credit/behaviour")
	eve.says("credit-hourly", "Over time")
	eve.picture("page-behaviour")
	eve.open("/models/credit/behaviour?judgement=" + url.QueryEscape(string(bad.Judgement)))
	eve.says("Rows, the worst first")
	eve.picture("page-judgement")
	h.watch(t)
	eve.open("/models/credit/behaviour?monitor=watch")
	eve.picture("page-wide")
	eve.open("/models/credit")
	eve.picture("page-model")
	eve.open("/models/fraud/behaviour")
	eve.picture("page-empty")
}
