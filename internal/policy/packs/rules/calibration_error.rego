# METADATA
# title: Scores can be read as probabilities
# description: >-
#   The expected calibration error keeps its stated limit, judged by its interval. Values are
#   comparable only between equal ways of binning, which the report names.
# custom:
#   id: calibration.error
#   severity: high
#   blocking: [limited, high]
#   controls:
#     - eu-ai-act/Art. 15
#     - nist-ai-rmf/MEASURE 2.5
#     - us-mrm/MRM-2c
#   remediation: >-
#     Recalibrate the scores on held-out data (isotonic or logistic) and run `tallystick audit`
#     again with --score COL; the limit is limits.calibration of the contract.
package tallystick.rules.calibration.error

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

calibration := facts.report.calibration

stated[metric] := limit if {
	some metric, limit in facts.limits.calibration
	count(judge.sides(limit)) > 0
}

measured(metric) if is_object(calibration[metric])

findings contains {
	"status": judge.bound(calibration[metric], limit),
	"words": sprintf("%s is %s; the limit is %s%s.", [say.capital(say.metric(metric)), say.estimate(calibration[metric]), say.limit(limit), facts.origin(limit)]),
	"at": sprintf("/calibration/%s", [metric]),
} if {
	some metric, limit in stated
	measured(metric)
}

findings contains {
	"status": "fail",
	"words": sprintf("%s has a limit of %s%s but was not measured.", [say.capital(say.metric(metric)), say.limit(limit), facts.origin(limit)]),
	"at": "/calibration",
} if {
	some metric, limit in stated
	not measured(metric)
}

ordered := [finding |
	some status in judge.order
	some finding in findings
	finding.status == status
]

skipped if {
	is_string(calibration.skipped)
	calibration.skipped != ""
}

result := judge.not_applicable(sprintf("The task %s has no probabilities to calibrate.", [facts.columns.task])) if {
	facts.columns.task != "binary"
	not facts.part("calibration")
} else := judge.not_applicable("No score was named, so there is no probability to check.") if {
	is_string(facts.columns.task)
	not facts.columns.score
	not facts.part("calibration")
} else := judge.not_applicable(sprintf("Calibration was not measured: %s", [calibration.skipped])) if {
	skipped
	facts.labelled
} else := {
	"status": "insufficient",
	"message": sprintf("The score %s was not checked against outcomes.", [facts.columns.score]),
	"remediation": "Run `tallystick audit` with labels: --label COL, or --id COL --labels FILE.",
} if {
	not facts.labelled
} else := {
	"status": "fail",
	"message": sprintf("The score %s has no calibration.", [facts.columns.score]),
	"remediation": "Run `tallystick audit` with --score COL; a score that ends at N needs --score-max N.",
} if {
	not facts.part("calibration")
} else := judge.absent(
	facts.settings.missing.calibration_limit,
	sprintf("No limit on the calibration error was stated; it is %s.", [say.estimate(calibration.ece)]),
	"State one in the contract under limits.calibration, for example {ece: {max: 0.05}}, and give it with --contract FILE.",
) if {
	is_object(facts.limits)
	count(stated) == 0
} else := {
	"status": judge.worst({finding.status | some finding in findings}),
	"message": say.lead([finding.words | some finding in ordered]),
	"details": [finding.words | some finding in ordered],
	"evidence": [finding.at | some finding in ordered],
} if {
	count(findings) == count(stated)
}
