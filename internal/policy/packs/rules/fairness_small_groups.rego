# METADATA
# title: Every group is large enough to judge
# description: >-
#   Names the groups that are too small for a verdict. A gate that passes says nothing about them.
# custom:
#   id: fairness.small-groups
#   severity: medium
#   blocking: []
#   controls:
#     - eu-ai-act/Art. 10
#     - nist-ai-rmf/MEASURE 2.11
#     - nyc-ll144/6 RCNY 5-301
#   remediation: >-
#     Gather more labelled rows of the named groups, or merge groups where that is meaningful,
#     then run `tallystick audit` again with --group.
package tallystick.rules.fairness.small_groups

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

# The numbers of rows that the rates of a group rest on, by group and attribute.
rests[name] contains comparison.n if {
	some comparison in facts.report.fairness.comparisons
	comparison.metric in facts.fairness_metrics
	comparison.verdict == "insufficient"
	name := sprintf("%s (%s)", [comparison.value, comparison.attribute])
}

small[name] := min(rows) if some name, rows in rests

result := judge.not_applicable("No groups were compared.") if {
	is_object(facts.report)
	not facts.part("fairness")
} else := {
	"status": "warn",
	"message": sprintf("%s too small to judge: %s.", [say.counted(count(small), "group is", "groups are"), concat(", ", object.keys(small))]),
	"details": [sprintf("%s: a rate rests on %s.", [name, say.counted(least, "labelled row", "labelled rows")]) | some name, least in small],
	"evidence": ["/fairness/groups"],
} if {
	count(small) > 0
} else := {
	"status": "pass",
	"message": "Every compared group is large enough to judge.",
	"evidence": ["/fairness/groups"],
} if {
	is_array(facts.list(facts.report.fairness.comparisons))
}
