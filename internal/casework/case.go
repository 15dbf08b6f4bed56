package casework

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// State is where a case stands.
type State string

// The states of a case.
const (
	Open     State = "open"     // waits for an opinion
	Second   State = "second"   // waits for another person's, who does not see the first
	Disputed State = "disputed" // two differ: it waits for a third person, who decides
	Decided  State = "decided"
)

// Case is a prediction that people look at.
type Case struct {
	ID          string          `json:"id" doc:"id of the case"`
	Prediction  string          `json:"prediction" doc:"id of the prediction"`
	Model       string          `json:"model" doc:"name of the model"`
	Version     string          `json:"version,omitempty" doc:"version that answered"`
	Environment string          `json:"environment,omitempty" doc:"where it ran"`
	Rule        string          `json:"rule,omitempty" doc:"rule that chose it; absent if somebody opened it"`
	Queue       string          `json:"queue,omitempty" doc:"name of the queue"`
	Stratum     []string        `json:"stratum,omitempty" doc:"values of the rule's strata"`
	Reason      string          `json:"reason,omitempty" doc:"why it was opened"`
	Output      json.RawMessage `json:"output,omitempty" doc:"what the model said"`
	NeedsSecond bool            `json:"needs_second" doc:"it needs a second opinion"`
	State       State           `json:"state" enum:"open,second,disputed,decided" doc:"where it stands"`
	ClaimedBy   string          `json:"claimed_by,omitempty" doc:"id of who works on it"`
	ClaimedTo   time.Time       `json:"claimed_until,omitzero" doc:"until when"`
	Opened      time.Time       `json:"opened" doc:"when it was opened"`
	Due         time.Time       `json:"due" doc:"until when it is to be decided"`
	DecidedAt   time.Time       `json:"decided,omitzero" doc:"when it was decided"`
	Outcome     json.RawMessage `json:"outcome,omitempty" doc:"what was decided"`
	Agrees      *bool           `json:"agrees,omitempty" doc:"the outcome is what the model said; absent if the model said nothing or nothing is decided"`
	Event       uint64          `json:"event" doc:"sequence of its first event"`
	LastEvent   uint64          `json:"last_event" doc:"sequence of its last event"`
}

// Opinion is what one reviewer says.
type Opinion struct {
	Number    int64           `json:"number" doc:"1, 2 or, where these differ, 3"`
	Reviewer  string          `json:"reviewer" doc:"id of who gave it"`
	Outcome   json.RawMessage `json:"outcome" doc:"what the right answer is"`
	Rationale string          `json:"rationale" doc:"why"`
	Given     time.Time       `json:"given" doc:"when"`
	Event     uint64          `json:"event" doc:"sequence of its event"`
}

// claimLasts is how long a case is one reviewer's own after he claimed it.
const claimLasts = 8 * time.Hour

// Opening has a person look at a prediction, whatever the rules say.
type Opening struct {
	Reason string `json:"reason" doc:"why, such as the complaint of the person concerned"`
	Queue  string `json:"queue,omitempty" doc:"name of the queue"`
	Second bool   `json:"second,omitempty" doc:"it needs a second opinion"`
	Within Hours  `json:"within_hours,omitempty" doc:"it is to be decided in this time; 7 days if left out"`
}

// Open returns the change by which somebody opens a case about a prediction. It is a Conflict if one is
// open already.
func (d *Desk) Open(tx *state.Tx, r *prediction.Record, o Opening) (trail.Change, error) {
	if o.Reason == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "the case does not say why it is opened").WithHint("add --reason TEXT")
	}
	if err := tallystick.ValidateText("reason", o.Reason, maxText); err != nil {
		return nil, err
	}
	if o.Queue != "" {
		if err := tallystick.ValidateName("queue", o.Queue); err != nil {
			return nil, err
		}
	}
	within := cmp.Or(o.Within, hours(defaultWithin))
	if !within.valid() {
		return nil, tallystick.Errorf(tallystick.Invalid, "a case cannot be due within %v hours", within).WithHint("give it a minute to a year")
	}
	switch is, err := open(tx, r.ID.String()); {
	case err != nil:
		return nil, err
	case is != "":
		return nil, tallystick.Errorf(tallystick.Conflict, "case %s about this prediction is open", is).WithHint("`tallystick case show %s`", is)
	}
	change := opened(r)
	change.Reason, change.Queue, change.Second, change.Due = o.Reason, o.Queue, o.Second, tx.Now().Add(within.duration()).UnixMilli()
	return change, nil
}

// Claim returns the change by which a case is somebody's own for a while, nil if it is.
func (d *Desk) Claim(tx *state.Tx, id string, who access.Principal) (trail.Change, error) {
	c, err := workable(tx, id, who)
	if err != nil || c.ClaimedBy == who.ID && tx.Now().Add(claimLasts/2).Before(c.ClaimedTo) {
		return nil, err
	}
	return &Claimed{Case: c.ID, Model: c.Model, Until: tx.Now().Add(claimLasts).UnixMilli()}, nil
}

// Release returns the change by which a case that somebody claimed is anybody's again, nil if it is.
func (d *Desk) Release(tx *state.Tx, id string, who access.Principal) (trail.Change, error) {
	c, err := one(tx, id)
	if err != nil || !c.claimed(tx.Now()) {
		return nil, err
	}
	if c.ClaimedBy != who.ID {
		return nil, errClaimed(c)
	}
	return &Released{Case: c.ID, Model: c.Model}, nil
}

// Judgement is an opinion on its way.
type Judgement struct {
	Outcome   prediction.Value `json:"-"`
	Rationale string           `json:"rationale" doc:"why"`
	Second    bool             `json:"second,omitempty" doc:"another person is to look at it too; only with the first opinion"`
}

// Judge returns the change by which somebody gives an opinion. Where that decides the case, which its State
// says, the outcome is the label of the prediction: recording that is the caller's, in the same transaction.
func (d *Desk) Judge(tx *state.Tx, id string, j Judgement, who access.Principal) (*Judged, error) {
	if j.Rationale == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "the opinion does not say why").WithHint("add --rationale TEXT")
	}
	if err := tallystick.ValidateText("rationale", j.Rationale, maxText); err != nil {
		return nil, err
	}
	if j.Outcome.IsNull() {
		return nil, tallystick.Errorf(tallystick.Invalid, "the opinion does not say what the right answer is").WithHint("add --answer VALUE")
	}
	c, err := workable(tx, id, who)
	if err != nil {
		return nil, err
	}
	given, err := opinions(tx, c.ID)
	if err != nil {
		return nil, err
	}
	outcome, err := json.Marshal(j.Outcome)
	if err != nil {
		return nil, err
	}
	change := &Judged{Case: c.ID, Prediction: c.Prediction, Model: c.Model, Version: c.Version, Number: int64(len(given)) + 1, Outcome: string(outcome), Rationale: j.Rationale, State: Decided}
	switch {
	case c.State == Open && (c.NeedsSecond || j.Second):
		change.State = Second
	case c.State == Second && string(given[0].Outcome) != change.Outcome:
		change.State = Disputed
	}
	if change.State == Decided && len(c.Output) > 0 {
		agrees := string(c.Output) == change.Outcome
		change.Agrees = &agrees
	}
	return change, nil
}

// workable returns the case if who may work on it now.
func workable(tx *state.Tx, id string, who access.Principal) (Case, error) {
	c, err := one(tx, id)
	if err != nil {
		return c, err
	}
	if who.Kind != access.KindPerson {
		return c, tallystick.Errorf(tallystick.Forbidden, "a %s cannot look at a case: that is a person's", who.Kind)
	}
	if c.State == Decided {
		return c, tallystick.Errorf(tallystick.Conflict, "case %s is decided", c.ID).WithHint("open another: `tallystick case open %s --reason TEXT`", c.Prediction)
	}
	if c.claimed(tx.Now()) && c.ClaimedBy != who.ID {
		return c, errClaimed(c)
	}
	given, err := opinions(tx, c.ID)
	if err != nil {
		return c, err
	}
	for _, o := range given {
		if o.Reviewer == who.ID {
			return c, tallystick.Errorf(tallystick.Forbidden, "you have given your opinion on case %s: somebody else has to look at it", c.ID)
		}
	}
	return c, nil
}

func (c Case) claimed(now time.Time) bool { return c.ClaimedBy != "" && now.Before(c.ClaimedTo) }

func errClaimed(c Case) error {
	return tallystick.Errorf(tallystick.Conflict, "somebody else works on case %s until %s", c.ID, c.ClaimedTo.Format(time.RFC3339)).
		WithHint("take another: `tallystick case list`")
}
