package tallystick.rules.evidence.signer_test

import data.tallystick.fixture
import data.tallystick.rules.evidence.signer

test_sound_passes if signer.result.status == "pass" with input as fixture.release

test_a_stranger_fails if {
	signer.result.status == "fail" with input as fixture.released("/owed/1/signer_known", false)
}

test_without_the_facts_there_is_no_result if {
	not signer.result with input as fixture.unreleased("/owed")
}
