package release

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Opinion is what a reviewer says.
type Opinion string

// The opinions. One rejection closes a request.
const (
	Approve Opinion = "approve"
	Reject  Opinion = "reject"
)

// Review is what somebody said of a request. The last one of each reviewer counts.
type Review struct {
	ID       string            `json:"id" doc:"id of the review"`
	Request  string            `json:"request" doc:"id of the request"`
	Reviewer string            `json:"reviewer" doc:"id of who reviewed"`
	Minter   string            `json:"minter,omitempty" doc:"id of who made the token by which it was reviewed"`
	Verdict  Opinion           `json:"verdict" enum:"approve,reject" doc:"what they said"`
	Digest   tallystick.Digest `json:"version_digest" doc:"digest that they said it of"`
	Conflict string            `json:"conflict,omitempty" doc:"conflict of interest that they declared; then it does not count"`
	Comment  string            `json:"comment,omitempty" doc:"why"`
	Created  time.Time         `json:"created" doc:"when"`
	Expires  time.Time         `json:"expires" doc:"until when it counts"`
	Event    uint64            `json:"event" doc:"sequence of its event"`
}

// Opining is what a reviewer wants to say.
type Opining struct {
	Request  string            `json:"-"`
	Verdict  Opinion           `json:"verdict" enum:"approve,reject" doc:"approve or reject"`
	Digest   tallystick.Digest `json:"version_digest,omitempty" doc:"digest of the version that was looked at; refused if it is another's"`
	Conflict string            `json:"conflict,omitempty" doc:"conflict of interest to declare"`
	Comment  string            `json:"comment" doc:"why"`
}

// approvalLasts is how long an approval counts: evidence ages, and so does what people think of it.
const approvalLasts = 30 * 24 * time.Hour

// Review returns the change by which somebody approves or rejects a request. Whether it counts, the gate
// says; what can never count is refused at once: a service's, the requester's own, one of another digest.
func (o *Office) Review(tx *state.Tx, p Opining, who access.Principal) (trail.Change, error) {
	r, err := request(tx, p.Request)
	if err != nil {
		return nil, err
	}
	if err := r.live(tx.Now()); err != nil {
		return nil, err
	}
	switch {
	case p.Verdict != Approve && p.Verdict != Reject:
		return nil, tallystick.Errorf(tallystick.Invalid, "verdict %q is not approve or reject", p.Verdict)
	case p.Verdict == Reject && p.Comment == "":
		return nil, tallystick.Errorf(tallystick.Invalid, "a rejection says why").WithHint("add --comment TEXT")
	case p.Digest != "" && p.Digest != r.Digest:
		return nil, tallystick.Errorf(tallystick.Conflict, "the request is about %s, not %s", r.Digest.Short(), p.Digest.Short()).
			WithHint("look at the request again")
	}
	for what, text := range map[string]string{"comment": p.Comment, "conflict": p.Conflict} {
		if err := checkWords(what, text); err != nil {
			return nil, err
		}
	}
	if p.Verdict == Approve {
		if err := o.mayApprove(tx, r, who); err != nil {
			return nil, err
		}
	}
	return &Reviewed{
		Request: r.ID, Model: r.Model, Version: r.Version, Digest: r.Digest, Environment: r.Environment, Verdict: p.Verdict,
		Expires: tx.Now().Add(approvalLasts).UnixMilli(), Minter: who.Minter, Conflict: p.Conflict, Comment: p.Comment,
	}, nil
}

// mayApprove refuses authors, and whoever acts through a token of theirs. The gate looks again, with
// everything else.
func (o *Office) mayApprove(tx *state.Tx, r Request, who access.Principal) error {
	if who.Kind != access.KindPerson {
		return tallystick.Errorf(tallystick.Forbidden, "a %s cannot approve: an approval is a person's", who.Kind).
			WithHint("somebody with the role approver or validator signs in and approves")
	}
	authors, err := o.authors(tx, r)
	if err != nil {
		return err
	}
	for _, a := range authors {
		if slices.Contains([]string{who.ID, who.Minter}, a.ID) {
			return tallystick.Errorf(tallystick.Forbidden, "you %s: the author of a release does not approve it", a.Did).
				WithHint("ask somebody else with the role approver or validator to review request %s", r.ID)
		}
	}
	return nil
}

// Reviewed is the change by which somebody reviews a request.
type Reviewed struct {
	Request     string            `json:"request"`
	Model       string            `json:"model"`
	Version     string            `json:"version"`
	Digest      tallystick.Digest `json:"version_digest"`
	Environment string            `json:"environment"`
	Verdict     Opinion           `json:"verdict"`
	Expires     int64             `json:"expires_ms"`
	Minter      string            `json:"minter,omitempty"`
	Conflict    string            `json:"conflict,omitempty"`
	Comment     string            `json:"comment,omitempty"`
}

// Subject implements trail.Change.
func (r *Reviewed) Subject() (trail.Type, trail.Resource) {
	return trail.ReleaseReviewed, trail.Resource{Type: "release", ID: r.Request}
}

// Apply implements trail.Change.
func (r *Reviewed) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO release_reviews (event, id, request, reviewer, minter, verdict, digest, conflict, comment, created_ms, expires_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		at.Sequence, at.ID, r.Request, at.Actor, r.Minter, string(r.Verdict), string(r.Digest), r.Conflict, r.Comment, at.Time.UnixMilli(), r.Expires)
	if err != nil || r.Verdict != Reject {
		return err
	}
	return closeRequest(tx, at, r.Request, Rejected)
}
