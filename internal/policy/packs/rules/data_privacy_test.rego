package tallystick.rules.data.privacy_test

import data.tallystick.fixture
import data.tallystick.rules.data.privacy

test_sound_passes if privacy.result.status == "pass" with input as fixture.release

test_a_bare_column_fails if {
	privacy.result.status == "fail" with input as fixture.released("/data/0/masked", [])
}

test_without_the_facts_there_is_no_result if {
	not privacy.result with input as fixture.unreleased("/data")
}
