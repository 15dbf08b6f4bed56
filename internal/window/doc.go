// Package window counts what a model saw in a window of time, so that windows can be merged and
// compared with a reference long after the rows are gone.
//
// A [Reference] is frozen and named by its digest. It says how each feature is counted: numbers in
// bins at the reference's quantiles, categories by the reference's values. A [Profile] holds the
// counts of one window. Profiles of one reference form a commutative monoid: [Profile.Merge] is
// exact, so that minutes, slices and sites merged in any order and any tree give the same bytes, and
// an auditor who counts the rows again gets them too. Nothing in a profile is a float: a sum of
// floats depends on its order.
//
// # The edges of a number
//
// The edges of a number feature are, of its finite reference values: the quantiles i/80 by
// [stat.Quantile] for i from 1 to 79, the greatest value, the float64 next below the least value,
// and, wherever two or more of those quantiles are equal, the float64 next below them, which leaves
// such a frequent value alone in its bin. Bin i holds what is above edge i-1 and at most edge i. Hence
// there are at most 82 bins, of which the first and the last are empty in the reference. Deciles are
// quantiles 8, 16, ..., 72 and so edges; the decile bins of [stat.Reference] are unions of bins.
//
// # Sums of a number
//
// A finite value x is taken as the whole number round((x - median) * 2^20 / IQR), ties to even, and
// clamped to 2^40 on either side, a million interquartile ranges, which is counted. Each bin keeps the
// sum of its whole numbers, the feature the sum of their squares, in 128 bits. If the IQR is 0 the
// standard deviation takes its place, and if that is 0 as well, 1.
package window
