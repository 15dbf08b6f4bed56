package alert

import (
	"context"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
)

// Judgements gives what monitors judged. *monitor.Office does.
type Judgements interface {
	Follow(ctx context.Context, after uint64, limit int) ([]monitor.Step, error)
	Judgement(ctx context.Context, digest tallystick.Digest) (monitor.WindowJudgement, error)
}

// Monitors is the source of what monitors judged: an observation for every row of every judgement.
type Monitors struct{ Judgements }

// whole are the checks that tell of all data of a window, without which checks of single features say little.
var whole = []string{"telemetry", "volume", "schema", "staleness", "duplicates"}

// Observations implements Source.
func (m Monitors) Observations(ctx context.Context, after uint64, limit int) (all []Observation, next uint64, err error) {
	steps, err := m.Follow(ctx, after, limit)
	if err != nil {
		return nil, after, err
	}
	next = after
	for _, s := range steps {
		next = s.Event
		if s.Removed != nil {
			all = append(all, Observation{Rule: "monitor/" + s.Removed.Name + "/", Model: s.Removed.Model, Event: s.Event, Over: true})
			continue
		}
		j, err := m.Judgement(ctx, s.Judged.Judgement)
		switch code := tallystick.CodeOf(err); {
		case err == nil:
			all = append(all, observed(&j, s)...)
		case code == tallystick.NotFound || code == tallystick.Invalid: // damage of one document keeps nobody else's alerts back
			all = append(all, Observation{
				Rule: "monitor/" + s.Judged.Monitor + "/judgement", Model: s.Judged.Model, Version: s.Judged.Version, Severity: Ticket, From: s.Judged.From, To: s.Judged.To,
				Verdict: s.Judged.Verdict, Words: fmt.Sprintf("The judgement cannot be read: %v.", err), Evidence: s.Judged.Judgement, Event: s.Event, Sole: true,
			})
		default:
			return nil, after, err
		}
	}
	return all, next, nil
}

// observed returns what a judgement says, of rows about the same thing the worst.
func observed(j *monitor.WindowJudgement, s monitor.Step) (all []Observation) {
	at := map[tallystick.Digest]int{}
	for i := range j.Rows {
		r := &j.Rows[i]
		o := Observation{
			Rule: "monitor/" + j.Monitor + "/" + r.Check, Model: j.Model, Version: j.Version, Environment: j.Environment, Subject: r.Subject, Segment: r.Slice, Severity: Ticket,
			From: j.From, To: j.To, Verdict: r.Verdict, Words: r.Words, Evidence: s.Judged.Judgement, Event: s.Event,
			Whole: r.Subject == "" && slices.Contains(whole, r.Check), Sole: true,
		}
		if r.Check == "telemetry" {
			o.Severity, o.Terms = Page, AtOnce()
		}
		of := o.Fingerprint()
		if k, twice := at[of]; twice {
			if all[k].Verdict.Worse(o.Verdict) != all[k].Verdict {
				all[k] = o
			}
			continue
		}
		at[of] = len(all)
		all = append(all, o)
	}
	return all
}
