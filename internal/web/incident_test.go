package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// incident opens an incident about the model of which a prediction is on record, and works on it.
func (h *house) incident(t testing.TB, model string) string {
	t.Helper()
	do := func(propose func(tx *state.Tx) (trail.Change, error)) {
		err := h.workspace.DB.Write(t.Context(), func(tx *state.Tx) error {
			change, err := propose(tx)
			if err == nil && change != nil {
				_, err = h.workspace.Recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "usr_bo", Kind: access.KindPerson}}, change)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	opened, err := h.incidents.PrepareOpen(t.Context(), incident.NewIncident{Model: model, Title: "every <i>second</i> applicant is refused", Runbook: "drift"}, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	do(func(tx *state.Tx) (trail.Change, error) { return h.incidents.Open(tx, opened) })
	all, err := h.incidents.Incidents(t.Context(), incident.Filter{Open: true})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d incidents, %v", len(all), err)
	}
	id := all[0].ID
	do(func(tx *state.Tx) (trail.Change, error) { return h.incidents.Acknowledge(tx, id, "") })
	runbook, err := h.incidents.Checklist(t.Context(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	do(func(tx *state.Tx) (trail.Change, error) {
		return h.incidents.Tick(tx, id, runbook, incident.Tick{Step: 2, Note: "RELP moved & nothing else"})
	})
	return id
}

// The pages of incidents show evidence, runbook and timeline to those who may read predictions, and to the others that there
// is one.
func TestIncidentOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	id := h.incident(t, "credit")
	var operator *browser
	for _, role := range access.Roles() {
		if role == access.Service {
			continue
		}
		b := h.as(t, role)
		if role == access.Operator {
			operator = b
		}
		for _, at := range []string{"/incidents", "/incidents?state=all&model=credit", "/incidents?severity=low"} {
			page := b.get(at)
			if faults := check(parse(t, page.Body.String())); page.Code != http.StatusOK || len(faults) > 0 {
				t.Errorf("%s as %s: %d, %q", at, role, page.Code, faults)
			}
		}
		page := b.get("/incidents/" + id)
		if role == access.Viewer {
			if page.Code != http.StatusForbidden {
				t.Errorf("a viewer reads the evidence: %d", page.Code)
			}
			continue
		}
		if faults := check(parse(t, page.Body.String())); page.Code != http.StatusOK || len(faults) > 0 {
			t.Errorf("incident as %s: %d, %q", role, page.Code, faults)
		}
	}
	operator.says("/incidents", "every <i>second</i> applicant is refused", "acknowledged", "high")
	operator.says("/incidents/"+id, "Stop the harm", "RELP moved & nothing else", "is decided by operator on duty", "opened an incident of credit", "no window of the model was judged")
	if got := operator.get("/incidents/x"); got.Code != http.StatusNotFound {
		t.Errorf("an incident that there is not: %d", got.Code)
	}
	if got := operator.get("/incidents?after=x"); got.Code != http.StatusBadRequest {
		t.Errorf("a place that is none: %d", got.Code)
	}
}

func TestBrowserSeesIncidents(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	id := h.incident(t, "credit")
	eve := walkers(t, h)("eve", access.Validator)
	eve.open("/incidents")
	eve.says("the most severe first", "acknowledged")
	eve.picture("incidents")
	eve.open("/incidents/" + id)
	eve.says("Evidence of that moment", "Timeline")
	eve.picture("incident")
}
