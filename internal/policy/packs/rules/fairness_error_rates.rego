# METADATA
# title: The model errs alike for every group
# description: >-
#   Compares true and false positive rates of each group with the reference group of its
#   attribute. The verdict comes from the interval of the difference, adjusted for the number of
#   comparisons. Metrics that differ merely because outcomes are more frequent in one group, such
#   as predictive parity, decide only where a contract names them: they and equal error rates
#   cannot all hold at once (Chouldechova 2017; Kleinberg and others 2016).
# custom:
#   id: fairness.error-rates
#   severity: critical
#   blocking: [limited, high]
#   controls:
#     - eu-ai-act/Art. 10
#     - eu-ai-act/Annex IV(2)(g)
#     - nist-ai-rmf/MEASURE 2.11
#     - iso-42001/A.5.4
#     - iso-42001/A.6.2.4
#   remediation: >-
#     Find the cause with `tallystick audit` and --group on the training data, mitigate it
#     (thresholds, features, sampling), and audit again; more labelled rows of the named groups
#     narrow an interval that crosses the limit. The accepted gap is limits.fairness.gap of the
#     contract.
package tallystick.rules.fairness.error_rates

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

fairness := facts.report.fairness

comparisons := facts.list(fairness.comparisons)

judged := [comparison |
	some at, found in comparisons
	found.metric in facts.fairness_metrics
	comparison := object.union(found, {"at": sprintf("/fairness/comparisons/%d", [at])})
]

with_verdict(verdict) := [comparison | some comparison in judged; comparison.verdict == verdict]

# Groups that are too small are left to fairness.small-groups, unless every group is.
verdicts := {comparison.verdict | some comparison in judged}

conclusive := verdicts - {"insufficient"}

# A metric that the contract names and nobody computed must not look like one that holds.
not_compared := [metric |
	some metric in facts.fairness_metrics
	count([comparison | some comparison in judged; comparison.metric == metric]) == 0
]

looser if fairness.limits.gap > facts.limits.fairness.gap

result := judge.not_applicable("No protected attribute was named; evidence.required says what that means for this tier.") if {
	count(facts.groups) == 0
	not facts.part("fairness")
} else := judge.not_applicable("Error rates compare classes; this model predicts none.") if {
	is_string(facts.columns.task)
	not facts.classification
	not facts.part("fairness")
} else := {
	"status": "fail",
	"message": "Groups were named but are not compared.",
	"remediation": "Run `tallystick audit` with --label COL, --prediction COL and --positive V,... beside --group.",
} if {
	count(facts.groups) > 0
	not facts.part("fairness")
} else := {
	"status": "fail",
	"message": sprintf("The groups were judged with a gap of %s, but the limit is %s.", [
		say.points(fairness.limits.gap), say.points(facts.limits.fairness.gap),
	]),
	"evidence": ["/fairness/limits"],
	"remediation": "Run `tallystick audit` again with the contract that states the limit: --contract FILE.",
} if {
	looser
} else := {
	"status": "insufficient",
	"message": sprintf("No two groups were compared by %s.", [replace(concat(" or ", not_compared), "_", " ")]),
	"evidence": ["/fairness"],
	"remediation": "Run `tallystick audit` with labels (--label COL, or --id COL --labels FILE) and a column of at least two groups (--group COL).",
} if {
	is_array(comparisons)
	count(not_compared) > 0
} else := {
	"status": judge.worst(conclusive),
	"message": message(judge.worst(conclusive)),
	"details": [say.comparison(comparison) |
		some verdict in ["fail", "inconclusive", "warn", "insufficient"]
		some comparison in with_verdict(verdict)
	],
	"evidence": [comparison.at |
		some verdict in ["fail", "inconclusive", "warn"]
		some comparison in with_verdict(verdict)
	],
} if {
	count(conclusive) > 0
} else := {
	"status": "insufficient",
	"message": "Every group is too small to judge.",
	"details": [say.comparison(comparison) | some comparison in judged],
	"evidence": ["/fairness/groups"],
	"remediation": "Gather more labelled rows of each group, then run `tallystick audit` again.",
} if {
	verdicts == {"insufficient"}
}

message(status) := sprintf("%d of %s differ by more than the gap that is accepted. %s", [
	count(with_verdict("fail")), say.counted(count(judged), "comparison", "comparisons"),
	say.lead([say.comparison(comparison) | some comparison in with_verdict("fail")]),
]) if {
	status == "fail"
}

message(status) := sprintf("%d of %s cannot be decided: the interval crosses the accepted gap. %s", [
	count(with_verdict("inconclusive")), say.counted(count(judged), "comparison", "comparisons"),
	say.lead([say.comparison(comparison) | some comparison in with_verdict("inconclusive")]),
]) if {
	status == "inconclusive"
}

message(status) := sprintf("%s within the accepted gap%s.", [
	say.counted(count(judged) - count(with_verdict("insufficient")), "comparison is", "comparisons are"), too_small,
]) if {
	status in {"pass", "warn"}
}

default too_small := ""

too_small := sprintf("; %s too small to judge", [say.counted(count(with_verdict("insufficient")), "other is", "others are")]) if {
	"insufficient" in verdicts
}
