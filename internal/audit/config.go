// Package audit runs the one-shot audit: it reads predictions, labels and a reference, measures
// what the other packages define, asks the gate, and leaves a report and signed evidence.
package audit

import (
	"cmp"
	"errors"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/report"
)

// SoftMemory is the memory limit that an audit is made for: with it the runtime collects garbage
// more often before it takes more from the system, so that a process stays below 1 GiB resident.
const SoftMemory = 704 << 20

// Config is what the user asked for. Empty fields are guessed where a guess is safe, and every
// guess is said in the report.
type Config struct {
	Files     []string
	Reference []string // table to compare distributions with
	Labels    []string // table of labels that came later, joined by ID

	Task           performance.Task
	Label          string
	PositiveLabel  string
	Prediction     string
	Positive       []string // predicted values that count as positive
	Favourable     string   // "positive" or "negative": the prediction that is good for a person
	Score          string
	ScoreMax       float64 // divides the score, so that it becomes a probability
	Groups         []string
	ReferenceGroup map[string]string // by attribute
	ID             string
	Query, Item    string // ranking
	K              int    // ranking cut-off
	Features       []string

	Time   string
	Window string // "1h", "7d", "1mo"; with Time
	Chunk  int64  // rows of a window, instead of Time

	Model, Version, Owner string
	// VersionFiles are the digests by which the files of the version are known, as the registry has them that the
	// evidence is for; the decision is bound to them. None: those that the workspace has on record, if any.
	VersionFiles []tallystick.Digest
	Tier         tallystick.Tier
	Contract     *contract.Contract
	Champion     *report.Document

	Tool     report.Tool
	Now      func() time.Time
	Progress func(stage string, done, total int64) // may be nil; called from several goroutines, one at a time
	Workers  int                                   // goroutines that measure features; 0 means 2
	TempDir  string

	// ExactRows is the number of rows up to which every statistic is exact; 0 means 10 million.
	ExactRows int64
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Progress == nil {
		c.Progress = func(string, int64, int64) {}
	}
	c.Workers = cmp.Or(c.Workers, 2)
	c.ExactRows = cmp.Or(c.ExactRows, 10_000_000)
	c.K = cmp.Or(c.K, 10)
	return c
}

// validate refuses flags that contradict each other, before a file is opened.
func (c Config) validate() error {
	invalid := func(format string, args ...any) error {
		return tallystick.Errorf(tallystick.Invalid, format, args...)
	}
	switch {
	case len(c.Files) == 0:
		return tallystick.Errorf(tallystick.Invalid, "no file of predictions is named").WithHint("tallystick audit predictions.csv --label COL --prediction COL")
	case len(c.Labels) > 0 && c.ID == "":
		return tallystick.Errorf(tallystick.Invalid, "--labels needs the column that joins both files").WithHint("name it with --id COL")
	case len(c.Labels) > 0 && c.Label == "":
		return tallystick.Errorf(tallystick.Invalid, "--labels needs the column that holds the labels").WithHint("name it with --label COL")
	case c.Window != "" && c.Chunk != 0:
		return invalid("--window and --chunk cut windows in two ways; use one of them")
	case c.Window != "" && c.Time == "":
		return tallystick.Errorf(tallystick.Invalid, "--window needs a column of times").WithHint("name it with --time COL")
	case c.Chunk < 0:
		return invalid("--chunk %d is not a number of rows", c.Chunk)
	case c.ScoreMax < 0:
		return invalid("--score-max %g is not positive", c.ScoreMax)
	case c.Favourable != "" && c.Favourable != "positive" && c.Favourable != "negative":
		return invalid("--favourable %q is not positive or negative", c.Favourable)
	case (c.Model == "") != (c.Version == ""):
		return invalid("--model and --version go together")
	}
	if c.Model != "" {
		if err := errors.Join(tallystick.ValidateName("model", c.Model), tallystick.ValidateName("version", c.Version)); err != nil {
			return err
		}
	}
	for attribute := range c.ReferenceGroup {
		if !contains(c.Groups, attribute) {
			return tallystick.Errorf(tallystick.Invalid, "--reference-group names %q, which is not in --group", attribute)
		}
	}
	if c.Window != "" {
		if _, err := parsePeriod(c.Window); err != nil {
			return err
		}
	}
	return nil
}
