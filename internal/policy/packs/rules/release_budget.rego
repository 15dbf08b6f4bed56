# METADATA
# title: The error budget is not spent, and does not burn too fast
# description: >-
#   While a model keeps less than it promised, or uses its error budget up more than twice as fast as
#   planned, what changes it waits, unless the change is a rollback. A budget that nobody counts any
#   more is no budget.
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

apply := "Say how well the model is to behave with `tallystick objective apply -f FILE`, and let a server judge it."

count_it := sprintf("Run a server, which judges every minute, or judge it with `tallystick objective judge %s`.", [budget.name])

# Documents from before these were measured lack them, and say nothing of them.
paused := object.get(budget, "paused", false)

stale := object.get(budget, "stale", false)

verdict := object.get(budget, "verdict", "")

result := judge.not_applicable("No error budget is measured for this model, so none can be spent.") if {
	is_null(budget)
	release.settings.missing.objectives == "skip"
} else := {
	"status": release.settings.missing.objectives,
	"message": "No objective says how well this model is to behave there.",
	"remediation": apply,
} if {
	is_null(budget)
} else := {
	"status": "fail",
	"message": sprintf("The error budget is spent. %s", [left]),
	"remediation": back,
} if {
	is_number(budget.remaining)
	budget.remaining <= 0
} else := {
	"status": release.settings.found.paused,
	"message": sprintf("The error budget %s burns more than twice as fast as planned: experiments wait.", [budget.name]),
	"remediation": back,
} if {
	is_number(budget.remaining)
	paused
} else := {
	"status": release.settings.found.stale_budget,
	"message": sprintf("The objective %s was not judged for hours, or never: nobody knows what is left of its budget.", [budget.name]),
	"remediation": count_it,
} if {
	is_number(budget.remaining)
	stale
} else := {
	"status": "warn",
	"message": sprintf("Too few events were counted to say what is left of the error budget %s.", [budget.name]),
	"remediation": "Wait until there are more, or look at `tallystick objective judge` for what is counted.",
} if {
	is_number(budget.remaining)
	verdict == "insufficient"
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
