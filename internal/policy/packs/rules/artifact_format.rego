# METADATA
# title: No file of the version can run code when it is loaded
# description: >-
#   A pickle is a program. A file in which the scan found something that runs is refused at every
#   tier; a format that could run something is refused at tier high unless a waiver says who answers
#   for it.
# custom:
#   id: artifact.format
#   about: release
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - mitre-atlas/AML.T0011.000
#     - mitre-atlas/AML.T0018.002
#     - eu-ai-act/Annex IV(2)(h)
#     - nist-ai-rmf/MEASURE 2.7
#   remediation: >-
#     Store the weights as safetensors, ONNX or GGUF and register a version of them with
#     `tallystick register`; `tallystick model scan PATH` says what each file is.
package tallystick.rules.artifact.format

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

files := input.release.artifacts

scan := sprintf("tallystick model scan PATH --model %s", [release.name])

unsafe := [sprintf("%s (%s): %s", [file.name, file.format, say.sentence(reason(file))]) | some file in files; file.unsafe == true]

default reason(_) := "it can run code when it is loaded"

reason(file) := file.reason if file.reason != ""

programs := [sprintf("%s is a %s file, which is a program to whoever loads it.", [file.name, file.format]) |
	some file in files
	file.unsafe == false
	file.format in release.settings.code_formats
]

unseen := [sprintf("%s: nobody has looked what it is.", [file.name]) | some file in files; file.unsafe == false; file.format in {"", "unknown"}]

harmless := [file |
	some file in files
	file.unsafe == false
	not file.format in {"", "unknown"}
	not file.format in release.settings.code_formats
]

complete if count(unsafe) + count(programs) + count(unseen) + count(harmless) == count(files)

convert := "Store the weights as safetensors, ONNX or GGUF and register a version of them with `tallystick register`."

result := judge.not_applicable("The third-party model came without files.") if {
	count(files) == 0
	release.version.third_party == true
} else := judge.absent(
	release.settings.missing.artifacts,
	"Nobody has looked at the files of the version.",
	sprintf("Run `%s`.", [scan]),
) if {
	count(files) == 0
	release.version.third_party == false
} else := {
	"status": "fail",
	"message": sprintf("%s run code when loaded. %s", [say.counted(count(unsafe), "file can", "files can"), say.lead(unsafe)]),
	"details": array.concat(unsafe, programs),
	"remediation": convert,
} if {
	complete
	count(unsafe) > 0
} else := {
	"status": release.settings.found.code_formats,
	"message": say.lead(programs),
	"details": array.concat(programs, unseen),
	"remediation": convert,
} if {
	complete
	count(programs) > 0
	release.settings.found.code_formats in {"fail", "warn"}
} else := judge.absent(
	release.settings.missing.artifacts,
	say.lead(unseen),
	sprintf("Run `%s`.", [scan]),
) if {
	complete
	count(unseen) > 0
} else := {
	"status": "pass",
	"message": sprintf("%s of formats that hold data and no code.", [say.counted(count(harmless), "file is", "files are")]),
} if {
	complete
	count(unseen) == 0
	count(harmless) + count(programs) == count(files)
}
