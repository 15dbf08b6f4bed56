package catalog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Overview is a model as an inventory lists it, with its latest version.
type Overview struct {
	Model
	Owes     int                `json:"owes" doc:"how many things it owes"`
	Missing  int                `json:"missing" doc:"how many of them are missing"`
	Stale    int                `json:"stale" doc:"how many of them are there and do not count: stale, of another digest, claimed or revoked"`
	First    *Item              `json:"first,omitempty" doc:"the first of them that is not there; absent if all are"`
	Verdict  tallystick.Verdict `json:"verdict,omitempty" doc:"of the last evaluation of the latest version"`
	Places   []Place            `json:"places,omitempty" doc:"where versions of it serve"`
	Findings int64              `json:"findings" doc:"how many findings of it are open"`
}

// Place is where a version serves, and as what.
type Place struct {
	Environment string `json:"environment"`
	Version     string `json:"version"`
	Role        string `json:"role" doc:"champion, challenger, shadow or canary"`
}

// maxOverviews bounds the models of one call, and so the length of its queries.
const maxOverviews = 200

// OverviewsIn returns what an inventory says of models, in their order, in three queries however many they
// are; 200 is the most. Only evidence counts that is proven.
func (c *Catalog) OverviewsIn(tx *state.Tx, models []Model, prove Proof) (all []Overview, err error) {
	if len(models) > maxOverviews {
		return nil, tallystick.Errorf(tallystick.Invalid, "an overview of %d models is too much at once", len(models)).WithHint("ask for %d at most", maxOverviews)
	}
	if len(models) == 0 {
		return nil, nil
	}
	if all, err = overviews(tx, models, prove); err != nil {
		return nil, fmt.Errorf("overview of %d models: %w", len(models), err)
	}
	return all, nil
}

func overviews(tx *state.Tx, models []Model, prove Proof) ([]Overview, error) {
	names := make([]string, len(models))
	for i, m := range models {
		names[i] = m.LatestVersion
	}
	on, err := shelves(tx, models, names)
	if err != nil {
		return nil, err
	}
	places, err := placesOf(tx, models)
	if err != nil {
		return nil, err
	}
	findings, err := openFindings(tx, models)
	if err != nil {
		return nil, err
	}
	owed := OwedEvidence()
	all := make([]Overview, len(models))
	for i, m := range models {
		all[i] = Overview{Model: m, Places: places[m.Name], Findings: findings[m.Name]}
		all[i].judge(owed, on[m.Name], tx.Now(), prove)
	}
	return all, nil
}

// judge says what is owed, given what is there for the latest version.
func (o *Overview) judge(owed []Owed, on shelf, now time.Time, prove Proof) {
	v := o.version()
	all := standing{model: o.Model, version: v, lacks: missing(o.Model, o.latest.says), on: on, now: now, prove: prove}
	for i := range owed {
		if !owed[i].by(o.Model) {
			continue
		}
		item := all.judge(owed[i])
		o.Owes++
		switch item.State {
		case Missing:
			o.Missing++
		case Stale, OtherDigest, Claimed, Revoked:
			o.Stale++
		}
		if item.State != Present && o.First == nil {
			item.tell(o.Model, v)
			o.First = &item
		}
	}
	last := on.newestFirst(func(e *Evidence) bool { return e.Kind == EvaluationEvidence && e.Version == o.LatestVersion })
	if len(last) > 0 {
		o.Verdict = last[0].Verdict
	}
}

// listOf returns the names of models as arguments, with the marks for them.
func listOf(models []Model) (marks string, args []any) {
	for _, m := range models {
		args = append(args, m.Name)
	}
	return strings.Repeat("?, ", len(models)-1) + "?", args
}

func placesOf(tx *state.Tx, models []Model) (map[string][]Place, error) {
	type row struct {
		model string
		place Place
	}
	marks, args := listOf(models)
	all, err := state.Collect(tx, func(r state.Scanner) (one row, err error) {
		err = r.Scan(&one.model, &one.place.Environment, &one.place.Version, &one.place.Role)
		return one, err
	}, "SELECT model, environment, version, role FROM assignments WHERE until_ms IS NULL AND model IN ("+marks+") ORDER BY model, environment, event", args...)
	places := map[string][]Place{}
	for _, one := range all {
		places[one.model] = append(places[one.model], one.place)
	}
	return places, err
}

func openFindings(tx *state.Tx, models []Model) (map[string]int64, error) {
	type row struct {
		model string
		open  int64
	}
	marks, args := listOf(models)
	all, err := state.Collect(tx, func(r state.Scanner) (one row, err error) {
		err = r.Scan(&one.model, &one.open)
		return one, err
	}, "SELECT model, count(*) FROM findings WHERE resolved_ms IS NULL AND model IN ("+marks+") GROUP BY model", args...)
	open := map[string]int64{}
	for _, one := range all {
		open[one.model] = one.open
	}
	return open, err
}

// Census counts what there is.
type Census struct {
	Models       int64 `json:"models" doc:"models in use: neither experiments nor retired"`
	High         int64 `json:"high" doc:"of them, of tier high"`
	Experiments  int64 `json:"experiments"`
	Retired      int64 `json:"retired"`
	NeverAudited int64 `json:"never_audited" doc:"models in use of which the latest version was never evaluated"`
	Findings     int64 `json:"findings" doc:"open findings"`
	Grave        int64 `json:"grave" doc:"of them, high or critical"`
}

// Census counts the models and the open findings.
func (c *Catalog) Census(ctx context.Context) (n Census, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		// Each of the three reads one index and no row: models_by_urgency tells those in use, and their tiers.
		err := tx.QueryRow("SELECT count(*), count(CASE WHEN urgency < ? THEN 1 END), count(CASE WHEN evaluated_ms = 0 THEN 1 END) FROM models WHERE urgency < ?",
			urgencyStep, unurgent).Scan(&n.Models, &n.High, &n.NeverAudited)
		if err != nil {
			return err
		}
		err = tx.QueryRow("SELECT count(CASE WHEN state = 'experimental' THEN 1 END), count(CASE WHEN state = 'retired' THEN 1 END) FROM models WHERE state <> 'active'").
			Scan(&n.Experiments, &n.Retired)
		if err != nil {
			return err
		}
		return tx.QueryRow("SELECT count(*), count(CASE WHEN severity IN ('high', 'critical') THEN 1 END) FROM findings WHERE resolved_ms IS NULL").
			Scan(&n.Findings, &n.Grave)
	})
	if err != nil {
		return Census{}, fmt.Errorf("census: %w", err)
	}
	return n, nil
}
