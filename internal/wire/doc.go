// Package wire has the two encodings of Parquet that every reader of pages needs, for files that
// nobody vouches for: the compact protocol of Thrift in which footers and page headers are written, and the
// hybrid of runs and packed bits in which levels, indexes and booleans are.
//
// No length that the bytes state is believed before it was held against the bytes that there are.
package wire
