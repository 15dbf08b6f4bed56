package reaction

import (
	"time"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// Mode says how far a reaction goes.
type Mode string

// The two modes.
const (
	Propose Mode = "propose" // a person goes on
	Act     Mode = "act"     // it goes on by itself, once it is approved
)

// Kind is what is done.
type Kind string

// What reactions do.
const (
	Retrain  Kind = "retrain"
	Rollback Kind = "rollback"
	Pause    Kind = "pause"
)

// Document is a reaction as people write it.
type Document struct {
	Name     string
	Model    string
	When     When
	Do       []Deed
	Cooldown time.Duration // from one try of a deed until the next
	Most     int64         // tries of a deed for one incident
	Mode     Mode
}

// When is the condition: an alert that fires, or a comparison that says rollback. One of the two is set.
type When struct {
	Alert      *AlertCondition
	Comparison *ComparisonCondition
}

// AlertCondition chooses alerts. Empty fields choose all; in a pattern a star stands for any part between slashes.
type AlertCondition struct {
	alert.Match
	Severity alert.Severity
	For      time.Duration // for so long it has to fire
}

// ComparisonCondition chooses judgements of comparisons whose verdict is rollback.
type ComparisonCondition struct {
	Name        string // pattern; empty: any
	Environment string // pattern; empty: any
}

// Deed is one thing that is done.
type Deed struct {
	Kind   Kind
	To     string        // of a rollback: previous, or a version
	Lasts  time.Duration // of a pause
	Window time.Duration // of a retraining: predictions of that time before are meant
}

// previous is the version that a rollback by a person goes to.
const previous = "previous"

// What a reaction says that says nothing.
const (
	usualCooldown = 24 * time.Hour
	usualPause    = 24 * time.Hour
	usualWindow   = 7 * 24 * time.Hour
)

// What a reaction may say.
const (
	minCooldown = 5 * time.Minute
	maxCooldown = 30 * 24 * time.Hour
	maxFor      = 7 * 24 * time.Hour
	maxPause    = 30 * 24 * time.Hour
	maxTraining = 90 * 24 * time.Hour
	maxMost     = 10
	maxApplied  = 500 // reactions
)

// maxDaily bounds what is tried of one model in 24 hours, whatever its reactions say: what would exceed it is skipped.
const maxDaily = 20

func (c *AlertCondition) matches(a *alert.Alert) bool {
	return c.Chooses(a) && (c.Severity == "" || c.Severity == a.Severity)
}

func (c *ComparisonCondition) matches(v *comparison.JudgedVersions) bool {
	return v.Verdict == comparison.Rollback && yamldoc.Matches(c.Name, v.Comparison) && yamldoc.Matches(c.Environment, v.Environment)
}
