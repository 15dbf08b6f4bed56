# METADATA
# title: Performance is not below the champion's
# description: >-
#   The difference to the champion is judged by its 95 % interval. A metric with a stated max_drop
#   must show that it is worse by no more than that. The others are judged as the report judges
#   them, with a loss of 5 % of the champion's value accepted: one that is wholly worse fails, and
#   one that is not settled is a warning as long as another metric is settled.
# custom:
#   id: performance.champion
#   severity: high
#   blocking: [limited, high]
#   controls:
#     - eu-ai-act/Art. 15
#     - nist-ai-rmf/MEASURE 2.5
#     - iso-42001/A.6.2.4
#     - us-mrm/MRM-2b
#   remediation: >-
#     Keep the champion, or improve the challenger and run `tallystick audit` again on the same
#     data; a tolerated loss is stated as max_drop in the contract's limits.performance.
package tallystick.rules.performance.champion

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

smaller_is_better := {"fpr", "fnr", "log_loss", "brier", "mae", "rmse", "mape", "popularity_gini"}

# The mean error is best at zero, so neither direction is worse.
compared := [metric | some metric in input.champion.metrics; metric.metric != "bias"]

# How much worse the challenger is, as [least, most]: negative is better.
loss(metric) := ci if {
	metric.metric in smaller_is_better
	ci := metric.difference.ci
}

loss(metric) := [0 - metric.difference.ci[1], 0 - metric.difference.ci[0]] if not metric.metric in smaller_is_better

drop(metric) := most if {
	most := facts.limits.performance[metric.metric].max_drop
	is_number(most)
}

judged(metric) := "insufficient" if not judge.measured(metric.difference)

judged(metric) := judge.bound({"value": metric.difference.value, "ci": loss(metric)}, {"max": drop(metric)}) if {
	judge.measured(metric.difference)
}

judged(metric) := metric.verdict if {
	judge.measured(metric.difference)
	not drop(metric)
}

findings := [{"status": judged(metric), "words": words(metric), "promised": is_number(object.get(facts.limits, ["performance", metric.metric, "max_drop"], null))} |
	some metric in compared
]

# What a max_drop promises must be shown.
promised := {finding.status | some finding in findings; finding.promised}

status := judge.worst(promised | {judge.many({finding.status | some finding in findings})})

words(metric) := sprintf("%s is %s; the champion's is %s; the difference is %s%s.", [
	say.metric(metric.metric), say.estimate(metric.value), say.estimate(metric.baseline), say.estimate(metric.difference), tolerated(metric),
])

default tolerated(_) := ""

tolerated(metric) := sprintf(", and a loss of %s is tolerated", [say.decimal(drop(metric), 3)])

ordered := [finding |
	some status in judge.order
	some finding in findings
	finding.status == status
]

result := judge.absent(
	facts.settings.missing.champion,
	"No champion was given to compare with.",
	"Audit the version in use on the same data and give its report with --champion DIR/report.json.",
) if {
	is_null(input.champion)
}

result := {
	"status": status,
	"message": sprintf("Against %s: %s", [input.champion.name, say.lead([finding.words | some finding in ordered])]),
	"details": [finding.words | some finding in ordered],
	"evidence": ["/performance"],
} if {
	is_object(input.champion)
	count(findings) > 0
	count(findings) == count(compared)
}

result := {
	"status": "insufficient",
	"message": sprintf("The champion %s shares no metric with this audit.", [input.champion.name]),
	"remediation": "Audit both versions with `tallystick audit` on the same data, with the same --label and --prediction.",
} if {
	is_array(input.champion.metrics)
	count(compared) == 0
}
