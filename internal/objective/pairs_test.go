package objective_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// by makes predictions of a version, each the answer to an input of its own number.
func by(version string, output func(i int) prediction.Value) func(i int, r *prediction.Record) {
	return func(i int, r *prediction.Record) {
		r.Version, r.TraceID, r.Output = version, prediction.TraceID{15: byte(i), 14: byte(i >> 8), 0: 1}, output(i)
	}
}

func scores(by float64) func(i int) prediction.Value {
	return func(i int) prediction.Value { return prediction.Number(float64(i) + by) }
}

// Both versions answer the inputs 1 to 600; version 2 differs in every tenth. What comes late, again, or from another version is
// counted as the rules say, and counting all again says the same.
func TestPairs(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.version(t, "2")
	h.version(t, "3")
	h.apply(t, "indicator: {canary_agrees: {pair_by: trace_id, against: \"1\", tolerance: 0.5, within: 5m}}\ntarget: 95%\nperiod: 7d\n")
	begin := noon.Add(-time.Hour)
	h.send(t, made(begin, 50*time.Minute, 600, by("1", scores(0)))...)
	counts(t, h.checkRecount(t), 0, 0) // one version alone agrees with nobody

	differs := func(i int) prediction.Value {
		if i%10 == 9 {
			return prediction.Number(float64(i) + 0.6)
		}
		return prediction.Number(float64(i) - 0.5)
	}
	// Inputs 1 to 300 are answered two minutes later, in another hour or minute each; they come on record an hour late.
	second := made(begin.Add(2*time.Minute), 50*time.Minute, 600, by("2", differs))
	h.now = h.now.Add(time.Hour)
	h.send(t, second[:300]...)
	counts(t, h.checkRecount(t), 270, 300)
	h.send(t, second[300:]...)
	counts(t, h.checkRecount(t), 540, 600)

	// Version 2 asks 100 inputs again, a minute later, and says something else: its first answers count.
	again := made(begin.Add(3*time.Minute), 50*time.Minute, 600, by("2", scores(99)))
	h.send(t, again[:100]...)
	counts(t, h.checkRecount(t), 540, 600)
	// Of 50 inputs an answer of version 2 comes on record that is a minute older than that which counted: it counts.
	older := made(begin.Add(time.Minute), 50*time.Minute, 600, by("2", scores(99)))
	h.send(t, older[550:]...)
	counts(t, h.checkRecount(t), 540-45, 600)
	// An answer without an output is none, one after six minutes is too late, and one of a third version counts for itself.
	h.send(t, made(begin, 50*time.Minute, 100, by("3", func(int) prediction.Value { return prediction.Value{} }))...)
	h.send(t, made(begin.Add(6*time.Minute), 50*time.Minute, 600, by("3", scores(0)))[:60]...)
	counts(t, h.checkRecount(t), 540-45, 600)
	h.send(t, made(begin.Add(4*time.Minute), 50*time.Minute, 600, by("3", scores(0)))[200:220]...)
	counts(t, h.checkRecount(t), 540-45+20, 620)

	h.apply(t, "version: \"2\"\nindicator: {canary_agrees: {pair_by: trace_id, against: \"1\", when: output >= 300}}\ntarget: 95%\nperiod: 7d\n")
	// Input 300 is 299 for version 1 and 299.6 for version 2; input 301 is 300, and 299.5.
	// The last 50 answers of version 2 are 99 more, and on the same side.
	counts(t, h.checkRecount(t), 599, 600)
}

// Whose answer is the champion's follows from when it was given.
func TestPairsWithChampion(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.version(t, "2")
	h.do(t, func(tx *state.Tx) (trail.Change, error) {
		return h.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: "production", EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Free}})
	})
	h.now = noon.Add(-3 * time.Hour)
	_, err := h.registry.Do(t.Context(), registry.Command{Principal: access.Local("ada"), Action: access.FindingWrite, Propose: func(tx *state.Tx) ([]trail.Change, error) {
		return h.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "production", Model: "credit", Version: "1", Role: catalog.Champion, Observed: true, Reason: "a test"})
	}})
	if err != nil {
		t.Fatal(err)
	}
	h.now = noon.Add(-2 * time.Hour)
	there := func(change func(int, *prediction.Record)) func(int, *prediction.Record) {
		return func(i int, r *prediction.Record) {
			change(i, r)
			r.Environment = "production"
		}
	}
	h.apply(t, "environment: production\nindicator: {canary_agrees: {pair_by: trace_id}}\ntarget: 95%\nperiod: 1d\n")
	h.send(t, made(h.now.Add(-30*time.Minute), time.Minute, 200, there(by("1", scores(0))))...)
	h.send(t, made(h.now.Add(-30*time.Minute), time.Minute, 200, there(by("2", scores(0))))...)
	h.now = h.now.Add(10 * time.Minute)
	counts(t, h.checkRecount(t), 200, 200)
	j := h.judge(t)
	if len(j.Rules) == 0 || j.Rules[0].Rule.Action != objective.Page {
		t.Errorf("pairs are counted within minutes, and the rules are %+v", j.Rules)
	}
}
