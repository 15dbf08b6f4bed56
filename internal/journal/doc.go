// Package journal keeps batches of opaque records, durably and in order, from the moment they are
// acknowledged until somebody has put them away and trims them.
//
// A batch is one frame. Frames that wait at the same time are written in one commit, whatever the engine
// beneath: a file of SQLite or tables in PostgreSQL. [Journal.Append] returns when three things are done,
// in this order:
//
//  1. the commit that holds the frame is written;
//  2. the mark, a file of its own, is written, and says that the journal reaches as far as this frame;
//  3. both are durable;
//  4. the caller has its [Receipt].
//
// So a journal that ends before its mark has lost something, which was acknowledged unless the mark was
// written in the very moment of a loss of power, and it says if that may be. A journal that goes on behind
// its mark has only gained what nobody was told of. SQLite alone cannot tell: after a flipped bit in its
// write-ahead log it opens without an error and without the rest. A frame carries the hash of the frame
// before it, so that what is missing in the middle shows too.
//
// [Open] reads everything and compares. A range that is damaged or lost is put aside, never removed; a
// new shard begins behind it, and its first frame says what is missing, see [Gap]. A reader meets that
// frame where the gap is. A sequence is never used for two frames that anybody may have been told of.
//
// An error of a commit is final: the system may have dropped what it could not write, and the next sync
// would succeed without it. Every later Append fails with the same reason; the next Open finds out what
// the disk holds.
//
// What waits in memory and what lies on the disk is bounded by bytes. A full journal says so at once,
// with the time after which to try again: see [FullError].
package journal
