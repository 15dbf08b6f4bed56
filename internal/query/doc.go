// Package query answers questions about the predictions of a model: which there are, how many and of
// which kind, how their numbers are spread, and how they turned out.
//
// It reads the columns that a question needs from the files of package segment, and no others, batch by
// batch; what it holds meanwhile is bounded. Labels are joined by the ids of predictions, as they were known
// at one moment.
//
// A value that is absent and one that is null are alike here: neither is equal to anything but null, nor
// different from anything else, nor counted among numbers.
package query
