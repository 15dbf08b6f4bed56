package tallystick.rules.release.freeze_test

import data.tallystick.fixture
import data.tallystick.rules.release.freeze

test_no_freeze_does_not_apply if {
	result := freeze.result with input as fixture.sound
	result.applies == false
}

test_a_freeze_denies if {
	freeze.result.status == "fail" with input as fixture.put("/freeze", {"id": "f1"})
}
