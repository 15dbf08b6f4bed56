# METADATA
# title: No feature gives the label away
# description: >-
#   A feature that predicts the label almost perfectly is usually known only after the outcome.
#   Performance that was measured with it says nothing about the model in use.
# custom:
#   id: data.leakage
#   severity: high
#   blocking: [limited, high]
#   controls:
#     - eu-ai-act/Art. 10
#     - nist-ai-rmf/MEASURE 2.3
#     - us-mrm/MRM-2a
#   remediation: >-
#     Take the named columns out of the features or show that they are known before the outcome,
#     then run `tallystick audit` again with --features COL,... .
package tallystick.rules.data.leakage

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

leaks := facts.report.leakage

# Absent where nobody looked. An empty list says that no feature could be held against the label.
looked if is_array(leaks)

suspects := [leak |
	some verdict in judge.order
	verdict != "pass"
	some leak in leaks
	leak.verdict == verdict
]

result := judge.not_applicable("No feature was named, so there is none that could give the label away.") if {
	facts.labelled
	count(facts.features) == 0
}

result := judge.not_applicable(sprintf("Of %s none is of a kind that can be held against the label.", [
	say.counted(count(facts.features), "feature", "features"),
])) if {
	facts.labelled
	count(facts.features) > 0
	count(leaks) == 0
}

result := {
	"status": "insufficient",
	"message": "There are labels, but no feature was held against them.",
	"remediation": "Run `tallystick audit` again: it looks for leaks wherever there are labels and features.",
} if {
	facts.labelled
	count(facts.features) > 0
	not looked
}

result := {
	"status": "insufficient",
	"message": "Without labels nobody can see whether a feature gives them away.",
	"remediation": "Run `tallystick audit` with --label COL, or with --id COL --labels FILE.",
} if {
	is_array(facts.features)
	not facts.labelled
}

result := {
	"status": judge.worst({leak.verdict | some leak in suspects}),
	"message": say.lead([leak.words | some leak in suspects]),
	"details": [leak.words | some leak in suspects],
	"evidence": ["/leakage"],
} if {
	facts.labelled
	count(facts.features) > 0
	count(suspects) > 0
}

result := {
	"status": "pass",
	"message": sprintf("None of %s that were held against the label predicts it suspiciously well.", [say.counted(count(leaks), "column", "columns")]),
	"evidence": ["/leakage"],
} if {
	facts.labelled
	count(facts.features) > 0
	count(leaks) > 0
	count(suspects) == 0
	every leak in leaks { leak.verdict == "pass" }
}
