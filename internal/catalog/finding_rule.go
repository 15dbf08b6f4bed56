package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// GateRun is what one run of the gate found: an audit, or a decision about an environment.
type GateRun struct {
	Model, Version string
	Environment    string            // empty for an audit
	Run            tallystick.Digest // input document of the decision, or report of the audit
	// Asked says that somebody only wanted to know: nothing is raised, but what was said to be put right is
	// looked at.
	Asked bool
	Rules []RuleRun
}

// RuleRun is how one rule came out.
type RuleRun struct {
	ID       string
	Severity string
	Status   string
	Message  string
	Denies   bool // it keeps the gate shut
	// Passes says that it holds, or does not apply to what the gate lets in. A rule that is waived neither
	// denies nor passes.
	Passes bool
}

// waitsForPeople reports whether a rule denies only until people have decided something: that is waited
// for, and not put right.
func waitsForPeople(rule string) bool {
	switch rule {
	case "release.approvals", "release.separation", "release.waivers", "release.freeze", "release.findings":
		return true
	}
	return false
}

// FollowGate returns the changes that a run of the gate makes to the findings about its rules. A rule that
// denies raises one, for as long as it does; one that was said to be put right is reopened; and a rule that
// passes settles its finding, if it does so for the version that failed or one that came after it: going
// back to an old version puts nothing right.
func (c *Catalog) FollowGate(tx *state.Tx, g GateRun) (changes []trail.Change, err error) {
	known, err := state.Collect(tx, scanFinding, "SELECT "+findingColumns+` FROM findings WHERE model = ? AND environment = ? AND kind = 'rule_failed'
		AND resolved_ms IS NULL ORDER BY event `+state.Limit, g.Model, g.Environment, maxPage)
	if err != nil {
		return nil, fmt.Errorf("read findings about rules of %s: %w", g.Model, err)
	}
	now := tx.Now()
	for _, rule := range g.Rules {
		if waitsForPeople(rule.ID) || !rule.Denies && !rule.Passes {
			continue
		}
		i := slices.IndexFunc(known, func(f Finding) bool { return f.Subject == rule.ID })
		var change trail.Change
		switch {
		case i < 0 && (rule.Passes || g.Asked):
		case i < 0:
			change, err = g.raise(rule, now)
		case rule.Denies && (!g.Asked || known[i].State == FindingIsRemediated):
			change = g.finding(rule).again(known[i], now)
		case rule.Passes:
			change, err = g.verify(tx, known[i])
		}
		if err != nil {
			return nil, err
		}
		if change != nil {
			changes = append(changes, change)
		}
	}
	return changes, nil
}

func (g GateRun) finding(rule RuleRun) FindingRaised {
	return FindingRaised{
		Kind: RuleFailed, Severity: Severity(rule.Severity), Environment: g.Environment, Model: g.Model, Version: g.Version, About: rule.ID,
		Expected: "pass", Observed: rule.Status + " in " + g.Version, Run: g.Run, Summary: clipped(rule.Message),
	}
}

// clipped bounds a sentence of a rule, without cutting a character in two.
func clipped(text string) string {
	if len(text) <= maxWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxWords-4], "") + " …"
}

func (g GateRun) raise(rule RuleRun, now time.Time) (trail.Change, error) {
	r := g.finding(rule)
	if !slices.Contains(Severities(), r.Severity) {
		r.Severity = RuleFailed.Severity()
	}
	var err error
	r.Finding, err = r.fingerprint()
	return r.raised(now), err
}

// verify returns the change by which a run settles a finding, nil if it is about an older version.
func (g GateRun) verify(tx *state.Tx, f Finding) (trail.Change, error) {
	if g.Version != f.Version {
		var later bool
		err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM versions a JOIN versions b ON b.model = a.model
			WHERE a.model = ? AND a.version = ? AND b.version = ? AND b.created > a.created)`, g.Model, f.Version, g.Version).Scan(&later)
		if err != nil || !later {
			return nil, err
		}
	}
	return &FindingResolved{FindingRef: f.ref(), Agrees: true, Version: g.Version, Run: g.Run}, nil
}
