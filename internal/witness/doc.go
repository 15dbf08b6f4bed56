// Package witness is both ends of the C2SP tlog-witness protocol (https://c2sp.org/tlog-witness,
// v1.0.0, add-checkpoint and the monitor's checkpoint).
//
// A Witness is run by somebody other than the log's operator, with a key and a disk of its own. It
// cosigns a checkpoint only if the log has shown that it continues the one cosigned before, so that
// nobody who trusts the witness can be shown another history. A Group asks witnesses for their
// cosignatures on the log's behalf.
//
// # What a cosignature means
//
// When Add returns one, the checkpoint under it is on the witness's disk. What the witness signed
// it remembers, whatever happens to the process; a write of unknown outcome stops it for good.
//
//	key                        the witness's private key, 0600
//	lock                       held by the one process that may sign
//	logs/<sha256>.checkpoint   the newest cosigned checkpoint of each log, by the hash of its origin
//	alarms.jsonl               signed checkpoints that did not fit, one JSON object a line
package witness
