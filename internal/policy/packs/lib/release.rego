# METADATA
# title: What the rules about releases share
# description: >-
#   Here and in the rules a set in `x in {...}` holds constants only: the engine indexes such a
#   condition by the constants and forgets the members that are looked up.
package tallystick.lib.release

import data.tallystick.lib.facts

version := input.release.version

settings := facts.settings

# "credit@2", as commands take it.
name := sprintf("%s@%s", [input.model.name, input.model.version])

audit_command := sprintf("tallystick audit FILE --model %s --version %s --tier %s", [input.model.name, input.model.version, input.model.tier])

register_command := sprintf("tallystick register %s PATH", [name])

now := time.parse_rfc3339_ns(input.now)

past(moment) if time.parse_rfc3339_ns(moment) <= now

# Days since a moment; negative if it is yet to come.
days_since(moment) := (now - time.parse_rfc3339_ns(moment)) / 86400000000000

day(moment) := substring(moment, 0, 10)

# Whether an empty name, which means any, or the name itself.
any_or("", _)

any_or(name, name) if name != ""

# The digests that evidence about this version names; one without a subject is about it too.
subjects := {"", version.digest, version.root}

about_this(digest) if digest in subjects

# A release of another kind than these two has no result anywhere.
promotion if input.release.kind == "promotion"

rollback if input.release.kind == "rollback"

# Whoever had a hand in what is to be released, and whoever made the tokens by which that was done.
authors := {author.id | some author in input.release.authors} | {author.minter | some author in input.release.authors; author.minter != ""}

# Whether an author stands behind a person: the same one, or one whose token was used.
involved(person) if person.id in authors

involved(person) if {
	person.minter != ""
	person.minter in authors
}

# An approval of these files and no others. Third-party models may have none to be bound to.
bound(approval) if {
	approval.digest == version.digest
	version.digest != ""
}

bound(approval) if {
	approval.digest == version.digest
	version.third_party
}

waivers := [waiver | some waiver in input.waivers; waiver.version == input.model.version]
