# METADATA
# title: Performance keeps the limits that were stated
# description: >-
#   Each metric with a stated minimum or maximum is judged by its 95 % interval: wholly within the
#   limit passes, wholly beyond it fails, and across it is inconclusive, which is not a pass.
# custom:
#   id: performance.minimum
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Art. 15
#     - eu-ai-act/Art. 9
#     - nist-ai-rmf/MEASURE 2.5
#     - iso-42001/A.6.2.4
#     - us-mrm/MRM-2c
#   remediation: >-
#     Improve the model, or gather more labelled rows where the interval is too wide, and run
#     `tallystick audit` again. A limit is changed in the contract's limits.performance, under
#     review, and fixed with `tallystick criteria commit FILE` before the next audit.
package tallystick.rules.performance.minimum

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

stated[metric] := limit if {
	some metric, limit in facts.limits.performance
	count(judge.sides(limit)) > 0
}

measured(metric) if is_object(facts.report.performance[metric])

# One finding for each stated metric; a metric that was not measured is a failure of its limit.
findings contains {
	"status": judge.bound(facts.report.performance[metric], limit),
	"words": sprintf("%s is %s; the limit is %s%s.", [
		say.capital(say.metric(metric)), say.estimate(facts.report.performance[metric]), say.limit(limit), facts.origin(limit),
	]),
	"at": sprintf("/performance/%s", [metric]),
} if {
	some metric, limit in stated
	measured(metric)
}

findings contains {
	"status": "fail",
	"words": sprintf("%s has a limit of %s%s but was not measured%s.", [
		say.capital(say.metric(metric)), say.limit(limit), facts.origin(limit), reason(metric),
	]),
	"at": "/performance",
} if {
	some metric, limit in stated
	not measured(metric)
}

default reason(_) := ""

reason(metric) := sprintf(": %s", [absence.reason]) if {
	some absence in facts.report.performance.absent
	absence.metric == metric
}

ordered := [finding |
	some status in judge.order
	some finding in findings
	finding.status == status
]

result := judge.absent(
	facts.settings.missing.performance_limit,
	"No limit on performance was stated, so no result could have been too bad.",
	"State one in the contract under limits.performance, for example {roc_auc: {min: 0.70}}, and give it with --contract FILE.",
) if {
	is_object(facts.limits)
	is_string(facts.columns.task)
	count(stated) == 0
}

# A finding without a status would be lost above, so every stated metric must have one.
result := {
	"status": judge.worst({finding.status | some finding in findings}),
	"message": say.lead([finding.words | some finding in ordered]),
	"details": [finding.words | some finding in ordered],
	"evidence": [finding.at | some finding in ordered],
} if {
	count(stated) > 0
	count(findings) == count(stated)
}
