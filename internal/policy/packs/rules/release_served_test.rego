package tallystick.rules.release.served_test

import data.tallystick.fixture
import data.tallystick.rules.release.served

test_sound_does_not_apply if {
	result := served.result with input as fixture.release
	result.applies == false
}

test_a_rollback_to_nothing_fails if {
	served.result.status == "fail" with input as fixture.rollback([])
}

test_a_rollback_passes if {
	served.result.status == "pass" with input as fixture.rollback([{"from": "2026-06-01T00:00:00Z", "until": null, "decision": "sha256:ef", "verdict": "pass"}])
}

test_without_the_facts_there_is_no_result if {
	not served.result with input as fixture.unreleased("/kind")
}
