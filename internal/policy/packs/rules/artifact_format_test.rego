package tallystick.rules.artifact.format_test

import data.tallystick.fixture
import data.tallystick.rules.artifact.format

test_sound_passes if format.result.status == "pass" with input as fixture.release

test_an_unsafe_file_fails if {
	format.result.status == "fail" with input as fixture.released("/artifacts/0/unsafe", true)
}

test_a_pickle_fails if {
	format.result.status == "fail" with input as fixture.released("/artifacts/0/format", "pickle")
}

test_an_unknown_file_fails if {
	format.result.status == "fail" with input as fixture.released("/artifacts/0/format", "")
}

test_without_the_facts_there_is_no_result if {
	not format.result with input as fixture.unreleased("/artifacts")
}
