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

test_a_budget_that_burns_too_fast_denies_at_tier_high if {
	budget.result.status == "fail" with input as fixture.released("/budget/paused", true) with data.tallystick.tier as "high"
}

test_a_budget_that_burns_too_fast_warns_at_tier_low if {
	budget.result.status == "warn" with input as fixture.released("/budget/paused", true) with data.tallystick.tier as "low"
}

test_a_budget_that_nobody_counts_denies_at_tier_high if {
	budget.result.status == "fail" with input as fixture.released("/budget/stale", true) with data.tallystick.tier as "high"
}

test_too_few_events_warn if {
	budget.result.status == "warn" with input as fixture.released("/budget/verdict", "insufficient")
}

test_without_an_objective_a_tier_may_ask_for_one if {
	budget.result.status == "fail" with input as fixture.released("/budget", null) with data.tallystick.tiers.high.missing.objectives as "fail" with data.tallystick.tier as "high"
}

test_without_the_facts_there_is_no_result if {
	not budget.result with input as fixture.unreleased("/budget")
}
