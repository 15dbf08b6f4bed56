package monitor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/stat"
)

// JudgementSchema names the form of a judgement. The methods of its rows have versions of their own.
const JudgementSchema = "tallystick.monitor.judgement/1"

// WindowJudgement is what a monitor says of one window.
type WindowJudgement struct {
	Schema      string             `json:"schema"`
	Monitor     string             `json:"monitor" doc:"name of the monitor"`
	Document    tallystick.Digest  `json:"document_digest" doc:"digest of the monitor as it was written"`
	Model       string             `json:"model"`
	Version     string             `json:"version,omitempty" doc:"version whose predictions count; absent: all"`
	Environment string             `json:"environment,omitempty" doc:"where they were made; absent: anywhere"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to" doc:"exclusive"`
	Due         time.Time          `json:"due" doc:"when late records were no longer waited for"`
	Reference   tallystick.Digest  `json:"reference_digest,omitempty" doc:"of what the window is compared with; absent: nothing was pinned"`
	Known       Known              `json:"known" doc:"what was on record"`
	Predictions int64              `json:"predictions"`
	Backfilled  int64              `json:"backfilled" doc:"predictions of it that came on record after the window was due"`
	Labelled    int64              `json:"labelled,omitempty" doc:"predictions with an output and a label, once labels are there"`
	Wrong       int64              `json:"wrong,omitempty" doc:"of those, predictions whose output was wrong"`
	Thresholds  drift.Thresholds   `json:"drift_thresholds"`
	Verdict     tallystick.Verdict `json:"verdict" enum:"pass,warn,inconclusive,insufficient,fail" doc:"the worst of the rows"`
	Words       string             `json:"words"`
	Awaits      time.Time          `json:"awaits,omitzero" doc:"when the window is judged again, because labels should be there then"`
	Rows        []Row              `json:"rows"`

	removed bool // predictions of that time are not kept any more
}

// Known is the watermark of a judgement: the same window judged again up to it gives the same judgement.
type Known struct {
	Event    uint64 `json:"event" doc:"newest event by which predictions of that time came on record; 0: there are none"`
	Segments int64  `json:"segments" doc:"segments that can have predictions of that time"`
	Labels   uint64 `json:"labels_event,omitempty" doc:"newest event that recorded a label which counts, of these predictions or of those that they are compared with"`
	Baseline uint64 `json:"baseline_event,omitempty" doc:"newest event by which predictions came on record that these are compared with, where those are not a reference's"`
	Judged   uint64 `json:"judged_event,omitempty" doc:"newest event of the judgements of earlier windows that were taken into account"`
}

// Row is one check of a window.
type Row struct {
	Check     string             `json:"check" doc:"key of the check"`
	Subject   string             `json:"subject,omitempty" doc:"feature, or quantile, that is judged"`
	Slice     string             `json:"slice,omitempty" doc:"part of the predictions that is judged; absent: all"`
	Role      string             `json:"role,omitempty" doc:"of the feature: feature, score or output"`
	Method    string             `json:"method" doc:"what was computed, with its version"`
	N         int64              `json:"n"`
	Against   int64              `json:"n_reference,omitempty"`
	P         *float64           `json:"p,omitempty"`
	Adjusted  *float64           `json:"p_adjusted,omitempty" doc:"by Benjamini-Hochberg over the features of the window"`
	Measure   string             `json:"measure" doc:"what value is: psi, a share of rows, or rows"`
	Value     stat.Number        `json:"value"`
	Low       *float64           `json:"low,omitempty" doc:"of the interval of value, of the confidence that method states"`
	High      *float64           `json:"high,omitempty"`
	Threshold *float64           `json:"threshold,omitempty" doc:"from which it fails"`
	Warn      *float64           `json:"warn_threshold,omitempty"`
	Origin    string             `json:"threshold_origin,omitempty" doc:"default, reference: it follows from that, monitor: the monitor states it, or learned: warn_threshold is what was usual in earlier windows"`
	Learned   int                `json:"learned_windows,omitempty" doc:"how many earlier windows warn_threshold was learned from"`
	Verdict   tallystick.Verdict `json:"verdict" enum:"pass,warn,inconclusive,insufficient,fail"`
	Words     string             `json:"words"`
	Awaits    time.Time          `json:"awaits,omitzero" doc:"when it can be judged, because labels should be there; it does not count for the verdict of the window before"`
	Feature   *drift.Feature     `json:"feature,omitempty" doc:"all that was compared, of a row of drift"`
	Omitted   int                `json:"bins_omitted,omitempty" doc:"bins that are left out of the feature: those with fewest rows"`
}

// Marshal returns the judgement as it is kept: equal judgements, equal bytes.
func (j *WindowJudgement) Marshal() ([]byte, error) {
	data, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("judgement of %s by %s: %w", Window{j.From, j.To}, j.Monitor, err)
	}
	return data, nil
}

// ParseJudgement reads what Marshal has written.
func ParseJudgement(data []byte) (j WindowJudgement, err error) {
	if err := json.Unmarshal(data, &j); err != nil || j.Schema != JudgementSchema {
		return j, tallystick.Errorf(tallystick.Invalid, "that is no judgement of the form %s", JudgementSchema)
	}
	return j, nil
}

// maxBins bounds the bins that a row keeps.
const maxBins = 60

// trim leaves the bins of a feature that have most rows, in their order.
func trim(f *drift.Feature) (omitted int) {
	if len(f.Bins) <= maxBins {
		return 0
	}
	rows := func(i int) float64 { return max(f.Bins[i].Reference, f.Bins[i].Current) }
	order := make([]int, len(f.Bins))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows(b), rows(a)) })
	order = order[:maxBins]
	slices.Sort(order)
	kept := make([]drift.Bin, 0, maxBins)
	for _, i := range order {
		kept = append(kept, f.Bins[i])
	}
	omitted = len(f.Bins) - len(kept)
	f.Bins = kept
	return omitted
}

// Worst returns the rows as people look at them: the worst first, among equals scores and outputs before features.
func (j *WindowJudgement) Worst() []Row {
	rows := slices.Clone(j.Rows)
	first := func(r Row) int {
		switch {
		case r.Check == "telemetry":
			return 0
		case r.Role == roleScore, r.Role == roleOutput:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(rows, func(a, b Row) int {
		if a.Verdict != b.Verdict {
			if a.Verdict.Worse(b.Verdict) == a.Verdict {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(first(a), first(b)), -cmp.Compare(float64(a.Value), float64(b.Value)))
	})
	return rows
}
