// Package stat holds exact statistical formulas, each with its source and checked against
// published values.
//
// The functions are pure: they read slices and counts, touch nothing outside, and give the same
// bits for the same input. Three rules hold everywhere unless a comment says otherwise:
//
//   - A result that the data do not define (an empty input, a zero denominator) is NaN.
//   - NaN and infinite values in a sample are left out; what pairs a value with a label refuses
//     them instead, because leaving out would hide rows.
//   - Intervals are two-sided at [Confidence]; Estimate.Method names how they were made.
package stat
