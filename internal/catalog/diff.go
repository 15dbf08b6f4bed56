package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/state"
)

// Area is the part of a version's making in which two versions differ.
type Area string

// The areas.
const (
	DataArea      Area = "data"
	ColumnArea    Area = "column"
	CodeArea      Area = "code"
	ParameterArea Area = "parameter"
	SeedArea      Area = "seed"
	ImageArea     Area = "image"
	LibraryArea   Area = "library"
	HardwareArea  Area = "hardware"
	FileArea      Area = "file"
	MetricArea    Area = "metric"
	SampleArea    Area = "sample_size"
	ThresholdArea Area = "threshold"
	CutoffArea    Area = "training_cutoff"
	EvidenceArea  Area = "evidence"
)

// Diff says how one version differs from another, as far as both are on record.
type Diff struct {
	From     string     `json:"from" doc:"The version before, as model@version."`
	To       string     `json:"to" doc:"The version after."`
	Headline string     `json:"headline" doc:"What stands out, in a sentence."`
	Lines    []DiffLine `json:"lines,omitempty" doc:"The differences, what matters most first."`
	// Open names what could not be compared. A side that is missing is never guessed.
	Open []string `json:"open,omitempty" doc:"What could not be compared, and why."`
}

// DiffLine is one difference.
type DiffLine struct {
	Area Area   `json:"area" doc:"Part of the making in which the versions differ."`
	Name string `json:"name,omitempty" doc:"Which column, parameter, file and so on."`
	From string `json:"from,omitempty" doc:"What it was; empty if it was not there."`
	To   string `json:"to,omitempty" doc:"What it is; empty if it is gone."`
	Text string `json:"text" doc:"The difference in words."`

	weight int
}

// What matters most: what changes a model and is not meant to, then what is meant to, then what
// follows from it.
const (
	weighsColumn    = 100 // a column that moved, of data that differ
	weighsData      = 110
	weighsVerdict   = 95
	weighsMetric    = 90 // beyond what chance explains
	weighsCode      = 80
	weighsParameter = 70
	weighsSeed      = 60
	weighsImage     = 55
	weighsLibrary   = 50
	weighsUnsure    = 45 // a metric without intervals
	weighsMachine   = 40
	weighsThreshold = 35
	weighsFile      = 30
	weighsEvidence  = 25
	weighsChance    = 20 // a metric within its intervals
)

// Diff compares two versions, each named as model@version: their files, code, parameters, data with
// the columns that moved, metrics and evidence.
func (c *Catalog) Diff(ctx context.Context, from, to string) (d Diff, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		a, err := readSide(tx, from)
		if err != nil {
			return err
		}
		b, err := readSide(tx, to)
		if err != nil {
			return err
		}
		d, err = compareSides(tx, a, b)
		return err
	})
	if err != nil {
		return Diff{}, err
	}
	return d, nil
}

// side is what is known of one of the two versions.
type side struct {
	Version
	files    *artifact.Manifest
	data     []linked
	loose    []tallystick.Digest // of data that are no registered snapshot
	evidence map[string]Evidence // the newest of each kind and name
}

// linked is a snapshot that a version rests on.
type linked struct {
	role     DataRole
	snapshot Snapshot
}

func readSide(tx *state.Tx, name string) (s side, err error) {
	model, version, err := ParseVersionName(name)
	if err != nil {
		return s, err
	}
	if version == "" {
		return s, tallystick.Errorf(tallystick.Invalid, "%q names no version", name).WithHint("write it as %s@VERSION", model)
	}
	if s.Version, err = findVersion(tx, model, version); err != nil {
		return s, err
	}
	if s.Digest != "" {
		files, err := manifest(tx, s.Digest)
		switch {
		case err == nil:
			s.files = &files
		case tallystick.CodeOf(err) != tallystick.NotFound:
			return s, err
		}
	}
	if err := s.readData(tx); err != nil {
		return s, fmt.Errorf("data of %s: %w", s.Name(), err)
	}
	found, err := state.Collect(tx, scanEvidence, "SELECT "+evidenceColumns+" FROM evidence WHERE model = ? AND version = ? ORDER BY event DESC "+state.Limit, model, version, maxPage)
	if err != nil {
		return s, fmt.Errorf("evidence of %s: %w", s.Name(), err)
	}
	s.evidence = map[string]Evidence{}
	for _, e := range slices.Backward(found) {
		s.evidence[string(e.Kind)+" "+e.Name] = e
	}
	return s, nil
}

// readData reads the snapshots that are linked with the version, and those of which its metadata name
// the digest.
func (s *side) readData(tx *state.Tx) error {
	rests, err := links(tx, LinkFilter{Model: s.Model, Version: s.Version.Version, Limit: maxPage})
	if err != nil {
		return err
	}
	named := map[tallystick.Digest]bool{}
	for _, l := range rests {
		is, err := snapshot(tx, l.Dataset, l.Snapshot)
		if err != nil {
			return err
		}
		named[is.Digest] = true
		s.data = append(s.data, linked{role: l.Role, snapshot: is})
	}
	for _, digest := range s.Metadata.Snapshots {
		if named[digest] {
			continue
		}
		named[digest] = true
		found, err := state.Collect(tx, scanSnapshot, "SELECT "+snapshotColumns+" FROM snapshots WHERE digest = ? ORDER BY event DESC LIMIT 1", string(digest))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			s.loose = append(s.loose, digest)
			continue
		}
		s.data = append(s.data, linked{role: TrainingData, snapshot: found[0]})
	}
	return nil
}

// compareSides returns the differences in the order of what matters.
func compareSides(tx *state.Tx, a, b side) (Diff, error) {
	d := differ{tx: tx, a: a, b: b, Diff: Diff{From: a.Name(), To: b.Name()}}
	if err := d.dataSets(); err != nil {
		return Diff{}, err
	}
	d.code()
	d.making()
	d.metrics()
	d.files()
	d.proofs()
	slices.SortStableFunc(d.Lines, func(x, y DiffLine) int { return cmp.Compare(y.weight, x.weight) })
	d.Headline = d.headline()
	return d.Diff, nil
}

// headline says what stands out: before all, the failure that nobody intends, a pipeline that has
// delivered something else.
func (d *differ) headline() string {
	what := d.first(DataArea)
	if column := d.first(ColumnArea); column != nil {
		what = column
	}
	switch {
	case len(d.Lines) == 0 && d.sameFiles:
		return "the files are the same, and nothing on record differs"
	case len(d.Lines) == 0:
		return "nothing that is on record of both differs"
	case what != nil && d.sameCode && d.sameParameters:
		return "code and parameters are the same, the data is not: " + what.Text
	case what != nil && d.sameCode:
		return "the code is the same, the data is not: " + what.Text
	case d.sameFiles:
		return "the files are the same; " + d.Lines[0].Text
	case what != nil && what.weight >= weighsColumn:
		return what.Text
	case d.sameCode && d.sameParameters && d.sameData && d.Lines[0].weight <= weighsFile:
		return "code, parameters and data are the same, and the files are not: what made the difference is not on record"
	}
	return d.Lines[0].Text
}

func (d *differ) first(area Area) *DiffLine {
	if i := slices.IndexFunc(d.Lines, func(l DiffLine) bool { return l.Area == area }); i >= 0 {
		return &d.Lines[i]
	}
	return nil
}
