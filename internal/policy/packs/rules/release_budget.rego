# METADATA
# title: The error budget is not spent
# description: >-
#   While a model keeps less than it promised, what changes it waits, unless the change is a rollback.
# custom:
#   id: release.budget
#   about: release
#   severity: high
#   blocking: [low, limited, high]
#   controls:
#     - nist-ai-rmf/MANAGE 4.1
#     - eu-ai-act/Art. 72
#     - iso-42001/A.6.2.6
#   remediation: >-
#     Wait until the budget has recovered, or go back to the version before with
#     `tallystick release rollback`.
package tallystick.rules.release.budget

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

budget := input.release.budget

left := sprintf("Of the error budget %s %s is left over %s.", [budget.name, say.percent(max({0, budget.remaining})), budget.window])

back := sprintf("Wait until it has recovered, or go back with `tallystick release rollback %s --in %s`.", [input.model.name, input.release.environment.name])

result := judge.not_applicable("No error budget is measured for this model, so none can be spent.") if {
	is_null(budget)
} else := {
	"status": "fail",
	"message": sprintf("The error budget is spent. %s", [left]),
	"remediation": back,
} if {
	is_number(budget.remaining)
	budget.remaining <= 0
} else := {
	"status": "warn",
	"message": left,
	"remediation": back,
} if {
	is_number(budget.remaining)
	budget.remaining < release.settings.limits.budget_warning
} else := {
	"status": "pass",
	"message": left,
} if {
	is_number(budget.remaining)
	budget.remaining >= release.settings.limits.budget_warning
}
