package notify

import (
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

// Topic is a name for events that somebody wants to be told of together.
type Topic struct {
	Name  string       `json:"topic"`
	Doc   string       `json:"about" doc:"what it tells of"`
	Types []trail.Type `json:"types" doc:"types of events"`
	// If, where it is set, must hold of the public fields of the event's data.
	If func(fields map[string]any) bool `json:"-"`
}

// Topics returns the table of topics: what is to be told under a name of its own gets a row here. A
// name has no dot, which tells it from a type of event.
func Topics() []Topic {
	verdict := func(want string) func(map[string]any) bool {
		return func(fields map[string]any) bool { return fields["verdict"] == want }
	}
	return []Topic{
		{"release", "a release requested, reviewed, withdrawn, judged or carried out", []trail.Type{
			trail.ReleaseRequested, trail.ReleaseReviewed, trail.ReleaseWithdrawn, trail.GateDecided, trail.ReleasePromoted,
		}, nil},
		{"release-requested", "a release requested: somebody is to review it", []trail.Type{trail.ReleaseRequested}, nil},
		{"release-approved", "a release approved by a reviewer", []trail.Type{trail.ReleaseReviewed}, verdict("approve")},
		{"release-denied", "a release rejected by a reviewer, or denied by the gate when it was to be carried out", []trail.Type{trail.ReleaseReviewed, trail.GateDecided},
			func(fields map[string]any) bool {
				request, _ := fields["request"].(string) // a question has none
				return fields["verdict"] == "reject" || fields["verdict"] == string(tallystick.Fail) && request != ""
			}},
		{"release-promoted", "a release carried out", []trail.Type{trail.ReleasePromoted}, nil},
		{"freeze", "a freeze declared or lifted", []trail.Type{trail.FreezeDeclared, trail.FreezeLifted}, nil},
		{"waiver", "a waiver requested, reviewed, revoked, about to end or ended", []trail.Type{
			trail.WaiverRequested, trail.WaiverReviewed, trail.WaiverRevoked, trail.WaiverEnding, trail.WaiverExpired,
		}, nil},
		{"waiver-ending", "a waiver that is about to end, or has ended", []trail.Type{trail.WaiverEnding, trail.WaiverExpired}, nil},
		{"model", "a model registered, changed or retired, a version registered or marked", []trail.Type{
			trail.ModelRegistered, trail.ModelReregistered, trail.ModelUpdated, trail.ModelRetired, trail.VersionRegistered, trail.VersionMarked,
		}, nil},
		{"retired", "a model retired, a version deprecated or withdrawn", []trail.Type{trail.ModelRetired, trail.VersionMarked},
			func(fields map[string]any) bool { return fields["state"] != "registered" }},
		{"audit", "an audit completed or failed", []trail.Type{trail.AuditCompleted, trail.AuditFailed}, nil},
		{"audit-not-passed", "an audit that failed, or that the gate did not pass", []trail.Type{trail.AuditCompleted, trail.AuditFailed},
			func(fields map[string]any) bool { return fields["verdict"] != string(tallystick.Pass) }},
		{"serving", "what serves in an environment changed", []trail.Type{trail.AssignmentRecorded, trail.AssignmentEnded}, nil},
		{"out-of-band", "a change that nobody was asked about was found", []trail.Type{
			trail.AssignmentRecorded, trail.AssignmentEnded, trail.FindingRaised,
		}, func(fields map[string]any) bool { return fields["observed"] == true || fields["kind"] == "out_of_band" }},
		{"finding", "a finding raised, triaged, put right, reopened, settled or overdue", []trail.Type{
			trail.FindingRaised, trail.FindingTriaged, trail.FindingRemediated, trail.FindingReopened, trail.FindingDismissed, trail.FindingResolved, trail.FindingOverdue,
		}, nil},
		{"finding-overdue", "a finding whose date has passed", []trail.Type{trail.FindingOverdue}, nil},
		{"refused", "a command or a login refused", []trail.Type{trail.CommandRefused, trail.LoginRefused}, nil},
		{"access", "users, roles and tokens changed", []trail.Type{
			trail.UserAdded, trail.UserGranted, trail.UserRevoked, trail.UserDisabled, trail.BootstrapExchanged, trail.TokenCreated, trail.TokenRevoked,
		}, nil},
		{"key", "a signing key created, rotated or compromised, a signer of evidence added or revoked", []trail.Type{
			trail.KeyCreated, trail.KeyRotated, trail.KeyCompromised, trail.SignerAdded, trail.SignerRevoked,
		}, nil},
		{"case", "a prediction waits for people to look at it, or somebody gave an opinion", []trail.Type{trail.CaseOpened, trail.CaseJudged}, nil},
		{"incident", "an incident opened, triaged, acknowledged, mitigated, resolved, reopened or closed, or its post-mortem written", []trail.Type{
			trail.IncidentOpened, trail.IncidentTriaged, trail.IncidentAcknowledged, trail.IncidentMitigated, trail.IncidentResolved, trail.IncidentReopened, trail.IncidentReported, trail.IncidentClosed,
		}, nil},
		{"incident-opened", "an incident opened, or reopened", []trail.Type{trail.IncidentOpened, trail.IncidentReopened}, nil},
		{"reaction", "a reaction proposed, began, did or ended something, or was refused", []trail.Type{trail.ReactionTried, trail.ReactionEnded},
			func(fields map[string]any) bool { return fields["state"] != "skipped" }},
		{"retrain", "it was asked that a model be trained anew", []trail.Type{trail.RetrainRequested}, nil},
		{"integrity-gap", "predictions that were acknowledged are damaged or lost", []trail.Type{trail.IntegrityGap}, nil},
		{"alert", "an alert fired and nothing keeps it back, no longer kept back, or resolved", []trail.Type{trail.AlertFired, trail.AlertUnsuppressed, trail.AlertResolved},
			func(fields map[string]any) bool {
				return fields["suppressed_by"] == nil && fields["state"] != "pending"
			}},
		{"alert-page", "an alert that somebody is to look at now", []trail.Type{trail.AlertFired},
			func(fields map[string]any) bool {
				return fields["severity"] == "page" && fields["suppressed_by"] == nil
			}},
		{"silence", "notifications of alerts are kept back for a time, or no longer", []trail.Type{trail.SilenceCreated, trail.SilenceEnded}, nil},
		{"export", "evidence or a backup left the installation", []trail.Type{trail.PackageExported, trail.BundleExported, trail.GateExported, trail.BackupCreated}, nil},
	}
}

// everything chooses all events.
const everything = "*"

// parseTopic returns what a person has written as a topic, in its one form: a topic, the short type of
// an event, a family such as "model.*", or "*".
func parseTopic(text string) (string, error) {
	if text == everything {
		return text, nil
	}
	if family, ok := strings.CutSuffix(text, ".*"); ok {
		for _, d := range trail.Definitions() {
			if strings.HasPrefix(d.Type.Short(), family+".") {
				return text, nil
			}
		}
		return "", tallystick.Errorf(tallystick.Invalid, "no type of event begins with %q", family+".").
			WithHint("`tallystick notify topics` lists what can be told")
	}
	var names []string
	for _, t := range Topics() {
		if t.Name == text {
			return text, nil
		}
		names = append(names, t.Name)
	}
	if strings.Contains(text, ".") {
		t, err := trail.ParseType(text)
		return t.Short(), err
	}
	err := tallystick.Errorf(tallystick.Invalid, "topic %q is not known", text)
	if near := tallystick.Nearest(text, names); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err.WithHint("`tallystick notify topics` lists what can be told; the type of an event, or *, is a topic too")
}

// chooses reports whether a topic, as parseTopic returns it, chooses an event.
func chooses(topic string, topics []Topic, kind trail.Type, fields map[string]any) bool {
	short := kind.Short()
	switch family, isFamily := strings.CutSuffix(topic, "*"); {
	case topic == everything, topic == short:
		return true
	case isFamily:
		return strings.HasPrefix(short, family)
	}
	return slices.ContainsFunc(topics, func(t Topic) bool {
		return t.Name == topic && slices.Contains(t.Types, kind) && (t.If == nil || t.If(fields))
	})
}

// tells reports whether a subscription is told of an event.
func (s Subscription) tells(topics []Topic, e item) bool {
	if e.Type == trail.SubscriptionTested {
		return e.fields["subscription"] == s.ID || slices.ContainsFunc(s.Topics, func(t string) bool { return chooses(t, nil, e.Type, nil) })
	}
	environment, _ := e.fields["environment"].(string)
	return (len(s.Models) == 0 || slices.Contains(s.Models, e.Model)) &&
		(len(s.Environments) == 0 || slices.Contains(s.Environments, environment)) &&
		slices.ContainsFunc(s.Topics, func(t string) bool { return chooses(t, topics, e.Type, e.fields) })
}
