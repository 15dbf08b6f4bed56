package tallystick.rules.criteria.committed_test

import data.tallystick.fixture
import data.tallystick.rules.criteria.committed

test_committed_before_passes_and_says_what_it_cannot_show if {
	result := committed.result with input as fixture.sound
	result.status == "pass"
	result.message == "Fixed in time. It cannot show who looked elsewhere."
}

test_without_a_sentence_of_the_audit_it_says_so_itself if {
	result := committed.result with input as fixture.put("/criteria/words", "")
	endswith(result.message, "The trail cannot show whether somebody looked at the data elsewhere before.")
}

test_not_committed_by_tier if {
	without := fixture.put("/criteria/committed", false)
	high := committed.result with input as without
	high.status == "fail"
	contains(high.remediation, "tallystick criteria commit")
	limited := committed.result with input as without with data.tallystick.tier as "limited"
	limited.status == "warn"
	low := committed.result with input as without with data.tallystick.tier as "low"
	low.applies == false
}

test_committed_too_late_fails if {
	committed.result.status == "fail" with input as fixture.put("/criteria/before_first_audit", false)
}

test_unknown_is_no_result if {
	not committed.result with input as fixture.without("/criteria/committed")
}
