package web_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// versus puts predictions of two versions of credit on record: of version 3 one in ten fails in the north.
func (h *house) versus(t testing.TB, from time.Time, over time.Duration, n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, uint64(n)))
	var records []prediction.Record
	for i := range n {
		at := from.Add(over * time.Duration(i) / time.Duration(n))
		id, err := prediction.ParseID(tallystick.NewID(at))
		if err != nil {
			t.Fatal(err)
		}
		r := prediction.Record{
			ID: id, Time: prediction.TimeOf(at), Model: "credit", Version: "2", Environment: "production", Status: prediction.OK, Score: prediction.Number(random.Float64()),
			Features: prediction.Features{{Name: "region", Value: prediction.String([]string{"north", `so<b>uth`}[random.IntN(2)])}},
		}
		if random.IntN(2) == 0 {
			r.Version = "3"
		}
		if r.Version == "3" && r.Features[0].Value.Text() == "north" && random.IntN(10) == 0 || random.IntN(200) == 0 {
			r.Status = prediction.Failed
		}
		records = append(records, r)
	}
	answer, err := h.captured.Accept(t.Context(), capture.Batch{Records: records})
	if err != nil || len(answer.Rejected) > 0 {
		t.Fatalf("%d rejected, %v", len(answer.Rejected), err)
	}
	if err := h.captured.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// hold furnishes an objective that was judged over some hours, and a comparison that was asked over the same time.
func (h *house) hold(t testing.TB) {
	t.Helper()
	const hours = 8
	now := time.Now().UTC().Truncate(time.Hour)
	goal, err := h.objectives.PrepareApply(t.Context(), "credit-answers", []byte("apiVersion: tallystick/v1\nkind: Objective\nname: credit-answers\ndescription: <i>answers</i> come\nmodel: credit\nindicator: {answered: {}}\ntarget: 99%\nperiod: 30d\n"))
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.objectives.ProposeApply(tx, goal)) })
	h.judgedObjective(t) // nothing is counted yet
	h.versus(t, now.Add(-hours*time.Hour), hours*time.Hour, 4800)
	applied, err := h.comparisons.PrepareApply(t.Context(), "credit-canary", []byte("apiVersion: tallystick/v1\nkind: Comparison\nname: credit-canary\ndescription: a <i>canary</i>\nmodel: credit\nenvironment: production\nwindow: 5m\nlongest: 7d\nmax_stale: 2h\nsplit: 50%\nmetrics:\n  - {metric: errors, margin: 2%}\n  - {metric: score, margin: 15%, role: guard}\nslices: [region]\n"))
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.comparisons.ProposeApply(tx, applied)) })
	h.judgedObjective(t)
	for range 2 {
		answer, err := h.comparisons.Judge(t.Context(), comparison.Ask{Comparison: "credit-canary", New: "3", Old: "2", From: now.Add(-hours * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		kept, err := h.comparisons.Keep(t.Context(), answer)
		if err != nil {
			t.Fatal(err)
		}
		h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.comparisons.ProposeJudged(tx, kept)) })
		h.versus(t, now.Add(-time.Hour), time.Minute, 50) // they come late, and change the answer whatever the time of the hour is
	}
}

// judgedObjective judges the objective, and puts that on record.
func (h *house) judgedObjective(t testing.TB) {
	t.Helper()
	j, err := h.objectives.Judge(t.Context(), "credit-answers", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := h.objectives.Keep(t.Context(), j)
	if err != nil || kept == nil {
		t.Fatalf("%+v, %v", kept, err)
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.objectives.ProposeJudged(tx, kept)) })
}

// TestHeldOnPages shows what a model is held to, and two of its versions held against each other.
func TestHeldOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	h.hold(t)
	as := map[access.Role]*browser{}
	for _, role := range access.Roles() {
		if role == access.Service {
			continue
		}
		b := h.as(t, role)
		as[role] = b
		for _, at := range []string{"/objectives", "/objectives?model=credit", "/objectives/credit-answers", "/comparisons", "/comparisons?model=credit", "/comparisons/credit-canary", "/models/credit"} {
			page := b.get(at)
			if faults := check(parse(t, page.Body.String())); page.Code != http.StatusOK || len(faults) > 0 {
				t.Errorf("%s as %s: %d, %q", at, role, page.Code, faults)
			}
		}
		page := text(parse(t, b.get("/comparisons/credit-canary").Body.String()))
		if reads := strings.Contains(page, "region = north"); reads != (role != access.Viewer) {
			t.Errorf("%s reads slices: %t", role, reads)
		}
	}
	b := as[access.Operator]
	b.says("/objectives", "credit-answers", "of 30d")
	b.says("/objectives/credit-answers", "99 %", "The budget is spent", "<i>answers</i> come", "a person in working hours", "an alert of the severity page")
	b.says("/comparisons/credit-canary", "rollback", "region = north", "May be", "2.0 % worse", "50.0 % is intended", "a <i>canary</i>", "Answers over time")
	b.says("/comparisons", "credit-canary", "rollback", "credit@3")
	b.says("/models/credit", "credit-answers", "Versions compared")
	if all, quiet := text(parse(t, b.get("/models/credit/history").Body.String())), text(parse(t, b.get("/models/credit/history?quiet=yes").Body.String())); !strings.Contains(all, "judged the objective") || strings.Contains(quiet, "judged the objective") || !strings.Contains(quiet, "applied the objective") {
		t.Errorf("the history without judgements is\n%s", quiet)
	}
	all, err := h.comparisons.Judged(t.Context(), comparison.Filter{})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d answers, %v", len(all), err)
	}
	b.says("/comparisons/credit-canary?judgement="+string(all[1].Judgement), "This is not the last answer")
	for at, want := range map[string]int{
		"/objectives/none": http.StatusNotFound, "/comparisons/none": http.StatusNotFound, "/comparisons/credit-canary?judgement=x": http.StatusNotFound, "/comparisons?before=x": http.StatusBadRequest,
	} {
		if got := b.get(at); got.Code != want {
			t.Errorf("%s: %d, want %d", at, got.Code, want)
		}
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}

// TestBrowserOnCall follows an alert in a browser without scripts: from the list to its page, to a silence, to the incident,
// which somebody acknowledges.
func TestBrowserOnCall(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	h.hold(t)
	h.apply(t, h.person(t, "author", access.Operator), "credit-retrain", retrains)
	h.apply(t, h.person(t, "other", access.Operator), "credit-back", strings.NewReplacer("credit-retrain", "credit-back", "  - pause: {for: 24h}", "  - rollback: {to: previous}").Replace(retrains))
	approver := h.person(t, "approver", access.Approver)
	h.by(t, approver, func(tx *state.Tx) (trail.Change, error) {
		return h.reactions.Approve(tx, "credit-retrain", "", "tried", approver)
	})
	firing := h.fire(t)
	if _, err := h.reactions.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.board.Round(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.incidents.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	open, err := h.incidents.Incidents(t.Context(), incident.Filter{Open: true})
	if err != nil {
		t.Fatal(err)
	}
	oscar := walkers(t, h)("oscar", access.Operator)
	oscar.open("/alerts")
	oscar.says("Firing")
	oscar.picture("alerts")
	oscar.open("/alerts/" + firing[0].ID)
	oscar.picture("alert")
	oscar.send("#why", "the feed is being repaired", "form[action$=silence] button")
	oscar.says("nobody: a silence")
	oscar.picture("alert-silenced")
	oscar.open("/silences")
	oscar.says("the feed is being repaired")
	oscar.picture("silences")
	for _, at := range []string{"/", "/objectives", "/objectives/credit-answers", "/comparisons", "/comparisons/credit-canary", "/models/credit", "/models/credit/behaviour", "/incidents", "/reactions", "/reactions/credit-retrain", "/reactions/credit-back"} {
		oscar.open(at)
		oscar.picture("page" + strings.ReplaceAll(at, "/", "-"))
	}
	asked, err := h.reactions.Retrainings(t.Context(), "credit", 0, 1)
	if err != nil || len(asked) != 1 {
		t.Fatalf("%d trainings were asked for, %v", len(asked), err)
	}
	oscar.open("/retrainings/" + asked[0].ID)
	oscar.picture("retraining")
	if len(open) == 0 {
		t.Fatalf("no incident of %d alerts", len(firing))
	}
	oscar.open("/incidents/" + open[0].ID)
	oscar.picture("incident-open")
	oscar.send("#ack-note", "on it", "form[action$=acknowledgement] button")
	oscar.says("acknowledged", "Stop the harm")
	oscar.picture("incident-acknowledged")
	if a, err := h.alerts.Alerts(t.Context(), alert.Filter{State: alert.Firing}); err != nil || len(a) != len(firing) {
		t.Errorf("%d alerts fire, %v", len(a), err)
	}
}
