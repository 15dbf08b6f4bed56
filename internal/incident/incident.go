package incident

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// State is how far an incident has come.
type State string

// The states of an incident.
const (
	Open         State = "open"         // nobody has said that they work on it
	Acknowledged State = "acknowledged" // somebody works on it
	Mitigated    State = "mitigated"    // the harm has stopped, the cause may be there
	Resolved     State = "resolved"     // the cause is removed; the post-mortem is owed
	Closed       State = "closed"       // nothing is left to be done
)

// States returns all states, in their order.
func States() []State { return []State{Open, Acknowledged, Mitigated, Resolved, Closed} }

// Cause is the kind of cause that an incident had, as who resolved it says.
type Cause string

// Causes returns all causes.
func Causes() []Cause {
	return []Cause{"data_drift", "concept_drift", "feature_bug", "metric_flaw", "model", "release", "infrastructure", "false_alarm", "other"}
}

// Means returns how harm is stopped.
func Means() []string { return []string{"rollback", "pause", "traffic", "fix", "none_needed", "other"} }

// Where an incident came from.
const (
	FromPerson = "person"
	FromAlert  = "alert"
)

// Incident is one on record.
type Incident struct {
	ID           string            `json:"id" doc:"id of the incident"`
	Model        string            `json:"model" doc:"name of the model"`
	Version      string            `json:"version,omitempty" doc:"version that it is about"`
	Environment  string            `json:"environment,omitempty" doc:"where"`
	Title        string            `json:"title,omitempty" doc:"what happens, in a line"`
	Severity     catalog.Severity  `json:"severity" enum:"low,medium,high,critical" doc:"how soon somebody must act"`
	State        State             `json:"state" enum:"open,acknowledged,mitigated,resolved,closed" doc:"how far it has come"`
	Source       string            `json:"source" enum:"person,alert" doc:"what opened it"`
	OpenedBy     string            `json:"opened_by,omitempty" doc:"id of who opened it"`
	Lead         string            `json:"lead,omitempty" doc:"who leads it: the id of a user, or a name"`
	Alerts       int64             `json:"alerts" doc:"alerts that are part of it"`
	FirstFrom    time.Time         `json:"first_from,omitzero" doc:"when the first bad window begins; absent: none was judged"`
	FirstTo      time.Time         `json:"first_to,omitzero" doc:"when the first bad window ends, exclusive"`
	Detected     time.Time         `json:"detected" doc:"when it was noticed: the first alert fired, or somebody opened the incident"`
	Opened       time.Time         `json:"opened"`
	Acknowledged time.Time         `json:"acknowledged,omitzero"`
	Mitigated    time.Time         `json:"mitigated,omitzero" doc:"when the harm stopped, as it was said last"`
	Resolved     time.Time         `json:"resolved,omitzero"`
	Closed       time.Time         `json:"closed,omitzero"`
	Means        string            `json:"means,omitempty" doc:"how the harm was stopped"`
	Cause        Cause             `json:"cause,omitempty" doc:"kind of cause, once it is resolved"`
	Reopened     int64             `json:"reopened,omitempty" doc:"how often it was said to be resolved and was not"`
	Brief        tallystick.Digest `json:"brief_digest" doc:"of what was on record when it was opened"`
	Runbook      string            `json:"runbook,omitempty" doc:"name of the runbook by which it is worked"`
	RunbookAs    tallystick.Digest `json:"runbook_digest,omitempty" doc:"digest of the runbook as it was when the incident was opened"`
	Report       tallystick.Digest `json:"report_digest,omitempty" doc:"of the newest post-mortem"`
	ReportedBy   string            `json:"reported_by,omitempty" doc:"id of who wrote it"`
	ClosedBy     string            `json:"closed_by,omitempty" doc:"id of who closed it"`
	Holds        []string          `json:"holds,omitempty" doc:"ids of the holds in force that were placed for it; in lists they are left out"`
	Event        uint64            `json:"event" doc:"sequence of its first event"`
	LastEvent    uint64            `json:"last_event" doc:"sequence of its last event"`

	minter string // who made the token by which the post-mortem was written
}

// IsOpen reports whether something is left to be done.
func (i Incident) IsOpen() bool { return i.State != Closed }

// Next says what is to be done next.
func (i Incident) Next() string {
	switch i.State {
	case Open:
		return "Somebody says that they work on it: `tallystick incident ack " + i.ID + "`"
	case Acknowledged:
		return "Stop the harm, by the runbook: `tallystick incident mitigate " + i.ID + " --by rollback --note TEXT`"
	case Mitigated:
		return "Find the cause and remove it: `tallystick incident trace " + i.ID + "`, then `tallystick incident resolve " + i.ID + " --cause KIND --note TEXT`"
	case Resolved:
		if i.Report == "" {
			return "Write the post-mortem: `tallystick incident report " + i.ID + "`"
		}
		return "Somebody else reads the post-mortem and accepts it: `tallystick incident close " + i.ID + "`"
	}
	return ""
}

// Joined is an alert that is part of an incident.
type Joined struct {
	Signal
	At    time.Time `json:"at" doc:"when it became part of the incident"`
	Event uint64    `json:"event" doc:"sequence of the event by which it did"`
}

// Signal is why an incident is opened, if an alert or a judgement is the reason.
type Signal struct {
	Alert      string            `json:"alert,omitempty" doc:"id of the alert"`
	Rule       string            `json:"rule,omitempty" doc:"rule by which it fired"`
	Subject    string            `json:"subject,omitempty" doc:"feature, quantile or group that it is about; absent: the whole window"`
	Segment    string            `json:"segment,omitempty" doc:"slice that it is about"`
	AlertEvent uint64            `json:"alert_event,omitempty" doc:"sequence of the event by which it fired"`
	WindowFrom int64             `json:"window_from_ms,omitempty" doc:"when the window that was judged begins, milliseconds since 1970"`
	WindowTo   int64             `json:"window_to_ms,omitempty" doc:"when it ends, exclusive"`
	Judgement  tallystick.Digest `json:"judgement_digest,omitempty" doc:"of the judgement"`
	Words      string            `json:"words,omitempty" doc:"what the alert says"`
}

// Deed is what was done in an incident.
type Deed struct {
	Step   string            `json:"step" doc:"opened, alerted, triaged, acknowledged, noted, done, skipped, linked, evidence, mitigated, resolved, reopened, reported or closed"`
	By     string            `json:"by,omitempty" doc:"id of who did it"`
	At     time.Time         `json:"at"`
	Kind   string            `json:"kind,omitempty" doc:"of what is linked or added; how the harm stopped; the cause; the number of a step of the runbook"`
	Target string            `json:"target,omitempty" doc:"what is linked, or who leads"`
	Note   string            `json:"note,omitempty"`
	Digest tallystick.Digest `json:"digest,omitempty" doc:"of the document that is added"`
	Event  uint64            `json:"event" doc:"sequence of the event"`
}
