package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// settled fills the row of a rule that need not be asked, and reports whether it is one: its subject
// is not there, or the tier's table leaves it out for such a release.
func (p *Pack) settled(row *Rule, rule Definition, document map[string]any) bool {
	model, _ := document["model"].(map[string]any)
	release, _ := document["release"].(map[string]any)
	reason := p.leftOut(rule.ID, release)
	switch {
	case rule.About == AboutRelease && release == nil:
		row.Status, row.Blocking, row.Remediation = Skip, false, ""
		row.Message = "An audit alone: nothing is to be released."
	case reason != "":
		row.Status, row.Blocking, row.Remediation = Skip, false, ""
		row.Message = reason
	case rule.About == AboutAudit && document["report"] == nil:
		row.Status = Insufficient
		row.Message = "No audit of this version is on record."
		row.Remediation = fmt.Sprintf("Run `tallystick audit FILE --model %v --version %v --tier %v` on predictions of the version.",
			model["name"], model["version"], model["tier"])
	default:
		return false
	}
	return true
}

// leftOut says why a release is not asked for the rule of that id, or "" if it is.
func (p *Pack) leftOut(id string, release map[string]any) string {
	place, _ := release["environment"].(map[string]any)
	strictness, _ := place["strictness"].(string)
	switch {
	case release["kind"] == Rollback && p.leavesOut(Rollback, id):
		return "A rollback is not asked for this: it goes back to what was let in before, at once, and is reviewed afterwards."
	case p.leavesOut(strictness, id):
		return fmt.Sprintf("The environment %v is %s: this is asked for in a stricter one.", place["name"], strictness)
	}
	return ""
}

// leavesOut reports whether the table data.tallystick.left_out names the rule: by its id, or by a
// pattern such as fairness.*.
func (p *Pack) leavesOut(occasion, id string) bool {
	return slices.ContainsFunc(p.exempt[occasion], func(pattern string) bool {
		matched, err := path.Match(pattern, id)
		return err == nil && matched
	})
}

// exemptions reads data.tallystick.left_out.
func exemptions(settings map[string]any) map[string][]string {
	all := map[string][]string{}
	table, _ := settings["left_out"].(map[string]any)
	for occasion, value := range table {
		list, _ := value.([]any)
		for _, element := range list {
			if pattern, ok := element.(string); ok {
				all[occasion] = append(all[occasion], strings.TrimSpace(pattern))
			}
		}
	}
	return all
}
