// Package tallystick holds the words that every floor of the house shares: digests, identifiers,
// verdicts, outcomes and the one error type. It imports the standard library only.
package tallystick
