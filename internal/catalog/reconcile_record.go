package catalog

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// ReconcileRecord compares what was reported to run with the rest of the record, which may have changed
// since: the deployments of these ids, as far as they run in the environment, with the versions'
// files and the assignments.
//
// Nobody has looked at what runs. So a difference that a report found there stays as it is, unless it
// was found in the very same thing, and nothing is missing because the record does not name it.
func (c *Catalog) ReconcileRecord(tx *state.Tx, environment string, deployments []string) ([]trail.Change, error) {
	j := newJudge(tx, environment)
	for _, id := range deployments {
		d, err := scanDeployment(tx.QueryRow("SELECT "+deploymentColumns+" FROM deployments WHERE id = ?", id))
		if errors.Is(err, sql.ErrNoRows) || err == nil && (!d.Running() || d.Environment != environment) {
			continue
		}
		if err == nil {
			err = j.onRecord(d)
		}
		if err != nil {
			return nil, fmt.Errorf("reconcile deployment %s: %w", id, err)
		}
	}
	if err := j.leave(); err != nil {
		return nil, err
	}
	return j.changes()
}

// onRecord judges a deployment. Its model and version are registered: any other would have been
// refused.
func (j *judge) onRecord(d Deployment) error {
	r := Running{Model: d.Model, Version: d.Version, Deployment: d.ID, Artifact: d.Artifact}
	candidates := []string{d.Version}
	if r.Artifact != "" {
		var err error
		if candidates, err = j.artifact(r); err != nil || len(candidates) == 0 {
			return err
		}
	}
	return j.assigned(r, candidates)
}

// leave drops the judgements about findings that are open over something else that was observed.
func (j *judge) leave() error {
	var kept []judgement
	for _, d := range j.judged {
		fingerprint, err := d.finding.fingerprint()
		if err != nil {
			return err
		}
		is, err := openFinding(j.tx, fingerprint)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read finding %.20s: %w", fingerprint, err)
		}
		if err != nil || is.Observed == d.finding.Observed {
			kept = append(kept, d)
		}
	}
	j.judged = kept
	return nil
}

// Making is what the lineage knows of how a version was made.
type Making struct {
	Model, Version string
	Run            string              // that trained it
	CodeCommit     string              // of the code that ran; empty if it is not known
	Data           []tallystick.Digest // that the run read, sorted; none if they are not known
}

// ReconcileMaking compares how versions were made, as the lineage knows it, with what was registered:
// the code, and the data that they rest on. What one side does not say is not compared.
func (c *Catalog) ReconcileMaking(tx *state.Tx, makings []Making) ([]trail.Change, error) {
	j := newJudge(tx, "") // it is so wherever the version serves
	for _, m := range makings {
		is, err := j.recorded(m.Model, m.Version)
		if err != nil {
			return nil, fmt.Errorf("reconcile %s@%s: %w", m.Model, m.Version, err)
		}
		if err := errors.Join(j.madeBy(m, is), j.madeFrom(m, is)); err != nil {
			return nil, err
		}
	}
	return j.changes()
}

func (j *judge) madeBy(m Making, is recordedVersion) error {
	if !commitPattern.MatchString(m.CodeCommit) || is.commit == "" {
		return nil
	}
	return j.say(!strings.HasPrefix(m.CodeCommit, is.commit) && !strings.HasPrefix(is.commit, m.CodeCommit), FindingRaised{
		Kind: CodeDiffers, Model: m.Model, Version: m.Version, About: cmp.Or(m.Run, m.Version), Expected: is.commit, Observed: m.CodeCommit,
		Summary: fmt.Sprintf("%s@%s is registered with commit %.12s, and the run that trained it ran %.12s", m.Model, m.Version, is.commit, m.CodeCommit),
	})
}

func (j *judge) madeFrom(m Making, is recordedVersion) error {
	if len(m.Data) == 0 || len(is.data) == 0 {
		return nil
	}
	read := slices.ContainsFunc(is.data, func(d tallystick.Digest) bool { return slices.Contains(m.Data, d) })
	return j.say(!read, FindingRaised{
		Kind: DataDiffers, Model: m.Model, Version: m.Version, About: cmp.Or(m.Run, m.Version), Expected: string(is.data[0]), Observed: string(m.Data[0]),
		Summary: fmt.Sprintf("the run that trained %s@%s read none of the data that the version rests on", m.Model, m.Version),
	})
}
