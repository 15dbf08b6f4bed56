# METADATA
# title: Performance holds in every window
# description: >-
#   An average over a file hides a month in which the model failed. Each window of time or rows is
#   compared with its baseline by the interval of the difference. A window of time without any rows
#   warns: the model was not asked, or its record stood still.
# custom:
#   id: windows.performance
#   severity: high
#   blocking: [limited, high]
#   controls:
#     - eu-ai-act/Art. 15
#     - eu-ai-act/Art. 72
#     - nist-ai-rmf/MEASURE 2.4
#     - us-mrm/MRM-2b
#   remediation: >-
#     Look at the named windows and their drifted features in the report, and run
#     `tallystick audit` again with --time COL --window DUR, or --chunk ROWS, once the cause is gone.
package tallystick.rules.windows.performance

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

windows := facts.report.windows

judged := [window |
	some window in windows
	is_string(window.performance_verdict)
	window.performance_verdict != ""
]

with_verdict(verdict) := [window | some window in judged; window.performance_verdict == verdict]

# A window that holds every labelled row has a performance and nothing to be compared with.
alone := [window |
	some window in windows
	is_object(window.performance)
	not compared(window)
]

compared(window) if window.performance_verdict != ""

silent := [window | some window in windows; window.rows == 0]

troubled := array.concat(silent, [window |
	some verdict in ["fail", "warn", "inconclusive"]
	some window in with_verdict(verdict)
])

verdicts := {window.performance_verdict | some window in judged} | {"warn" | count(silent) > 0}

# Windows with too few labels are left out, unless all are.
status := judge.many(verdicts - {"insufficient"}) if {
	verdicts != {"insufficient"}
} else := judge.many(verdicts)

# Why it is not a pass, one part for each verdict that is there.
parts := array.concat([sprintf("%d without any rows", [count(silent)]) | count(silent) > 0], [words |
	some verdict in ["fail", "warn", "inconclusive", "insufficient"]
	count(with_verdict(verdict)) > 0
	words := sprintf(said[verdict], [count(with_verdict(verdict))])
])

said := {
	"fail": "%d below the baseline by more than the accepted loss",
	"warn": "%d below the baseline, perhaps by no more than the accepted loss",
	"inconclusive": "%d where the interval does not settle it",
	"insufficient": "%d with too few labels",
}

result := judge.not_applicable("The file was not cut into windows.") if {
	is_object(facts.report)
	not facts.report.windowing
	not facts.report.windows
} else := judge.not_applicable("One window holds every row that has a label, and no reference has labels, so there is nothing to compare it with.") if {
	is_array(windows)
	count(judged) + count(silent) == 0
	count(alone) > 0
} else := {
	"status": "insufficient",
	"message": "The windows hold no labels, so their performance is unknown.",
	"remediation": "Run `tallystick audit` with labels: --label COL, or --id COL --labels FILE.",
} if {
	is_array(windows)
	count(judged) + count(silent) == 0
} else := {
	"status": status,
	"message": sprintf("Of %s: %s. %s: %s", [
		say.counted(count(judged) + count(silent), "window", "windows"), concat(", ", parts), troubled[0].label, say.lead([window.words | some window in troubled]),
	]),
	"details": [sprintf("%s: %s", [window.label, window.words]) | some window in troubled],
	"evidence": [sprintf("/windows/%d", [window.index]) | some window in troubled],
} if {
	count(troubled) > 0
} else := {
	"status": status,
	"message": sprintf("Performance holds in %s%s.", [
		say.counted(count(with_verdict("pass")), "window", "windows"), concat("", [sprintf("; %s", [part]) | some part in parts]),
	]),
	"evidence": ["/windows"],
} if {
	count(judged) > 0
}
