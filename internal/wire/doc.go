// Package wire has the encodings of Parquet that every reader of pages needs, for files that
// nobody vouches for: the compact protocol of Thrift in which footers and page headers are written, the
// hybrid of runs and packed bits in which levels, indexes and booleans are, and the differences of integers as
// our own files have them.
//
// No length that the bytes state is believed before it was held against the bytes that there are.
package wire
