// Package prediction knows what one prediction is: the [Record], its JSON form, its binary encoding
// and the leaf that stands for it in a Merkle tree. It needs nothing of the house but the module
// root, so that package verify can use it; docs/prediction.md tells a stranger the same in words.
//
// The encoding is the thing that is proved. A record has exactly one, and bytes that are not the
// encoding of any record are refused. The leaf is SHA-256 over a zero byte and the encoding (RFC
// 6962 section 2.1); the encoding holds a salt of 16 random bytes, so that nobody can guess a
// record from its leaf. Neither depends on the columns or the file that a record is stored in.
//
// Numbers have one form: there is one zero and one NaN, and a number without a fraction that fits
// 64 bits is an integer, however it was written. So 5, 5.0 and 5e0 are one value, and a record
// stays what it is when a column of a file holds its numbers as doubles.
package prediction
