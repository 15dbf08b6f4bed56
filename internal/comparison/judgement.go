package comparison

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// JudgementSchema names the form of a judgement. The methods of its rows have versions of their own.
const JudgementSchema = "tallystick.comparison.judgement/1"

// Verdict is the answer to the question whether the new version may take the place of the old one.
type Verdict string

// The four answers. Hold means that nothing is wrong and more predictions settle it; Inconclusive that what there is
// cannot be judged, or that the time is up.
const (
	Promote      Verdict = "promote"
	Hold         Verdict = "hold"
	Rollback     Verdict = "rollback"
	Inconclusive Verdict = "inconclusive"
)

// VersionsJudgement is what a comparison says of two versions.
type VersionsJudgement struct {
	Schema      string            `json:"schema"`
	Comparison  string            `json:"comparison" doc:"name of the comparison"`
	Document    tallystick.Digest `json:"document_digest" doc:"digest of the comparison as it was written"`
	Model       string            `json:"model"`
	New         string            `json:"new" doc:"version that is to take the place of the other"`
	Old         string            `json:"old"`
	Environment string            `json:"environment,omitempty" doc:"where predictions were made; absent: anywhere"`
	From        time.Time         `json:"from"`
	To          time.Time         `json:"to" doc:"exclusive"`
	Known       KnownOf           `json:"known" doc:"what was on record"`
	Split       float64           `json:"split,omitempty" doc:"share of predictions that the new version is to have; absent: it was not checked"`
	Alpha       float64           `json:"alpha" doc:"chance, over all looks, of a promotion that is wrong; and likewise of a rollback"`
	Verdict     Verdict           `json:"verdict" enum:"promote,hold,rollback,inconclusive"`
	Score       float64           `json:"score" doc:"0 to 100: how far the evidence has come that every primary metric needs; 0 after a rollback"`
	Reasons     []string          `json:"reasons" doc:"the first is the one that decided"`
	Traffic     TrafficOf         `json:"traffic"`
	Rows        []MetricRow       `json:"rows" doc:"one for every metric"`
	Slices      []MetricRow       `json:"slices,omitempty" doc:"the worst first"`
	Judged      int               `json:"slices_judged,omitempty" doc:"slices that were judged, of which only the worst are told"`
	Length      CanaryLength      `json:"length"`

	source []byte // of the comparison
}

// KnownOf is the watermark of a judgement: the same question put again up to it gives the same judgement.
type KnownOf struct {
	Event  uint64 `json:"event" doc:"newest event by which predictions of that time came on record; 0: there are none"`
	Labels uint64 `json:"label_event,omitempty" doc:"newest event by which labels of the model came on record"`
}

// TrafficOf says what there was to judge.
type TrafficOf struct {
	New       SideOf   `json:"new"`
	Old       SideOf   `json:"old"`
	Pairs     *int64   `json:"pairs,omitempty" doc:"inputs that both versions answered; absent: versions answer different inputs"`
	Share     *float64 `json:"share,omitempty" doc:"of predictions that the new version has"`
	ShareP    *float64 `json:"share_p,omitempty" doc:"p-value, at every look, of that routing is as intended"`
	Unchecked bool     `json:"share_unchecked,omitempty" doc:"nothing says which share is intended"`
}

// SideOf is what there was of one version.
type SideOf struct {
	Predictions int64      `json:"predictions"`
	Newest      *time.Time `json:"newest,omitempty" doc:"time of its newest prediction"`
	Matured     int64      `json:"matured,omitempty" doc:"predictions that are old enough to have a label"`
	Labelled    int64      `json:"labelled,omitempty" doc:"those of them that have one"`
}

// MetricRow is one metric, or one metric of one slice.
type MetricRow struct {
	Metric     string             `json:"metric"`
	Measure    Measure            `json:"measure"`
	Role       Role               `json:"role"`
	Slice      *SliceOf           `json:"slice,omitempty"`
	Method     string             `json:"method" doc:"what was computed, with its version"`
	New        stat.Number        `json:"new" doc:"figure of the new version"`
	Old        stat.Number        `json:"old"`
	NewRows    int64              `json:"new_rows"`
	OldRows    int64              `json:"old_rows"`
	Difference stat.Number        `json:"difference" doc:"new less old"`
	Low        stat.Number        `json:"low" doc:"of the interval of difference that holds at every look"`
	High       stat.Number        `json:"high"`
	Margin     float64            `json:"margin" doc:"by how much the new version may be worse"`
	Better     Better             `json:"better"`
	Worse      *float64           `json:"p_worse,omitempty" doc:"p-value, at every look, of that it is worse by at most the margin: small means harm"`
	WorseFrom  float64            `json:"p_worse_fails" doc:"at or below which it fails: alpha, shared by all metrics and slices"`
	Within     *float64           `json:"p_within,omitempty" doc:"p-value, at every look, of that it is worse by the margin or more: small means that it is not"`
	Needed     *int64             `json:"predictions_needed,omitempty" doc:"of both versions, or pairs, until it is settled if it goes on so; absent: it is settled, or not to be foreseen"`
	Verdict    tallystick.Verdict `json:"verdict" enum:"pass,inconclusive,insufficient,fail"`
	Words      string             `json:"words"`
}

// CanaryLength says how long the comparison takes and may take.
type CanaryLength struct {
	Elapsed string   `json:"elapsed"`
	Longest string   `json:"longest" doc:"after which it is given up: as written, or what the error budget allows"`
	Needed  string   `json:"needed,omitempty" doc:"how much longer it takes at the present pace until every primary metric is settled"`
	Allowed string   `json:"allowed,omitempty" doc:"how long the new version may serve its share, failing as it surely does at most, until what it may use of the error budget is used"`
	Spent   *float64 `json:"budget_spent,omitempty" doc:"share that the new version has used of what it may use of the error budget"`
	Words   string   `json:"words"`
}

// Marshal returns the judgement as it is kept: equal judgements, equal bytes.
func (j *VersionsJudgement) Marshal() ([]byte, error) {
	data, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("judgement of %s@%s and %s: %w", j.Model, j.New, j.Old, err)
	}
	return data, nil
}

// ParseJudgement reads what Marshal has written.
func ParseJudgement(data []byte) (j VersionsJudgement, err error) {
	if err := json.Unmarshal(data, &j); err != nil || j.Schema != JudgementSchema {
		return j, tallystick.Errorf(tallystick.Invalid, "that is no judgement of the form %s", JudgementSchema)
	}
	return j, nil
}

// Points is the difference of a row in percentage points, with its interval.
func (r *MetricRow) Points() figure.Figure {
	return figure.Points(r.Difference, stat.Interval{Low: float64(r.Low), High: float64(r.High)})
}
