package tallystick.rules.performance.champion_test

import data.tallystick.fixture
import data.tallystick.rules.performance.champion

differing(ci) := fixture.put("/champion/metrics/0/difference/ci", ci)

strict(ci) := json.patch(differing(ci), [{"op": "remove", "path": "/limits/performance/roc_auc/max_drop"}])

test_within_the_tolerated_loss_passes if {
	champion.result.status == "pass" with input as fixture.sound
}

test_a_loss_that_is_not_excluded_is_inconclusive if {
	champion.result.status == "inconclusive" with input as differing([-0.03, 0.01])
}

test_a_larger_loss_fails if {
	champion.result.status == "fail" with input as differing([-0.05, -0.03])
}

test_without_a_tolerated_loss_only_a_certain_loss_fails if {
	champion.result.status == "pass" with input as strict([-0.03, 0.01])
	champion.result.status == "fail" with input as strict([-0.03, -0.01])
}

test_where_smaller_is_better_a_rise_is_a_loss if {
	rise := json.patch(strict([0.01, 0.03]), [{"op": "add", "path": "/champion/metrics/0/metric", "value": "log_loss"}])
	champion.result.status == "fail" with input as rise
}

test_no_champion_does_not_apply if {
	result := champion.result with input as fixture.put("/champion", null)
	result.applies == false
}

test_no_common_metric_is_insufficient if {
	champion.result.status == "insufficient" with input as fixture.put("/champion/metrics", [])
}
