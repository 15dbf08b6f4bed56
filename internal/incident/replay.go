package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/replay"
)

// Predictions finds what was recorded.
type Predictions interface {
	// Find returns the prediction with an id, or a NotFound error.
	Find(ctx context.Context, id prediction.ID) (*archive.Found, error)
}

// AskedAgain is what somebody saw who sent inputs of predictions to another version.
type AskedAgain struct {
	replay.Asked
	Answers []replay.Reply `json:"answers" maxItems:"1000" nullable:"false" doc:"one for each input that was sent"`
}

// PrepareReplay holds answers against what was recorded, keeps what came of it, and returns the change that adds it to the
// evidence. What was recorded is read here: the one who asked says only what came back.
func (o *Office) PrepareReplay(ctx context.Context, i Incident, in AskedAgain) (*replay.Report, *EvidenceAdded, error) {
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	if in.Version != "" {
		if _, err := o.config.Catalog.Version(ctx, i.Model, in.Version); err != nil {
			return nil, nil, err
		}
	}
	report := &replay.Report{
		Schema: replay.Schema, Incident: i.ID, Model: i.Model, Made: o.config.Now().UTC().Truncate(time.Millisecond), Asked: in.Asked, Recorded: map[string]int64{},
	}
	var records []*prediction.Record
	for n := range in.Answers {
		id, err := prediction.ParseID(in.Answers[n].ID)
		if err != nil {
			return nil, nil, fmt.Errorf("answer %d: %w", n+1, err)
		}
		found, err := o.config.Predictions.Find(ctx, id)
		if err != nil {
			return nil, nil, fmt.Errorf("answer %d: %w", n+1, err)
		}
		if found.Record.Model != i.Model {
			return nil, nil, tallystick.Errorf(tallystick.Invalid, "prediction %s is of %s, and the incident is about %s", id, found.Record.Model, i.Model)
		}
		if slices.Contains(report.Sent, id.String()) {
			return nil, nil, tallystick.Errorf(tallystick.Invalid, "prediction %s was sent twice", id)
		}
		records = append(records, &found.Record)
		report.Sent = append(report.Sent, id.String())
		report.Recorded[found.Record.Version]++
	}
	report.Outcome = replay.Compare(records, in.Answers, in.Terms)
	data, err := json.Marshal(report)
	if err != nil {
		return nil, nil, fmt.Errorf("replay of incident %s: %w", i.ID, err)
	}
	digest, err := o.config.Evidence.Put(ctx, data)
	return report, &EvidenceAdded{Kind: "replay", Evidence: digest, Note: report.Outcome.Words}, err
}

func (r *AskedAgain) check() error {
	if err := r.Terms.Check(); err != nil {
		return err
	}
	u, err := url.Parse(r.Against)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "":
		return tallystick.Errorf(tallystick.Invalid, "the address of the server that was asked has no host, or has a user or a query").WithHint("those can hold secrets: leave them out")
	case len(r.Answers) == 0:
		return tallystick.Errorf(tallystick.Invalid, "no input was sent, so there is nothing to put on record")
	case len(r.Answers) > replay.MaxRecords:
		return tallystick.Errorf(tallystick.Invalid, "%d answers are more than %d", len(r.Answers), replay.MaxRecords)
	case int64(len(r.Answers))+r.NotKept+r.Gone != r.Chosen:
		return tallystick.Errorf(tallystick.Invalid, "%d predictions were chosen, and %d answers, %d not kept and %d gone are not as many", r.Chosen, len(r.Answers), r.NotKept, r.Gone)
	}
	return nil
}

// Document returns a document that an incident names: its brief, post-mortem, or evidence that was added. Others are
// NotFound errors.
func (o *Office) Document(ctx context.Context, id string, digest tallystick.Digest) ([]byte, error) {
	w, err := o.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	named := digest == w.Brief || digest == w.RunbookAs || slices.ContainsFunc(w.Steps, func(s Deed) bool { return s.Digest == digest && (s.Step == "evidence" || s.Step == "reported") })
	if digest == "" || !named {
		return nil, tallystick.Errorf(tallystick.NotFound, "incident %s has no document %.80s", id, digest).WithHint("`tallystick incident show %s` has the digests of those that there are", id)
	}
	return o.config.Evidence.Get(ctx, digest)
}
