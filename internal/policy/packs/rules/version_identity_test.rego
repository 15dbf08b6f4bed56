package tallystick.rules.version.identity_test

import data.tallystick.fixture
import data.tallystick.rules.version.identity

test_sound_passes if identity.result.status == "pass" with input as fixture.release

test_a_draft_fails if {
	identity.result.status == "fail" with input as fixture.released("/version/state", "draft")
}

test_a_withdrawn_one_fails if {
	identity.result.status == "fail" with input as fixture.released("/version/state", "withdrawn")
}

test_missing_metadata_fails if {
	identity.result.status == "fail" with input as fixture.released("/version/lacks", ["seeds"])
}

test_a_deprecated_one_fails if {
	identity.result.status == "fail" with input as fixture.released("/version/state", "deprecated")
}

test_without_the_facts_there_is_no_result if {
	not identity.result with input as fixture.unreleased("/version")
}
