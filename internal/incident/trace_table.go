package incident

import (
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
)

// reading is what rows of a check say about causes.
type reading struct {
	cause Cause                    // that a row which warns or fails speaks for; empty: none, for the reason beside it
	of    func(*monitor.Row) Cause // where it depends on the row
}

func speaksFor(cause Cause) reading { return reading{cause: cause} }

// readings says of each check of a monitor what its rows speak for. Features and outputs that drift are counted together
// (see counts), not row by row.
var readings = map[string]reading{
	"drift": {},

	"new_values": speaksFor("feature_bug"),
	"missing":    speaksFor("feature_bug"),
	"range":      speaksFor("feature_bug"),
	"schema":     speaksFor("feature_bug"),
	"constant":   speaksFor("feature_bug"),
	"duplicates": speaksFor("feature_bug"),
	"skew":       speaksFor("feature_bug"),
	"staleness":  speaksFor("feature_bug"),

	"telemetry":   speaksFor("infrastructure"),
	"volume":      speaksFor("infrastructure"),
	"latency":     speaksFor("infrastructure"),
	"errors":      speaksFor("infrastructure"),
	"error_kinds": speaksFor("infrastructure"),
	"cost":        speaksFor("infrastructure"),

	"performance": speaksFor("concept_drift"),
	"calibration": speaksFor("concept_drift"),
	"fairness":    speaksFor("concept_drift"),
	"concept":     speaksFor("concept_drift"),

	"season":       speaksFor("data_drift"), // other than is usual for that time of the week
	"multivariate": speaksFor("data_drift"),
	"attribution":  speaksFor("data_drift"), // of the same version; another one is told by its files
	"decisions":    speaksFor("model"),
	"agreement":    speaksFor("metric_flaw"), // drift and performance contradict each other

	// Where scores alone say that a model is worse, it sees other data; where labels contradict that, the same data has
	// another answer.
	"estimate": {of: func(r *monitor.Row) Cause {
		if strings.HasSuffix(r.Subject, " realised") {
			return "concept_drift"
		}
		return "data_drift"
	}},
	// A slice is judged by drift, by latency and errors, and by metrics.
	"slices": {of: func(r *monitor.Row) Cause {
		switch {
		case r.Measure == "psi":
			return "data_drift"
		case r.Subject == "errors", strings.HasPrefix(r.Subject, "latency "):
			return "infrastructure"
		}
		return "concept_drift"
	}},

	"kpi":      {}, // harm, which has any cause
	"adaptive": {}, // says that rows of other checks are not as usual
	"labels":   {}, // says what is not known
}

// maxOfCheck bounds the rows of one check that are told as clues.
const maxOfCheck = 10

// byLabels are the checks that measure whether answers were right.
var byLabels = []string{"performance", "calibration", "fairness", "concept"}

// read reads the rows of the bad window one by one.
func (t *tracer) read(rows []monitor.Row, at *BadWindow) {
	told := map[string]int{}
	measured := false
	for i := range rows {
		r := &rows[i]
		measured = measured || slices.Contains(byLabels, r.Check) && r.Verdict != tallystick.Insufficient
		if r.Verdict != tallystick.Fail && r.Verdict != tallystick.Warn {
			continue
		}
		is := readings[r.Check]
		cause := is.cause
		if is.of != nil {
			cause = is.of(r)
		}
		if cause == "" {
			continue
		}
		if told[r.Check]++; told[r.Check] > maxOfCheck {
			continue
		}
		t.speaks(cause, at.Judgement, at.Event, "%s", r.Words)
	}
	for _, check := range slices.Sorted(maps.Keys(told)) {
		if more := told[check] - maxOfCheck; more > 0 {
			t.missing("%d more rows of %s that do not pass are in the judgement", more, check)
		}
	}
	if !measured {
		t.missing("nothing was measured against labels in that window: whether answers were wrong is not known")
	}
}

// usual looks for features that moved from the pinned reference and are as usual for their time of the week: the reference
// does not know the season.
func (t *tracer) usual(rows []monitor.Row, at *BadWindow) {
	moved := map[string]bool{}
	for _, r := range rows {
		if r.Check == "drift" && (r.Verdict == tallystick.Fail || r.Verdict == tallystick.Warn) {
			moved[r.Subject] = true
		}
	}
	var all []string
	for _, r := range rows {
		if r.Check == "season" && r.Verdict == tallystick.Pass && moved[r.Subject] {
			all = append(all, r.Subject)
		}
	}
	if len(all) > 0 {
		t.speaks("metric_flaw", at.Judgement, at.Event, "%v moved from the pinned reference, and is as usual for that time of the week", all)
	}
}
