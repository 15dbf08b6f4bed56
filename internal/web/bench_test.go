package web_test

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// crowd registers models, each with the draft of a version.
func (h *house) crowd(t testing.TB, models int) {
	t.Helper()
	const together = 500
	for from := 0; from < models; from += together {
		h.change(t, func(tx *state.Tx) (changes []trail.Change, err error) {
			for i := from; i < min(from+together, models); i++ {
				c, err := h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: fmt.Sprintf("model-%06d", i), ModelDetails: catalog.ModelDetails{Summary: "One of many"}}, fmt.Sprintf("owner-%d", i%50))
				if err != nil {
					return nil, err
				}
				changes = append(changes, c)
			}
			return changes, nil
		})
		h.change(t, func(tx *state.Tx) (changes []trail.Change, err error) {
			for i := from; i < min(from+together, models); i++ {
				c, err := h.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: fmt.Sprintf("model-%06d", i), Version: "1", Draft: true})
				if err != nil {
					return nil, err
				}
				changes = append(changes, c)
			}
			return changes, nil
		})
	}
}

// BenchmarkPages asks for pages of a house with 10,000 models (TALLYSTICK_MODELS says otherwise) and
// reports the 99th percentile beside the mean.
func BenchmarkPages(b *testing.B) {
	models, _ := strconv.Atoi(cmp.Or(os.Getenv("TALLYSTICK_MODELS"), "10000"))
	h := open(b)
	h.furnish(b)
	r := h.furnishReleases(b)
	h.crowd(b, models)
	if _, err := h.workspace.Seal(b.Context()); err != nil {
		b.Fatal(err)
	}
	browser := h.as(b, access.Viewer)
	for _, address := range []string{
		"/", "/?sort=name&after=model-004999", "/?q=many&tier=limited", "/models/credit", "/models/credit/versions/3", "/models/credit/history", "/lineage?node=version:credit@3", "/trail", "/trail?model=model-000017",
		"/trail/1000", "/findings", "/reviews", "/releases/" + r.denied, "/releases/" + r.promoted, "/models/credit/releases", "/waivers", "/freezes",
	} {
		b.Run(address, func(b *testing.B) {
			browser.t = b
			var took []time.Duration
			for b.Loop() {
				started := time.Now()
				if got := browser.get(address); got.Code != http.StatusOK {
					b.Fatalf("%d: %s", got.Code, got.Body)
				}
				took = append(took, time.Since(started))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
		})
	}
}

// BenchmarkPagesOfBehaviour asks for pages of what fires, what is promised and what is compared.
func BenchmarkPagesOfBehaviour(b *testing.B) {
	h := open(b)
	h.furnish(b)
	h.hold(b)
	firing := h.fire(b)
	if _, err := h.incidents.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	open, err := h.incidents.Incidents(b.Context(), incident.Filter{Open: true})
	if err != nil || len(open) == 0 {
		b.Fatalf("%d incidents, %v", len(open), err)
	}
	browser := h.as(b, access.Operator)
	for _, address := range []string{
		"/alerts", "/alerts/" + firing[0].ID, "/silences", "/incidents", "/incidents/" + open[0].ID, "/objectives", "/objectives/credit-answers", "/comparisons", "/comparisons/credit-canary", "/models/credit",
	} {
		b.Run(address, func(b *testing.B) {
			browser.t = b
			for b.Loop() {
				if got := browser.get(address); got.Code != http.StatusOK {
					b.Fatalf("%d: %s", got.Code, got.Body)
				}
			}
		})
	}
}
