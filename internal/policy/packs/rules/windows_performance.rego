# METADATA
# title: Performance holds in every window
# description: >-
#   An average over a file hides a month in which the model failed. Each window of time or rows is
#   compared with its baseline by the interval of the difference.
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

troubled := [window |
	some verdict in ["fail", "warn", "inconclusive"]
	some window in with_verdict(verdict)
]

verdicts := {window.performance_verdict | some window in judged}

# One window whose interval is too wide is a warning; if all are, nothing was shown.
status := "fail" if {
	"fail" in verdicts
} else := judge.worst(verdicts) if {
	count(verdicts & {"pass", "warn"}) == 0
} else := "warn" if {
	count(verdicts & {"warn", "inconclusive"}) > 0
} else := "pass" if {
	every verdict in verdicts { verdict in {"pass", "insufficient"} }
}

result := judge.not_applicable("The file was not cut into windows.") if {
	is_object(facts.report)
	not facts.report.windowing
	not facts.report.windows
} else := {
	"status": "insufficient",
	"message": "The windows hold no labels, so their performance is unknown.",
	"remediation": "Run `tallystick audit` with labels: --label COL, or --id COL --labels FILE.",
} if {
	is_array(windows)
	count(judged) == 0
} else := {
	"status": status,
	"message": sprintf("%d of %s fall below the baseline. %s", [
		count(with_verdict("fail")), say.counted(count(judged), "window", "windows"), say.lead([window.words | some window in troubled]),
	]),
	"details": [sprintf("%s: %s", [window.label, window.words]) | some window in troubled],
	"evidence": [sprintf("/windows/%d", [window.index]) | some window in troubled],
} if {
	count(troubled) > 0
} else := {
	"status": status,
	"message": sprintf("Performance holds in %s.", [say.counted(count(with_verdict("pass")), "window", "windows")]),
	"evidence": ["/windows"],
} if {
	count(judged) > 0
}
