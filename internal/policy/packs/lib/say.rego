# METADATA
# title: Figures in words
# description: >-
#   sprintf formats an integral number as an integer whatever the verb says, so integers get their
#   decimals by hand.
package tallystick.lib.say

# 0.4485 -> "44.9 %"
percent(share) := concat("", [decimal(share * 100, 1), " %"])

# 0.2139 -> "21.4 points"
points(difference) := concat("", [decimal(difference * 100, 1), " percentage points"])

decimal(value, digits) := sprintf(verbs[digits], [rounded]) if {
	rounded := round(value * scales[digits]) / scales[digits]
	rounded != round(rounded)
} else := concat(".", [format_int(round(value), 10), substring("000", 0, digits)]) if {
	is_number(value)
}

scales := {1: 10, 3: 1000}

verbs := {1: "%.1f", 3: "%.3f"}

# "0.702, 95 % interval 0.690 to 0.714"
estimate(e) := sprintf("%s, 95 %% interval %s to %s", [decimal(e.value, 3), decimal(e.ci[0], 3), decimal(e.ci[1], 3)]) if {
	is_number(e.value)
	is_number(e.ci[0])
	is_number(e.ci[1])
} else := sprintf("%s, without an interval", [decimal(e.value, 3)]) if {
	is_number(e.value)
} else := "no value"

titles := {
	"roc_auc": "ROC AUC", "f1": "F1", "fpr": "false positive rate", "fnr": "false negative rate", "mcc": "Matthews correlation",
	"kappa": "Cohen's kappa", "brier": "Brier score", "mae": "mean absolute error", "rmse": "root mean squared error", "r2": "R²",
	"mape": "mean absolute percentage error",
	"ndcg": "NDCG", "recall_at_k": "recall@k", "precision_at_k": "precision@k", "map": "mean average precision",
	"mrr": "mean reciprocal rank", "coverage": "catalogue coverage", "popularity_gini": "popularity (Gini)",
	"ece": "expected calibration error", "ece_equal_mass": "expected calibration error (equal mass)", "mce": "maximum calibration error",
}

# A metric as people say it.
metric(name) := object.get(titles, name, replace(name, "_", " "))

# Text with its first letter as a capital.
capital(text) := concat("", [upper(substring(text, 0, 1)), substring(text, 1, -1)])

# "at least 0.700 and at most 0.900"
limit(bound) := concat(" and ", [words |
	some side in [["min", "at least"], ["max", "at most"]]
	is_number(bound[side[0]])
	words := sprintf("%s %s", [side[1], decimal(bound[side[0]], 3)])
])

# "1 group", "2 groups"
counted(n, _, many) := sprintf("%d %s", [n, many]) if n != 1

counted(1, one, _) := sprintf("1 %s", [one])

# The first of some sentences, and how many more there are.
lead(sentences) := sentence(sentences[0]) if count(sentences) == 1

lead(sentences) := sprintf("%s And %d more, listed below.", [sentence(sentences[0]), count(sentences) - 1]) if count(sentences) > 1

# Text with a full stop at its end.
sentence(text) := text if ended(text)

sentence(text) := concat("", [text, "."]) if not ended(text)

ended(text) if substring(text, count(text) - 1, 1) in {".", "!", "?"}

# The sentence of a comparison of two groups, from its figures if it carries none.
comparison(c) := c.words if {
	is_string(c.words)
	c.words != ""
} else := sprintf(
	"%s: %s has %s and %s has %s (%s), a difference of %s, 95 %% interval %s to %s.",
	[
		c.attribute, c.value, percent(c.rate), c.reference, percent(c.reference_rate), replace(c.metric, "_", " "),
		points(c.difference), points(c.difference_ci[0]), points(c.difference_ci[1]),
	],
)
