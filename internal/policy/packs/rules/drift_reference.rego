# METADATA
# title: The data looks like the reference
# description: >-
#   No feature and no score has moved away from the reference, over the whole file and in every
#   window. A change counts only if it is both significant over all features of the window and
#   large enough to matter.
# custom:
#   id: drift.reference
#   severity: high
#   blocking: [high]
#   controls:
#     - eu-ai-act/Art. 15
#     - nist-ai-rmf/MEASURE 2.4
#     - iso-42001/A.6.2.6
#     - us-mrm/MRM-2b
#   remediation: >-
#     Find what changed in the named features, retrain or restrict the model's use if it is real,
#     and run `tallystick audit` with a --reference that the model was approved on.
package tallystick.rules.drift.reference

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

drift := facts.report.drift

# The drifted features of the whole file, scores and predictions first: they are the best single
# sign that inputs have changed.
features := [feature |
	some verdict in ["fail", "warn"]
	some role in ["score", "prediction", "feature"]
	some feature in facts.list(drift.features)
	feature.verdict == verdict
	feature.role == role
]

windows := [window |
	some verdict in ["fail", "warn"]
	some window in object.get(facts.report, "windows", [])
	window.drift.verdict == verdict
]

# Names of the drifted features of a window, worst first.
names(window) := concat(", ", [feature.name |
	some verdict in ["fail", "warn"]
	some feature in facts.list(window.drift.features)
	feature.verdict == verdict
])

words := array.concat(
	[feature.words | some feature in features],
	[sprintf("Window %s: %s drifted.", [window.label, names(window)]) | some window in windows],
)

drifted := say.counted(count(features), "column drifted", "columns drifted")

held := say.counted(count(windows), "window holds drift", "windows hold drift")

extent := sprintf("%s over the whole file, and %s", [drifted, held]) if {
	count(features) > 0
	count(windows) > 0
} else := sprintf("%s over the whole file", [drifted]) if {
	count(features) > 0
} else := sprintf("Nothing drifted over the whole file, but %s", [held])

looser if drift.thresholds.fail_psi > facts.limits.drift.fail_psi

result := judge.not_applicable("There is no reference; evidence.required says what that means for this tier.") if {
	is_object(facts.report)
	not facts.part("reference")
	not facts.part("drift")
} else := {
	"status": "insufficient",
	"message": "There is a reference, but nothing was compared with it.",
	"remediation": "Run `tallystick audit` again with --reference FILE: it compares every column that both files have.",
} if {
	is_object(facts.report)
	not facts.part("drift")
} else := {
	"status": "fail",
	"message": sprintf("Drift was judged with a PSI limit of %s, but the limit is %s.", [
		say.decimal(drift.thresholds.fail_psi, 3), say.decimal(facts.limits.drift.fail_psi, 3),
	]),
	"evidence": ["/drift/thresholds"],
	"remediation": "Run `tallystick audit` again with the contract that states the limit: --contract FILE.",
} if {
	looser
} else := {
	"status": judge.worst({drift.verdict} | {window.drift.verdict | some window in windows}),
	"message": sprintf("%s. %s", [extent, say.lead(words)]),
	"details": words,
	"evidence": array.concat(["/drift"], [sprintf("/windows/%d/drift", [window.index]) | some window in windows]),
} if {
	count(words) > 0
} else := {
	"status": drift.verdict,
	"message": sprintf("None of %s drifted from a reference of %d rows.", [
		say.counted(count(facts.list(drift.features)), "column", "columns"), drift.reference_rows,
	]),
	"evidence": ["/drift"],
} if {
	drift.verdict == "pass"
} else := {
	"status": drift.verdict,
	"message": sprintf("Drift could not be judged: %d rows against %d rows of reference.", [drift.rows, drift.reference_rows]),
	"evidence": ["/drift"],
	"remediation": "Run `tallystick audit` with more rows and a larger --reference FILE.",
} if {
	drift.verdict in {"insufficient", "inconclusive"}
}
