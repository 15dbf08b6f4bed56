package tallystick.lib.judge_test

import data.tallystick.lib.judge

test_worst_is_the_first_of_the_order if {
	judge.worst({"pass", "warn", "inconclusive"}) == "inconclusive"
	judge.worst({"pass"}) == "pass"
}

test_worst_of_nothing_or_nonsense_is_undefined if {
	not judge.worst(set())
	not judge.worst({"pass", "fine"})
}

test_many_by_the_settled_ones if {
	judge.many({"pass", "inconclusive", "fail"}) == "fail"
	judge.many({"pass", "inconclusive"}) == "warn"
	judge.many({"warn", "insufficient"}) == "warn"
	judge.many({"inconclusive", "insufficient"}) == "insufficient"
	judge.many({"pass"}) == "pass"
	not judge.many(set())
	not judge.many({"pass", "fine"})
	not judge.many({"fail", "fine"})
}

test_bound_is_judged_by_the_interval if {
	cases := [
		{"ci": [0.7, 0.8], "limit": {"min": 0.7}, "want": "pass"},
		{"ci": [0.69, 0.8], "limit": {"min": 0.7}, "want": "inconclusive"},
		{"ci": [0.6, 0.7], "limit": {"min": 0.7}, "want": "inconclusive"},
		{"ci": [0.6, 0.69], "limit": {"min": 0.7}, "want": "fail"},
		{"ci": [0.6, 0.7], "limit": {"max": 0.7}, "want": "pass"},
		{"ci": [0.6, 0.71], "limit": {"max": 0.7}, "want": "inconclusive"},
		{"ci": [0.71, 0.8], "limit": {"max": 0.7}, "want": "fail"},
		{"ci": [0.4, 0.6], "limit": {"min": 0.3, "max": 0.5}, "want": "inconclusive"},
		{"ci": [null, null], "limit": {"min": 0.3}, "want": "insufficient"},
	]
	every case in cases {
		judge.bound({"value": 0.5, "ci": case.ci}, case.limit) == case.want
	}
}

test_bound_without_a_number_is_undefined if {
	not judge.bound({"value": 0.5, "ci": [0.4, 0.6]}, {"min": "0.3"})
	not judge.bound({"value": 0.5, "ci": [0.4, 0.6]}, {"min": "0.3", "max": 0.7})
	not judge.bound({"value": 0.5, "ci": [0.4, 0.6]}, {})
}

test_absent_follows_the_table if {
	judge.absent("fail", "m", "r").status == "fail"
	judge.absent("skip", "m", "r").applies == false
	not judge.absent("pass", "m", "r")
}
