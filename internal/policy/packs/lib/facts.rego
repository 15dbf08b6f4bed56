# METADATA
# title: The facts, by the names that the rules use
# description: >-
#   Nothing here has a default that could hide an absence: what is not in the input document is
#   undefined, and a rule that needs it has no result, which the gate counts as an error.
package tallystick.lib.facts

report := input.report

limits := input.limits

columns := input.report.columns

# The table of packs/data.yaml for the tier that the pack was loaded for.
settings := data.tallystick.tiers[data.tallystick.tier]

# Whether the report has a part. Rules ask `not facts.part("drift")` and never
# `not is_object(report.drift)`: the engine evaluates the argument of a call outside of the
# negation, so that an undefined argument would make the whole rule undefined.
part(name) if is_object(report[name])

# A list, where an empty one may have been written as null.
list(value) := value if is_array(value)

list(null) := []

features := list(columns.features)

labelled if {
	is_number(report.labelled_rows)
	report.labelled_rows > 0
}

classification if columns.task in {"binary", "multiclass"}

# Protected attributes that the audit was asked to look at. Needs the columns, so that a document
# without them is not taken for one without groups.
groups := object.get(columns, "groups", []) if is_string(columns.task)

# The metrics that decide fairness.error-rates: those of the contract, or those of the tier.
# Equalized odds is the pair of both rates.
fairness_metrics contains metric if {
	some named in named_metrics
	some metric in object.get(parts_of_metric, named, [named])
}

parts_of_metric := {"equalized_odds": ["equal_opportunity", "false_positive_rate"]}

default contract_metrics := []

contract_metrics := limits.fairness.metrics if is_array(limits.fairness.metrics)

named_metrics := contract_metrics if count(contract_metrics) > 0

named_metrics := settings.fairness_metrics if count(contract_metrics) == 0

# Where a limit comes from, for messages.
default origin(_) := ""

origin(limit) := sprintf(" (%s)", [limit.origin]) if {
	is_string(limit.origin)
	limit.origin != ""
}
