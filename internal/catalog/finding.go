package catalog

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
)

// Severity says how soon somebody should look at a finding.
type Severity string

// The severities.
const (
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

// Severities returns all severities, the most urgent first.
func Severities() []Severity {
	return []Severity{SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow}
}

// urgency returns the place among all severities, 0 for the most urgent.
func (s Severity) urgency() int64 {
	for i, other := range Severities() {
		if s == other {
			return int64(i)
		}
	}
	return int64(len(Severities()) - 1)
}

// Term returns how long a finding may take to be put right, unless somebody sets another date.
func (s Severity) Term() time.Duration {
	const day = 24 * time.Hour
	switch s {
	case SeverityCritical:
		return 7 * day
	case SeverityHigh:
		return 30 * day
	case SeverityMedium:
		return 90 * day
	}
	return 180 * day
}

// FindingKind is what can be wrong.
type FindingKind string

// The kinds of findings. The last three are about releases and people, the others about what runs.
const (
	OutOfBand            FindingKind = "out_of_band"           // a version serves that nobody was asked about
	UnknownModel         FindingKind = "unknown_model"         // what runs is no registered model
	UnknownArtifact      FindingKind = "unknown_artifact"      // what runs is no registered version
	ArtifactDiffers      FindingKind = "artifact_differs"      // what runs is not the version that it says it is
	UnassignedVersion    FindingKind = "unassigned_version"    // a version runs where it is not assigned
	NotRunning           FindingKind = "not_running"           // an assigned version does not run
	CodeDiffers          FindingKind = "code_differs"          // the code is not that of the version
	ConfigurationDiffers FindingKind = "configuration_differs" // the configuration is not the deployed one
	ImageDiffers         FindingKind = "image_differs"         // the container image is not the deployed one
	DataDiffers          FindingKind = "data_differs"          // the data are not those that the version rests on
	Unverifiable         FindingKind = "unverifiable"          // one side is missing, so that nobody can say
	RuleFailed           FindingKind = "rule_failed"           // a rule of the gate kept it shut
	BypassAttempt        FindingKind = "bypass_attempt"        // somebody tried to go around the gate, and was refused
	UnusualConduct       FindingKind = "unusual_conduct"       // acts that are not anybody's habit
)

// FindingKinds returns all kinds.
func FindingKinds() []FindingKind {
	return []FindingKind{
		OutOfBand, UnknownModel, UnknownArtifact, ArtifactDiffers, UnassignedVersion, NotRunning,
		CodeDiffers, ConfigurationDiffers, ImageDiffers, DataDiffers, Unverifiable, RuleFailed, BypassAttempt, UnusualConduct,
	}
}

// Severity returns how soon somebody should look at a finding of the kind; one about a rule has that of
// the rule.
func (k FindingKind) Severity() Severity {
	switch k {
	case ArtifactDiffers, UnknownArtifact:
		return SeverityCritical
	case OutOfBand, UnknownModel, UnassignedVersion, CodeDiffers, DataDiffers, BypassAttempt:
		return SeverityHigh
	case NotRunning, ConfigurationDiffers, ImageDiffers, RuleFailed, UnusualConduct:
		return SeverityMedium
	}
	return SeverityLow
}

// FindingState is how far a finding has come.
type FindingState string

// The states. Of the last three nothing is left to be done.
const (
	FindingIsOpen       FindingState = "open"
	FindingIsTriaged    FindingState = "triaged"    // somebody is to put it right until a date
	FindingIsRemediated FindingState = "remediated" // they say that they have; the next run shows whether it is so
	FindingIsVerified   FindingState = "verified"   // a run shows that nothing is wrong any more
	FindingIsResolved   FindingState = "resolved"   // a reviewer has settled it
	FindingIsDismissed  FindingState = "dismissed"  // a reviewer answers for it that nothing is to be done
)

// Finding is something that was found to be wrong.
type Finding struct {
	ID          string            `json:"id" doc:"Id of the finding."`
	Fingerprint string            `json:"fingerprint" doc:"The same as long as the same thing is wrong."`
	Kind        FindingKind       `json:"kind" doc:"What is wrong."`
	Severity    Severity          `json:"severity" enum:"low,medium,high,critical" doc:"How soon somebody should look at it."`
	State       FindingState      `json:"state" enum:"open,triaged,remediated,verified,resolved,dismissed" doc:"How far it has come."`
	Owner       string            `json:"owner,omitempty" doc:"Who is to put it right: the id of a user, or a name."`
	Due         time.Time         `json:"due" doc:"Until when it is to be put right."`
	Overdue     bool              `json:"overdue,omitempty" doc:"True: nobody has settled it, and that date has passed."`
	Reopened    int64             `json:"reopened,omitempty" doc:"How often it was said to be put right and was not."`
	Environment string            `json:"environment,omitempty" doc:"Name of the environment."`
	Model       string            `json:"model,omitempty" doc:"Name of the model."`
	Version     string            `json:"version,omitempty" doc:"Name of the version."`
	Subject     string            `json:"subject,omitempty" doc:"Deployment, rule or place in question."`
	Expected    string            `json:"expected,omitempty" doc:"What the record or the policy says."`
	Observed    string            `json:"observed,omitempty" doc:"What was found."`
	Summary     string            `json:"summary,omitempty" doc:"The finding in a sentence."`
	Run         tallystick.Digest `json:"run_digest,omitempty" doc:"Last run that showed it, or that nothing is wrong any more: input document of a decision, or report of an audit."`
	Suspect     string            `json:"attempted_by,omitempty" doc:"Id of who tried to go around the gate, or whose conduct is unusual."`
	First       time.Time         `json:"first_seen" doc:"When it was raised."`
	Last        time.Time         `json:"last_seen" doc:"When it was seen last, to within a day."`
	Resolved    time.Time         `json:"resolved,omitzero" doc:"When it was settled; absent while it is open."`
	Agrees      bool              `json:"agrees,omitempty" doc:"True: a run shows that nothing is wrong any more."`
	Resolution  string            `json:"resolution,omitempty" doc:"What was done, or why nothing is."`
	Event       uint64            `json:"event" doc:"Sequence of the event that raised it."`
	Revision    uint64            `json:"revision" doc:"Sequence of the last event that changed it."`

	minter string
	place  string
}

// Open reports whether nobody has settled the finding.
func (f Finding) Open() bool { return f.Resolved.IsZero() }

// Place returns what continues a list after this finding of it.
func (f Finding) Place() string { return f.place }

// Name says what the finding is about, as in "credit in production".
func (f Finding) Name() string {
	name := cmp.Or(f.Model, "an unnamed model")
	if f.Environment != "" {
		name += " in " + f.Environment
	}
	return name
}

func (f Finding) ref() FindingRef {
	return FindingRef{Finding: f.Fingerprint, Environment: f.Environment, Model: f.Model}
}

// FindingStep is one step in the life of a finding.
type FindingStep struct {
	Step     string            `json:"step" doc:"raised, triaged, remediated, reopened, verified, resolved, dismissed or overdue"`
	At       time.Time         `json:"at" doc:"when"`
	By       string            `json:"by,omitempty" doc:"id of who did it"`
	Severity Severity          `json:"severity,omitempty" doc:"from then on"`
	Due      time.Time         `json:"due,omitzero" doc:"from then on"`
	Owner    string            `json:"owner,omitempty" doc:"from then on"`
	Version  string            `json:"version,omitempty" doc:"in which it was found, put right, or found to be right"`
	Ticket   string            `json:"ticket,omitempty" doc:"where the work is tracked"`
	Run      tallystick.Digest `json:"run_digest,omitempty" doc:"the run that showed it"`
	Note     string            `json:"note,omitempty" doc:"what was said"`
	Event    uint64            `json:"event" doc:"sequence of its event"`
}

// Next says what is to be done about the finding now, with the command for it; nothing if it is settled.
func (f Finding) Next() string {
	switch {
	case !f.Open():
		return ""
	case f.Kind.waitsForReviewer():
		return fmt.Sprintf("a reviewer other than whom it is about looks into it: `tallystick finding resolve %s --reason TEXT`", f.ID)
	case f.State == FindingIsOpen:
		return fmt.Sprintf("say who is to put it right: `tallystick finding triage %s --owner NAME`", f.ID)
	case f.State == FindingIsTriaged:
		return fmt.Sprintf("put it right and say so: `tallystick finding remediate %s --note TEXT`", f.ID)
	case f.Kind == RuleFailed && f.Environment == "":
		return fmt.Sprintf("audit it again: `tallystick audit FILE --model %s@VERSION`", f.Model)
	case f.Kind == RuleFailed:
		return fmt.Sprintf("ask the gate again: `tallystick gate %s@VERSION --to %s`", f.Model, f.Environment)
	}
	return "the next reconciliation shows whether it agrees with the record again"
}
