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

columns := facts.list(quality.columns)

issues := [issue |
	some verdict in judge.order
	verdict != "pass"
	some at, column in columns
	some found in facts.list(object.get(column, "issues", []))
	found.verdict == verdict
	issue := {"words": sprintf("%s: %s", [column.name, found.words]), "at": sprintf("/quality/columns/%d", [at])}
]

duplicates := [sprintf("%s.", [say.counted(quality.duplicate_rows, "row equals an earlier one", "rows equal an earlier one")]) |
	quality.duplicate_rows > 0
]

duplicate_ids := [sprintf("%s.", [say.counted(quality.duplicate_ids, "id occurs again", "ids occur again")]) |
	quality.duplicate_ids > 0
]

words := array.concat([issue.words | some issue in issues], array.concat(duplicate_ids, duplicates))

default worst := ""

worst := sprintf(" %s", [say.lead(words)]) if count(words) > 0

result := {
	"status": quality.verdict,
	"message": sprintf("%s found in %d columns and %d rows.%s", [
		say.counted(count(words), "issue was", "issues were"), count(columns), quality.rows, worst,
	]),
	"details": words,
	"evidence": array.concat(["/quality"], [issue.at | some issue in issues]),
} if {
	quality.verdict in judge.order
}
