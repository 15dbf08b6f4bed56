package tallystick.rules.performance.minimum_test

import data.tallystick.fixture
import data.tallystick.rules.performance.minimum

test_within_the_limits_passes if {
	minimum.result.status == "pass" with input as fixture.sound
}

test_wholly_below_fails if {
	result := minimum.result with input as fixture.put("/limits/performance/roc_auc/min", 0.9)
	result.status == "fail"
	startswith(result.message, "ROC AUC is 0.800, 95 % interval 0.780 to 0.820; the limit is at least 0.900.")
}

test_across_is_inconclusive if {
	result := minimum.result with input as fixture.put("/limits/performance/log_loss/max", 0.4)
	result.status == "inconclusive"
}

test_a_metric_that_was_not_measured_fails_with_its_reason if {
	result := minimum.result with input as fixture.put("/limits/performance/rmse", {"max": 1})
	result.status == "fail"
	contains(result.message, "classes have none")
}

test_no_limit_by_tier if {
	none := fixture.put("/limits/performance", {})
	high := minimum.result with input as none
	high.status == "fail"
	contains(high.remediation, "limits.performance")
	limited := minimum.result with input as none with data.tallystick.tier as "limited"
	limited.status == "warn"
	low := minimum.result with input as none with data.tallystick.tier as "low"
	low.applies == false
}

test_max_drop_alone_is_no_minimum if {
	result := minimum.result with input as fixture.put("/limits/performance", {"roc_auc": {"max_drop": 0.1}})
	result.status == "fail"
	contains(result.message, "No limit")
}

test_a_limit_that_is_no_number_is_no_result if {
	not minimum.result with input as fixture.put("/limits/performance/roc_auc/min", "0.7")
}
