# METADATA
# title: The audited data is sound
# description: >-
#   Missing values, NaN and infinities, constants, duplicates, changed types and values that the
#   reference never had, as the quality part of the report judges them.
# custom:
#   id: data.quality
#   severity: high
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Art. 10
#     - nist-ai-rmf/MAP 2.3
#     - iso-42001/A.7.4
#     - us-mrm/MRM-1
#   remediation: >-
#     Repair the named columns at their source, then run `tallystick audit` again;
#     `tallystick data check FILE --contract FILE` finds the same in a pipeline.
package tallystick.rules.data.quality

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

quality := facts.report.quality

issues := [issue |
	some verdict in judge.order
	verdict != "pass"
	some at, column in quality.columns
	some found in object.get(column, "issues", [])
	found.verdict == verdict
	issue := {"words": sprintf("%s: %s", [column.name, found.words]), "at": sprintf("/quality/columns/%d", [at])}
]

result := {
	"status": quality.verdict,
	"message": sprintf("%s found in %d columns and %d rows.", [
		say.counted(count(issues), "issue was", "issues were"), count(quality.columns), quality.rows,
	]),
	"details": [issue.words | some issue in issues],
	"evidence": array.concat(["/quality"], [issue.at | some issue in issues]),
} if {
	quality.verdict in judge.order
}
