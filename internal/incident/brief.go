package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
)

// BriefSchema names the form of a brief.
const BriefSchema = "tallystick.incident.brief/1"

// Brief is what was on record when an incident was opened. Lists are bounded, and what is left out, or could not be read, is
// named in Missing.
type Brief struct {
	Schema      string            `json:"schema"`
	Model       string            `json:"model"`
	Version     string            `json:"version,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Tier        tallystick.Tier   `json:"tier,omitempty"`
	From        time.Time         `json:"from" doc:"predictions and judgements of this time on"`
	To          time.Time         `json:"to" doc:"predictions before this time"`
	Gathered    time.Time         `json:"gathered"`
	Since       time.Time         `json:"since" doc:"changes that were recorded from this time on"`
	Signal      *Signal           `json:"signal,omitempty" doc:"the alert that opened it"`
	Serving     []Served          `json:"serving,omitempty" doc:"what served"`
	Making      *Making           `json:"making,omitempty" doc:"how the version was made"`
	Judgements  []BriefJudgement  `json:"judgements,omitempty" doc:"of monitors, what was judged last first"`
	First       *BadWindow        `json:"first,omitempty" doc:"the first of the bad windows that lead up to now; absent: the newest window is not bad, or none was judged"`
	LastGood    *BadWindow        `json:"last_good,omitempty" doc:"the newest window before that which passed or warned"`
	Traffic     []Hour            `json:"traffic,omitempty" doc:"predictions by the hour"`
	Samples     []Sample          `json:"samples,omitempty" doc:"predictions to look at"`
	Changes     []BriefChange     `json:"changes,omitempty" doc:"what was changed about the model, the newest first"`
	Compliant   string            `json:"last_compliant,omitempty" doc:"version that a rollback would go to"`
	Before      string            `json:"before,omitempty" doc:"version that was champion before, or in the last good window"`
	Diff        *catalog.Diff     `json:"diff,omitempty" doc:"from that version to this one"`
	Runbook     string            `json:"runbook,omitempty"`
	RunbookAs   tallystick.Digest `json:"runbook_digest,omitempty"`
	Missing     []string          `json:"missing,omitempty" doc:"what could not be gathered, or was left out, and why"`
}

// Served is a version that serves.
type Served struct {
	Environment string       `json:"environment"`
	Version     string       `json:"version"`
	Role        catalog.Role `json:"role"`
	Percent     int64        `json:"percent,omitempty"`
	Since       time.Time    `json:"since"`
	Event       uint64       `json:"event"`
}

// Making is how a version was made, by digests.
type Making struct {
	Digest     tallystick.Digest  `json:"version_digest,omitempty" doc:"of its files"`
	CodeCommit string             `json:"code_commit,omitempty"`
	Image      tallystick.Digest  `json:"image_digest,omitempty"`
	Run        string             `json:"run,omitempty"`
	Data       []catalog.DataLink `json:"data,omitempty" doc:"snapshots that it rests on"`
	Registered time.Time          `json:"registered"`
	Event      uint64             `json:"event"`
}

// BriefJudgement is a judgement of a window with the rows that did not pass.
type BriefJudgement struct {
	Monitor     string             `json:"monitor"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`
	Version     string             `json:"version,omitempty"`
	Verdict     tallystick.Verdict `json:"verdict"`
	Predictions int64              `json:"predictions"`
	Backfilled  int64              `json:"backfilled,omitempty"`
	Judgement   tallystick.Digest  `json:"judgement_digest"`
	Reference   tallystick.Digest  `json:"reference_digest,omitempty"`
	Event       uint64             `json:"event"`
	Rows        []BriefRow         `json:"rows,omitempty" doc:"the worst first, at most 20; of the newest judgements"`
}

// BriefRow is one check that did not pass.
type BriefRow struct {
	Check   string             `json:"check"`
	Subject string             `json:"subject,omitempty"`
	Role    string             `json:"role,omitempty"`
	Verdict tallystick.Verdict `json:"verdict"`
	Words   string             `json:"words"`
}

// BadWindow is a window of a monitor.
type BadWindow struct {
	Monitor   string            `json:"monitor"`
	From      time.Time         `json:"from"`
	To        time.Time         `json:"to"`
	Judgement tallystick.Digest `json:"judgement_digest"`
	Version   string            `json:"version,omitempty"`
	Event     uint64            `json:"event"`
}

// Hour is the traffic of an hour.
type Hour struct {
	From        time.Time `json:"from"`
	Predictions int64     `json:"predictions"`
	Failed      int64     `json:"failed" doc:"with the status error or timeout"`
	P99         *float64  `json:"p99_ms,omitempty" doc:"latency that one in a hundred exceeds; absent: not told"`
}

// Sample is a prediction to look at. What it says is in the archive, for those who may read it.
type Sample struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	Version string    `json:"version,omitempty"`
	Why     string    `json:"why" enum:"failed,slow,recent" doc:"why it was chosen"`
}

// BriefChange is something that was changed about the model. Who did it is left out: it is on the trail.
type BriefChange struct {
	Sequence uint64    `json:"sequence"`
	Time     time.Time `json:"time"`
	Type     string    `json:"type"`
	Version  string    `json:"version,omitempty"`
	Words    string    `json:"words"`
}

// keep stores a brief. Equal briefs have equal bytes.
func (o *Office) keep(ctx context.Context, b *Brief) (tallystick.Digest, error) {
	data, err := json.Marshal(b)
	if err != nil {
		return "", fmt.Errorf("brief of %s: %w", b.Model, err)
	}
	return o.config.Evidence.Put(ctx, data)
}

// Brief returns what was on record when an incident was opened.
func (o *Office) Brief(ctx context.Context, i Incident) (*Brief, error) {
	data, err := o.config.Evidence.Get(ctx, i.Brief)
	if err != nil {
		return nil, fmt.Errorf("brief of incident %s: %w", i.ID, err)
	}
	b := new(Brief)
	if err := json.Unmarshal(data, b); err != nil || b.Schema != BriefSchema {
		return nil, tallystick.Errorf(tallystick.Invalid, "the brief of incident %s is not of the form %s", i.ID, BriefSchema)
	}
	return b, nil
}

// rowsOf returns the rows of a judgement that did not pass, the worst first.
func rowsOf(j monitor.WindowJudgement) (rows []BriefRow) {
	for _, r := range j.Worst() {
		if r.Verdict == tallystick.Pass || len(rows) == maxRows {
			break
		}
		rows = append(rows, BriefRow{r.Check, r.Subject, r.Role, r.Verdict, r.Words})
	}
	return rows
}

// Failing returns what failed in the newest bad window.
func (b *Brief) Failing() (rows []BriefRow) {
	for _, j := range b.Judgements {
		if j.Verdict != tallystick.Fail || len(j.Rows) == 0 {
			continue
		}
		for _, r := range j.Rows {
			if r.Verdict == tallystick.Fail {
				rows = append(rows, r)
			}
		}
		break
	}
	return rows
}
