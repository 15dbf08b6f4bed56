package tallystick.rules.dependency.pins_test

import data.tallystick.fixture
import data.tallystick.rules.dependency.pins

test_sound_passes if pins.result.status == "pass" with input as fixture.release

test_an_open_version_fails if {
	pins.result.status == "fail" with input as fixture.released("/dependencies/unpinned", ["numpy"])
}

test_no_record_fails if {
	pins.result.status == "fail" with input as fixture.released("/dependencies/recorded", false)
}

test_without_the_facts_there_is_no_result if {
	not pins.result with input as fixture.unreleased("/dependencies")
}
