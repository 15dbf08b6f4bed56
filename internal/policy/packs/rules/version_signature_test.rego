package tallystick.rules.version.signature_test

import data.tallystick.fixture
import data.tallystick.rules.version.signature

test_sound_passes if signature.result.status == "pass" with input as fixture.release

test_no_signature_fails if {
	signature.result.status == "fail" with input as fixture.released("/owed/1/state", "missing")
}

test_a_signature_of_other_files_fails if {
	signature.result.status == "fail" with input as fixture.released("/owed/1/subject", "sha256:ab")
}

test_without_the_facts_it_fails if {
	signature.result.status == "fail" with input as fixture.unreleased("/version")
}
