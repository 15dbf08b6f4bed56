// Package artifact knows what a model version is made of: which files (a [Manifest], whose digest
// is the version's identity), and what is in them (an [Inspection]). Nothing here loads a model,
// and nothing here runs what a file says: every reader takes its input for hostile, bounds what it
// reads and keeps, and judges what it could not read as unreadable, never as safe.
package artifact
