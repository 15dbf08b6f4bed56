package tallystick.rules.data.contract_test

import data.tallystick.fixture
import data.tallystick.rules.data.contract

test_kept_contract_passes if {
	contract.result.status == "pass" with input as fixture.sound
}

test_broken_contract_fails_and_says_where if {
	broken := json.patch(fixture.sound, [
		{"op": "add", "path": "/report/contract/verdict", "value": "fail"},
		{"op": "add", "path": "/report/contract/checks/0/verdict", "value": "fail"},
	])
	result := contract.result with input as broken
	result.status == "fail"
	result.details == ["age lies within 18 to 120."]
}

test_missing_contract_denies_at_tier_high_alone if {
	high := contract.result with input as fixture.without("/report/contract")
	high.status == "fail"
	contains(high.remediation, "--contract")
	low := contract.result with input as fixture.without("/report/contract") with data.tallystick.tier as "low"
	low.applies == false
}
