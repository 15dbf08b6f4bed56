// Package segment keeps the records of one model in one Parquet file, so that anybody's tools can
// ask it questions, and so that every record in it can be given back and proved.
//
// A file has a row for each record, in the order of the journal. Its columns follow from its
// records: one for each feature (f_<name>), one for each attribution (a_<name>), one for each field
// that occurs; docs/prediction.md lists them, with the rules for what a column cannot hold. Whatever the columns
// are, a record comes back as it was: its encoding and so its leaf are made anew from them, and are held
// against the leaf hash that stands beside them.
//
// The leaves, in order, make the RFC 6962 tree whose root is registered. A file carries the root of
// every 256 leaves too, so that the proof of one record needs one page of leaves and not all.
//
// Forgetting a record empties its row but for the leaf hash: the tree stays, and so does every other
// proof. Joining files keeps their trees apart as the parts of one file, each record at its place.
//
// Files are hostile until read: every size is checked against the bytes that there are.
package segment
