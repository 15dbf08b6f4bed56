package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/tallystick/tallystick"
)

// Definition is what a rule says about itself, in the METADATA of its package.
type Definition struct {
	ID          string            `json:"id"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Severity    string            `json:"severity"`
	About       string            `json:"about"`    // audit or release
	Waivable    bool              `json:"waivable"` // whether a waiver can turn what it finds
	BlockingFor []tallystick.Tier `json:"blocking"` // the tiers in which it blocks
	Controls    []string          `json:"controls"`
	Remediation string            `json:"remediation"`
	Source      string            `json:"source"` // file:line
	Builtin     bool              `json:"builtin"`

	pkg ast.Ref
}

// custom is the form of the annotation's custom object.
type custom struct {
	ID          string             `json:"id"`
	About       string             `json:"about"`
	Waivable    *bool              `json:"waivable"`
	Severity    string             `json:"severity"`
	Blocking    *[]tallystick.Tier `json:"blocking"`
	Controls    []string           `json:"controls"`
	Remediation string             `json:"remediation"`
}

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}(\.[a-z0-9][a-z0-9-]{0,39}){1,3}$`)

// What a rule can be about: the audit of a version, which it then needs, or its release, without
// which it has nothing to judge.
const (
	AboutAudit   = "audit"
	AboutRelease = "release"
)

var severities = []string{"critical", "high", "medium", "low"}

var tiers = []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh}

// define returns the rule that module is, and false if it is a library: its package then has no
// custom.id.
func define(module *ast.Module, builtin bool) (Definition, bool, error) {
	annotations := packageAnnotations(module)
	if annotations == nil || annotations.Custom["id"] == nil {
		return Definition{}, false, nil
	}
	at := fmt.Sprintf("%s:%d", annotations.Location.File, annotations.Location.Row)
	data, err := json.Marshal(annotations.Custom)
	if err != nil {
		return Definition{}, false, fmt.Errorf("%s: read annotations: %w", at, err)
	}
	var c custom
	if err := json.Unmarshal(data, &c); err != nil {
		return Definition{}, false, tallystick.Errorf(tallystick.Invalid, "%s: custom annotations: %w", at, err).
			WithHint("docs/policy.md shows the METADATA of a rule")
	}
	d := Definition{
		ID: c.ID, Title: annotations.Title, Description: strings.TrimSpace(annotations.Description), Severity: c.Severity,
		About: cmp.Or(c.About, AboutAudit), Waivable: c.Waivable == nil || *c.Waivable,
		BlockingFor: tiers, Controls: c.Controls, Remediation: strings.TrimSpace(c.Remediation),
		Source: at, Builtin: builtin, pkg: module.Package.Path,
	}
	if c.Blocking != nil {
		d.BlockingFor = *c.Blocking
	}
	if wrong := d.wrong(module); wrong != "" {
		return Definition{}, false, tallystick.Errorf(tallystick.Invalid, "%s: %s", at, wrong).
			WithHint("docs/policy.md shows the METADATA of a rule")
	}
	return d, true, nil
}

func (d Definition) wrong(module *ast.Module) string {
	switch {
	case !idPattern.MatchString(d.ID):
		return fmt.Sprintf("rule id %q is not of the form area.name", d.ID)
	case d.About != AboutAudit && d.About != AboutRelease:
		return fmt.Sprintf("rule %s is about %q, which is not audit or release", d.ID, d.About)
	case d.Title == "":
		return "rule " + d.ID + " has no title"
	case !slices.Contains(severities, d.Severity):
		return fmt.Sprintf("severity %q of rule %s is not critical, high, medium or low", d.Severity, d.ID)
	case d.Remediation == "":
		return "rule " + d.ID + " has no remediation"
	case !slices.ContainsFunc(module.Rules, func(r *ast.Rule) bool { return r.Head.Ref().String() == "result" }):
		return "rule " + d.ID + " defines no result"
	}
	for _, tier := range d.BlockingFor {
		if !slices.Contains(tiers, tier) {
			return fmt.Sprintf("rule %s blocks for the tier %q, which is not low, limited or high", d.ID, tier)
		}
	}
	return ""
}

func packageAnnotations(module *ast.Module) *ast.Annotations {
	for _, a := range module.Annotations {
		if a.Scope == "package" {
			return a
		}
	}
	return nil
}

// Blocks reports whether the rule can deny a release of a model of that tier.
func (d Definition) Blocks(tier tallystick.Tier) bool {
	return slices.Contains(d.BlockingFor, tier)
}

// area is the first part of the id.
func (d Definition) area() string {
	area, _, _ := strings.Cut(d.ID, ".")
	return area
}

// areas is the order in which people read the built-in rules; others come after them.
var areas = []string{"release", "version", "evidence", "audit", "artifact", "dependency", "data", "performance", "calibration", "fairness", "drift", "windows", "criteria"}

func compareDefinitions(a, b Definition) int {
	return strings.Compare(a.sortKey(), b.sortKey())
}

func (d Definition) sortKey() string {
	at := slices.Index(areas, d.area())
	if at < 0 || !d.Builtin {
		at = len(areas)
	}
	return fmt.Sprintf("%02d %s", at, d.ID)
}
