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

// judge holds what runs in an environment against the catalog.
type judge struct {
	tx          *state.Tx
	environment string
	places      map[string]int // in judged, by fingerprint
	judged      []judgement
	versions    map[string][]string // that were found to run, by model
	settled     []Finding           // open ones of which nothing is left

	// What was read before, for copies of one thing are many.
	models    memo[bool]
	recordeds memo[recordedVersion]
	owners    memo[[]string] // versions by files
	expecteds memo[[]string]
	troubled  memo[bool] // models with open findings here
}

// memo holds answers by question.
type memo[V any] map[string]V

func (m memo[V]) get(question string, ask func() (V, error)) (V, error) {
	if v, known := m[question]; known {
		return v, nil
	}
	v, err := ask()
	if err == nil {
		m[question] = v
	}
	return v, err
}

// judgement is what was found about one thing that can be wrong.
type judgement struct {
	finding FindingRaised
	wrong   bool
}

func newJudge(tx *state.Tx, environment string) *judge {
	return &judge{
		tx: tx, environment: environment, places: map[string]int{}, versions: map[string][]string{},
		models: memo[bool]{}, recordeds: memo[recordedVersion]{}, owners: memo[[]string]{}, expecteds: memo[[]string]{}, troubled: memo[bool]{},
	}
}

// say notes whether something is wrong. Of several that say the same thing, one that finds it wrong
// counts.
func (j *judge) say(wrong bool, f FindingRaised) error {
	f.Environment = j.environment
	fingerprint, err := f.fingerprint()
	if err != nil {
		return err
	}
	i, there := j.places[fingerprint]
	switch {
	case !there:
		j.places[fingerprint] = len(j.judged)
		j.judged = append(j.judged, judgement{f, wrong})
	case wrong && !j.judged[i].wrong:
		j.judged[i] = judgement{f, wrong}
	}
	return nil
}

// changes returns what the judgements change.
func (j *judge) changes() (changes []trail.Change, err error) {
	for _, d := range j.judged {
		act := settle
		if d.wrong {
			act = raise
		} else if trouble, err := j.trouble(d.finding.Model); err != nil || !trouble {
			if err != nil {
				return nil, err
			}
			continue
		}
		change, err := act(j.tx, d.finding)
		if err != nil {
			return nil, err
		}
		if change != nil {
			changes = append(changes, change)
		}
	}
	for _, f := range j.settled {
		changes = append(changes, &FindingResolved{FindingRef: f.ref(), Agrees: true})
	}
	return changes, nil
}

// trouble reports whether a finding about the model is open here.
func (j *judge) trouble(model string) (bool, error) {
	return j.troubled.get(model, func() (open bool, err error) {
		err = j.tx.QueryRow("SELECT EXISTS (SELECT 1 FROM findings WHERE model = ? AND environment = ? AND resolved_ms IS NULL)", model, j.environment).Scan(&open)
		if err != nil {
			return false, fmt.Errorf("look for open findings: %w", err)
		}
		return open, nil
	})
}

func (j *judge) recorded(model, version string) (recordedVersion, error) {
	return j.recordeds.get(model+"@"+version, func() (recordedVersion, error) { return recorded(j.tx, model, version) })
}

// running judges one thing that runs.
func (j *judge) running(r Running) error {
	known, err := j.models.get(r.Model, func() (bool, error) { return isModel(j.tx, r.Model) })
	if err != nil {
		return err
	}
	err = j.say(!known, FindingRaised{
		Kind: UnknownModel, Model: r.Model, Version: r.Version, About: r.Deployment, Observed: string(r.Artifact),
		Summary: fmt.Sprintf("something called %s runs in %s, and no such model is registered", r.Model, j.environment),
	})
	if err != nil || !known {
		return err
	}
	candidates, err := j.artifact(r)
	if err != nil || len(candidates) == 0 {
		return err
	}
	j.versions[r.Model] = append(j.versions[r.Model], candidates...)
	if err := j.assigned(r, candidates); err != nil {
		return err
	}
	is, err := j.recorded(r.Model, candidates[0])
	if err != nil {
		return err
	}
	return errors.Join(j.code(r, is), j.data(r, is), j.deployed(r, candidates))
}

// artifact judges the files. It returns the versions that they may be: those with this digest, or else
// the one that it says it is, if there is one.
func (j *judge) artifact(r Running) (candidates []string, err error) {
	claimed, err := j.recorded(r.Model, r.Version)
	if err != nil {
		return nil, err
	}
	if r.Artifact != "" {
		candidates, err = j.owners.get(r.Model+"@"+string(r.Artifact), func() ([]string, error) { return versionsOf(j.tx, r.Model, r.Artifact) })
		if err != nil {
			return nil, fmt.Errorf("look for versions with files %s: %w", r.Artifact.Short(), err)
		}
	}
	name := r.Model + "@" + r.Version
	unsaid := ""
	switch {
	case r.Artifact == "":
		unsaid = "nobody has looked at the files that run"
	case len(candidates) == 0 && claimed.there && claimed.digest == "":
		unsaid = fmt.Sprintf("no files of %s are on record", name)
	}
	if err := j.say(unsaid != "", FindingRaised{
		Kind: Unverifiable, Model: r.Model, Version: r.Version, About: r.Deployment, Expected: string(claimed.digest), Observed: string(r.Artifact),
		Summary: fmt.Sprintf("whether what runs in %s is %s cannot be told: %s", j.environment, strings.TrimSuffix(name, "@"), unsaid),
	}); err != nil {
		return nil, err
	}
	if unsaid != "" {
		if claimed.there {
			return []string{r.Version}, nil
		}
		return nil, nil
	}
	differs := claimed.there && claimed.digest != "" && !claimed.has(r.Artifact)
	if err := j.say(differs, FindingRaised{
		Kind: ArtifactDiffers, Model: r.Model, Version: r.Version, About: r.Deployment, Expected: string(claimed.digest), Observed: string(r.Artifact),
		Summary: fmt.Sprintf("what runs in %s as %s has other files than those that were registered%s", j.environment, name, alias(r.Model, candidates)),
	}); err != nil {
		return nil, err
	}
	err = j.say(!differs && len(candidates) == 0, FindingRaised{
		Kind: UnknownArtifact, Model: r.Model, About: r.Deployment, Observed: string(r.Artifact),
		Summary: fmt.Sprintf("files that belong to no version of %s run in %s", r.Model, j.environment),
	})
	if slices.Contains(candidates, r.Version) {
		return []string{r.Version}, err
	}
	return candidates, err
}

func alias(model string, candidates []string) string {
	if len(candidates) == 0 {
		return ""
	}
	return fmt.Sprintf("; they are those of %s@%s", model, candidates[0])
}

// assigned judges whether one of the versions is to serve here.
func (j *judge) assigned(r Running, candidates []string) error {
	expected, err := j.expected(r.Model)
	if err != nil {
		return err
	}
	wrong := !slices.ContainsFunc(candidates, func(v string) bool { return slices.Contains(expected, v) })
	said := "none is to run there"
	if len(expected) > 0 {
		said = fmt.Sprintf("%s is to run there", strings.Join(expected, ", "))
	}
	return j.say(wrong, FindingRaised{
		Kind: UnassignedVersion, Model: r.Model, Version: candidates[0], About: cmp.Or(r.Deployment, candidates[0]), Expected: strings.Join(expected[:min(len(expected), 10)], ","), Observed: candidates[0],
		Summary: fmt.Sprintf("%s@%s runs in %s, and %s", r.Model, candidates[0], j.environment, said),
	})
}

// expected returns the versions that serve here, as the catalog has it.
func (j *judge) expected(model string) ([]string, error) {
	return j.expecteds.get(model, func() ([]string, error) {
		return state.Collect(j.tx, scanText, "SELECT version FROM assignments WHERE environment = ? AND model = ? AND until_ms IS NULL ORDER BY version "+state.Limit, j.environment, model, maxPage)
	})
}

func (j *judge) code(r Running, is recordedVersion) error {
	if r.CodeCommit == "" || is.commit == "" {
		return nil
	}
	same := strings.HasPrefix(is.commit, r.CodeCommit) || len(is.commit) >= 7 && strings.HasPrefix(r.CodeCommit, is.commit)
	return j.say(!same, FindingRaised{
		Kind: CodeDiffers, Model: r.Model, Version: is.version, About: r.Deployment, Expected: is.commit, Observed: r.CodeCommit,
		Summary: fmt.Sprintf("%s@%s runs in %s with the code of commit %.12s, and was made with %.12s", r.Model, is.version, j.environment, r.CodeCommit, is.commit),
	})
}

func (j *judge) data(r Running, is recordedVersion) error {
	if r.Data == "" || len(is.data) == 0 {
		return nil
	}
	return j.say(!slices.Contains(is.data, r.Data), FindingRaised{
		Kind: DataDiffers, Model: r.Model, Version: is.version, About: r.Deployment, Expected: string(is.data[0]), Observed: string(r.Data),
		Summary: fmt.Sprintf("%s@%s runs in %s and names training data %s, which it does not rest on", r.Model, is.version, j.environment, r.Data.Short()),
	})
}

// deployed judges configuration and image against what was reported when the version was deployed.
func (j *judge) deployed(r Running, candidates []string) error {
	d, err := j.deployment(r, candidates)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read deployments: %w", err)
	}
	for _, part := range []struct {
		kind         FindingKind
		what         string
		is, observed tallystick.Digest
	}{
		{ConfigurationDiffers, "configuration", d.Configuration, r.Configuration},
		{ImageDiffers, "container image", d.Image, r.Image},
	} {
		if part.is == "" || part.observed == "" {
			continue
		}
		if err := j.say(part.is != part.observed, FindingRaised{
			Kind: part.kind, Model: r.Model, Version: d.Version, About: r.Deployment, Expected: string(part.is), Observed: string(part.observed),
			Summary: fmt.Sprintf("%s@%s runs in %s with another %s than the one that it was deployed with", r.Model, d.Version, j.environment, part.what),
		}); err != nil {
			return err
		}
	}
	return nil
}

// deployment returns the deployment in question: the one of that id, or else the only one that runs.
func (j *judge) deployment(r Running, candidates []string) (Deployment, error) {
	const from = "SELECT " + deploymentColumns + " FROM deployments WHERE "
	if r.Deployment != "" {
		return scanDeployment(j.tx.QueryRow(from+"id = ? AND environment = ? AND model = ?", r.Deployment, j.environment, r.Model))
	}
	list, err := state.Collect(j.tx, scanDeployment, from+"environment = ? AND model = ? AND version = ? AND until_ms IS NULL ORDER BY event LIMIT 2", j.environment, r.Model, candidates[0])
	if err == nil && len(list) != 1 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return Deployment{}, err
	}
	return list[0], nil
}

// whole judges what is missing of a model of which everything that runs has been reported.
func (j *judge) whole(model string) error {
	expected, err := j.expected(model)
	if err != nil {
		return err
	}
	for _, version := range expected {
		if err := j.say(!slices.Contains(j.versions[model], version), FindingRaised{
			Kind: NotRunning, Model: model, Version: version, About: version, Expected: version,
			Summary: fmt.Sprintf("%s@%s is to run in %s and does not", model, version, j.environment),
		}); err != nil {
			return err
		}
	}
	open, err := state.Collect(j.tx, scanFinding, "SELECT "+findingColumns+` FROM findings WHERE model = ? AND environment = ? AND resolved_ms IS NULL
		AND kind NOT IN ('out_of_band', 'rule_failed', 'bypass_attempt', 'unusual_conduct') ORDER BY event `+state.Limit, model, j.environment, maxPage)
	if err != nil {
		return fmt.Errorf("read open findings: %w", err)
	}
	for _, f := range open {
		if _, judged := j.places[f.Fingerprint]; !judged {
			j.settled = append(j.settled, f)
		}
	}
	return nil
}

// recordedVersion is what the catalog knows of a version.
type recordedVersion struct {
	there        bool
	version      string
	digest, root tallystick.Digest
	commit       string
	data         []tallystick.Digest
}

// has reports whether the digest names the version's files.
func (v recordedVersion) has(d tallystick.Digest) bool { return d == v.digest || d == v.root }

// recorded returns what is known of a version; nothing if it is not registered.
func recorded(tx *state.Tx, model, version string) (recordedVersion, error) {
	is := recordedVersion{version: version}
	v, err := scanKnown(tx, model, version)
	if err != nil || v == nil {
		return is, err
	}
	is.there, is.digest, is.root, is.commit, is.data = true, v.Digest, v.Root, v.CodeCommit, v.Metadata.Snapshots
	rests, err := links(tx, LinkFilter{Model: model, Version: version, Limit: maxPage})
	if err != nil {
		return is, fmt.Errorf("read the data of %s@%s: %w", model, version, err)
	}
	for _, l := range rests {
		is.data = append(is.data, l.Digest)
	}
	return is, nil
}

// versionsOf returns the versions of a model whose files have the digest, newest first.
func versionsOf(tx *state.Tx, model string, digest tallystick.Digest) ([]string, error) {
	return state.Collect(tx, scanText, `SELECT version FROM versions WHERE model = ? AND (digest = ? OR root = ?) ORDER BY created DESC, version `+state.Limit,
		model, string(digest), string(digest), maxPage)
}

func scanText(row state.Scanner) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}
