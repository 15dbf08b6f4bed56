package capture_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

func gathered(t *testing.T, c *capture.Capture) map[string]*dto.MetricFamily {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]*dto.MetricFamily{}
	for _, f := range all {
		by[f.GetName()] = f
	}
	return by
}

func timed(version, environment string, us int64) prediction.Record {
	return prediction.Record{Model: "credit", Version: version, Environment: environment, Latency: prediction.Integer(us)}
}

// What is taken in is told once, with native buckets; what is refused, comes again or says no time is not.
func TestLatencies(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	batch := func() capture.Batch {
		return capture.Batch{Sender: "a", ID: "one", Records: []prediction.Record{timed("1", "lab", 2_000), timed("1", "lab", 4_000), timed("2", "lab", 500_000), timed("7", "lab", 1), {Model: "credit", Version: "1"}}}
	}
	for range 2 {
		answer, err := h.Accept(t.Context(), batch())
		if err != nil || len(answer.Rejected) != 1 {
			t.Fatalf("%+v, %v", answer, err)
		}
	}
	found := gathered(t, h.Capture)["tallystick_prediction_latency_seconds"].GetMetric()
	if len(found) != 2 {
		t.Fatalf("%d series", len(found))
	}
	labels := ""
	for _, l := range found[0].GetLabel() {
		labels += l.GetName() + "=" + l.GetValue() + " "
	}
	g := found[0].GetHistogram()
	if labels != "environment=lab model=credit version=1 " || g.GetSampleCount() != 2 || math.Abs(g.GetSampleSum()-0.006) > 1e-12 {
		t.Errorf("%s: %d, in all %g s; want 2 and 0.006", labels, g.GetSampleCount(), g.GetSampleSum())
	}
	if len(g.GetPositiveDelta()) != 2 || g.GetSchema() != 3 { // 2^(1/8) is the largest step that is no larger than 1.1
		t.Errorf("native buckets %v of schema %d", g.GetPositiveDelta(), g.GetSchema())
	}
}

// However many environments senders name, there are 200 series; the others are counted.
func TestLatenciesAreBounded(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	for i := range 250 {
		if _, err := h.Accept(t.Context(), capture.Batch{Records: []prediction.Record{timed("1", fmt.Sprintf("lab-%d", i), 1_000)}}); err != nil {
			t.Fatal(err)
		}
	}
	found := gathered(t, h.Capture)
	if n := len(found["tallystick_prediction_latency_seconds"].GetMetric()); n != 200 {
		t.Errorf("%d series", n)
	}
	if n := found["tallystick_prediction_latency_untold_total"].GetMetric()[0].GetCounter().GetValue(); n != 50 {
		t.Errorf("%g are untold", n)
	}
}
