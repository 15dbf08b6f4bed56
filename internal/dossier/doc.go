// Package dossier writes the package for an auditor: everything that is on record about a model in a
// period, in one canonical zip file that anybody can check offline with [verify.Bundle].
//
// The package is made of events. Each is there as its leaf, proved under one signed checkpoint by one
// shared proof; what people read, the policies, the decisions' inputs and the statements are chosen by
// what the events say. Nothing is held in memory but what the proof takes: the files go to a spool on
// disk, and from there into the zip.
package dossier
