# METADATA
# title: The data keeps its contract
# description: >-
#   Every expectation of the data contract holds for this file. The check of a contract is exact:
#   it is about this file and not about the population behind it.
# custom:
#   id: data.contract
#   severity: high
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Annex IV(2)(d)
#     - nist-ai-rmf/MAP 2.3
#     - iso-42001/A.7.4
#     - us-mrm/MRM-1
#   remediation: >-
#     Repair the data and check it with `tallystick data check FILE --contract FILE`;
#     `tallystick data infer FILE` writes a first contract from good data.
package tallystick.rules.data.contract

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

contract := facts.report.contract

checks := facts.list(contract.checks)

broken := [check |
	some verdict in judge.order
	verdict != "pass"
	some check in checks
	check.verdict == verdict
]

result := judge.absent(
	facts.settings.missing.contract,
	"No data contract was given, so nobody has said what the data must be.",
	"Write a first contract from good data with `tallystick data infer FILE`, review it, and give it with --contract FILE.",
) if {
	is_object(facts.report)
	not facts.part("contract")
}

result := {
	"status": contract.verdict,
	"message": sprintf("The contract %s does not hold in %d of %s. %s", [
		contract.name, count(broken), say.counted(count(checks), "expectation", "expectations"),
		say.lead([check.words | some check in broken]),
	]),
	"details": [check.words | some check in broken],
	"evidence": ["/contract", contract.contract_digest],
} if {
	contract.verdict in judge.order
	count(broken) > 0
}

result := {
	"status": contract.verdict,
	"message": sprintf("The contract %s holds: %s.", [
		contract.name, say.counted(count(checks), "expectation was kept", "expectations were kept"),
	]),
	"evidence": ["/contract", contract.contract_digest],
} if {
	contract.verdict in judge.order
	count(broken) == 0
}
