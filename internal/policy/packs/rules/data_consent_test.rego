package tallystick.rules.data.consent_test

import data.tallystick.fixture
import data.tallystick.rules.data.consent

test_sound_passes if consent.result.status == "pass" with input as fixture.release

test_no_basis_fails if {
	consent.result.status == "fail" with input as fixture.released("/data/0/consent_basis", "")
}

test_a_forbidden_purpose_fails if {
	consent.result.status == "fail" with input as fixture.released("/data/0/forbidden_purposes", ["Scoring"])
}

test_no_data_fails if {
	consent.result.status == "fail" with input as fixture.released("/data", [])
}

test_no_purpose_is_insufficient if {
	consent.result.status == "insufficient" with input as fixture.released("/purpose", "")
}

test_without_the_facts_there_is_no_result if {
	not consent.result with input as fixture.unreleased("/data")
}
