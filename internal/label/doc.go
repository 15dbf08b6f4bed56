// Package label keeps outcomes that are known later than the prediction: that a loan was paid back, that
// a diagnosis was right. They come in batches, in any order, twice and corrected.
//
// A label is never changed. Of several for one prediction the one that was stated last counts, so the
// order of arrival does not matter; what was known at a moment follows from when each was recorded.
// A label for a prediction that is not on record waits for it.
//
// A batch is one event, which has the digest of its labels as canonical lines of JSON; the rows follow from
// event and lines. Decision 0025 says why it is so.
package label
