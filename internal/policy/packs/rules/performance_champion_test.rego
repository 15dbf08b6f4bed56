package tallystick.rules.performance.champion_test

import data.tallystick.fixture
import data.tallystick.rules.performance.champion

differing(ci) := fixture.put("/champion/metrics/0/difference/ci", ci)

# Without a max_drop, and with the verdict of the report.
unlimited(verdict) := json.patch(fixture.put("/champion/metrics/0/verdict", verdict), [{"op": "remove", "path": "/limits/performance/roc_auc/max_drop"}])

beside(verdict) := json.patch(unlimited(verdict), [{"op": "add", "path": "/champion/metrics/-", "value": object.union(
	fixture.sound.champion.metrics[0],
	{"metric": "log_loss", "verdict": "pass"},
)}])

test_within_the_tolerated_loss_passes if {
	champion.result.status == "pass" with input as fixture.sound
}

test_a_loss_that_is_not_excluded_is_inconclusive if {
	champion.result.status == "inconclusive" with input as differing([-0.03, 0.01])
}

test_a_larger_loss_fails if {
	champion.result.status == "fail" with input as differing([-0.05, -0.03])
}

test_without_a_tolerated_loss_the_report_decides if {
	every verdict in ["pass", "warn", "inconclusive", "insufficient", "fail"] {
		champion.result.status == verdict with input as unlimited(verdict)
	}
}

test_one_unsettled_metric_beside_a_settled_one_warns if {
	champion.result.status == "warn" with input as beside("inconclusive")
	champion.result.status == "fail" with input as beside("fail")
}

test_a_promise_is_not_made_good_by_another_metric if {
	promised := json.patch(beside("pass"), [{"op": "add", "path": "/limits/performance/roc_auc/max_drop", "value": 0.001}])
	champion.result.status == "inconclusive" with input as promised
}

test_where_smaller_is_better_a_rise_is_a_loss if {
	rise := json.patch(differing([0.01, 0.03]), [
		{"op": "add", "path": "/champion/metrics/0/metric", "value": "log_loss"},
		{"op": "add", "path": "/limits/performance/log_loss/max_drop", "value": 0.005},
	])
	champion.result.status == "fail" with input as rise
}

test_a_metric_without_verdict_is_no_result if {
	not champion.result with input as json.patch(unlimited("pass"), [{"op": "remove", "path": "/champion/metrics/0/verdict"}])
	not champion.result with input as unlimited("fine")
}

test_no_champion_does_not_apply if {
	result := champion.result with input as fixture.put("/champion", null)
	result.applies == false
}

test_no_common_metric_is_insufficient if {
	champion.result.status == "insufficient" with input as fixture.put("/champion/metrics", [])
}
