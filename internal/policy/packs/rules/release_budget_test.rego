package tallystick.rules.release.budget_test

import data.tallystick.fixture
import data.tallystick.rules.release.budget

test_sound_passes if budget.result.status == "pass" with input as fixture.release

test_a_spent_budget_fails if {
	budget.result.status == "fail" with input as fixture.released("/budget/remaining", 0)
}

test_a_small_rest_warns if {
	budget.result.status == "warn" with input as fixture.released("/budget/remaining", 0.01)
}

test_without_the_facts_there_is_no_result if {
	not budget.result with input as fixture.unreleased("/budget")
}
