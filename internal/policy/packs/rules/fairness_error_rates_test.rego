package tallystick.rules.fairness.error_rates_test

import data.tallystick.fixture
import data.tallystick.rules.fairness.error_rates

verdict(at, value) := fixture.put(sprintf("/report/fairness/comparisons/%d/verdict", [at]), value)

test_within_the_gap_passes if {
	error_rates.result.status == "pass" with input as fixture.sound
}

test_beyond_the_gap_fails_and_names_groups_and_interval if {
	result := error_rates.result with input as verdict(1, "fail")
	result.status == "fail"
	every part in ["Female", "Male", "31.0 %", "30.0 %", "interval"] { contains(result.message, part) }
	result.evidence == ["/fairness/comparisons/1"]
}

test_across_the_gap_is_inconclusive if {
	error_rates.result.status == "inconclusive" with input as verdict(0, "inconclusive")
}

test_predictive_parity_does_not_decide_by_default if {
	error_rates.result.status == "pass" with input as verdict(2, "fail")
}

test_a_contract_can_name_it if {
	named := json.patch(verdict(2, "fail"), [{"op": "add", "path": "/limits/fairness/metrics", "value": ["predictive_parity"]}])
	error_rates.result.status == "fail" with input as named
}

test_equalized_odds_is_both_rates if {
	named := json.patch(verdict(0, "fail"), [{"op": "add", "path": "/limits/fairness/metrics", "value": ["equalized_odds"]}])
	error_rates.result.status == "fail" with input as named
}

test_a_metric_that_nobody_computed_is_insufficient if {
	named := fixture.put("/limits/fairness/metrics", ["equal_opportunity", "kindness"])
	error_rates.result.status == "insufficient" with input as named
}

test_small_groups_alone_are_insufficient if {
	small := json.patch(verdict(0, "insufficient"), [{"op": "add", "path": "/report/fairness/comparisons/1/verdict", "value": "insufficient"}])
	error_rates.result.status == "insufficient" with input as small
}

test_a_looser_gap_than_the_limit_fails if {
	error_rates.result.status == "fail" with input as fixture.put("/limits/fairness/gap", 0.05)
}

test_groups_without_comparison_fail if {
	result := error_rates.result with input as fixture.without("/report/fairness")
	result.status == "fail"
	contains(result.remediation, "--positive")
}

test_without_groups_there_is_nothing_to_judge if {
	bare := json.patch(fixture.sound, [{"op": "remove", "path": "/report/columns/groups"}, {"op": "remove", "path": "/report/fairness"}])
	result := error_rates.result with input as bare
	result.applies == false
}
