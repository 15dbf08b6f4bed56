# METADATA
# title: Favourable decisions pass the four-fifths screen
# description: >-
#   A group whose rate of favourable decisions is below four fifths of the reference group's
#   deserves a look. It is a screen from employment selection (29 CFR 1607.4(D)), not a limit that
#   the law sets for models, and therefore only ever warns.
# custom:
#   id: fairness.four-fifths
#   severity: medium
#   blocking: []
#   controls:
#     - nist-ai-rmf/MEASURE 2.11
#     - nyc-ll144/6 RCNY 5-301
#   remediation: >-
#     Look at the named groups in the report's fairness part; `tallystick audit` with
#     --favourable positive|negative says which decision is good for a person.
package tallystick.rules.fairness.four_fifths

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

screened := [comparison |
	some at, found in facts.list(facts.report.fairness.comparisons)
	found.metric == "four_fifths"
	comparison := object.union(found, {"at": sprintf("/fairness/comparisons/%d", [at])})
]

flagged := [comparison |
	some verdict in ["fail", "warn", "inconclusive"]
	some comparison in screened
	comparison.verdict == verdict
]

result := judge.not_applicable("No rates of favourable decisions were compared.") if {
	is_object(facts.report)
	count(screened) == 0
} else := {
	"status": "warn",
	"message": sprintf("%s below four fifths, or may be. %s", [
		say.counted(count(flagged), "ratio is", "ratios are"), say.lead([say.comparison(comparison) | some comparison in flagged]),
	]),
	"details": [say.comparison(comparison) | some comparison in flagged],
	"evidence": [comparison.at | some comparison in flagged],
} if {
	count(flagged) > 0
} else := {
	"status": "insufficient",
	"message": "Every group is too small for the screen.",
	"evidence": ["/fairness/groups"],
} if {
	every comparison in screened { comparison.verdict == "insufficient" }
} else := {
	"status": "pass",
	"message": sprintf("%s at or above four fifths.", [say.counted(count(screened), "ratio is", "ratios are")]),
	"evidence": ["/fairness/comparisons"],
} if {
	every comparison in screened { comparison.verdict in {"pass", "insufficient"} }
}
