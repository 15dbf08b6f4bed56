package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
)

// Block is a row of frames that were written together: what an engine keeps. Sequences within a block
// have no gaps.
type Block struct {
	First, Last uint64
	Hash        Hash // of the last frame
	Frames      []byte
}

// Start is where a log begins: behind the frame of this sequence and hash. What lies before has been
// trimmed, or was never there.
type Start struct {
	Sequence uint64
	Hash     Hash
	Trimmed  uint64 // not less than Sequence: the first block may have been trimmed in part
	Receipts [][]byte
}

// sum is what a store keeps beside its start to notice damage: what lies before it is not read.
func (s Start) sum() int64 {
	b := binary.BigEndian.AppendUint64(nil, s.Sequence)
	b = binary.BigEndian.AppendUint64(b, s.Trimmed)
	return int64(crc32.Checksum(append(b, s.Hash[:]...), castagnoli))
}

// newStart is the start that a store has kept, if it is as it was written.
func newStart(sequence, trimmed, sum int64, hash []byte) (s Start, err error) {
	s.Sequence, s.Trimmed = uint64(sequence), uint64(trimmed)
	if copy(s.Hash[:], hash); len(hash) != len(s.Hash) || sequence < 0 || trimmed < sequence || s.sum() != sum {
		return Start{}, fmt.Errorf("%w: it does not say where it begins", errDamaged)
	}
	return s, nil
}

// Log is one store of blocks, in the order of the sequence. A Log has one writer; Read may be called
// meanwhile.
type Log interface {
	// Append adds blocks behind those that are there, all or none. When it returns nil they survive the
	// end of the process, and a loss of power if durable. After an error they may be there or not, and
	// nothing may be appended any more.
	Append(ctx context.Context, blocks []Block) (durable bool, err error)
	// Sync makes durable what has been appended. Errors are those of Append.
	Sync() error
	// Read returns the first block that does not end before the sequence from, or a zero Block. What
	// cannot be read any more is errDamaged.
	Read(ctx context.Context, from uint64) (Block, error)
	// Trim removes the oldest blocks, as far as they end at or before t.To, in one durable transaction. It
	// removes so many at once that an Append need not wait long, and returns up to where it has come, and
	// the bytes that it has freed. Errors are those of Append.
	Trim(ctx context.Context, t Trim) (trimmed uint64, freed int64, err error)
	// Scrub leaves nothing of what was removed where the log is kept. Errors are those of Append, but for errInUse:
	// then a reader is in the way, and it is to be asked again.
	Scrub(ctx context.Context) error
}

// Trim says what to remove from a log, and what to keep in its place.
type Trim struct {
	To       uint64
	Receipts func(after, to uint64) []byte // of the frames in (after, to], kept until Forget is greater than to
	Forget   uint64
}

// store is a log that has been opened to be read, and is written to only once it is known to be whole.
type store interface {
	Log
	// Start returns where the log begins.
	Start(ctx context.Context) (Start, error)
	// check looks for damage where no block lies, which would be in the way of later ones.
	check(ctx context.Context) error
	ready(ctx context.Context) error
	close() error
}

// engine keeps stores, each named by a shard.
type engine interface {
	// shards names the stores that are there and not put aside, oldest first.
	shards(ctx context.Context) ([]Shard, error)
	// open opens a store; nil if there is none of the name.
	open(ctx context.Context, name Shard) (store, error)
	// create makes a store of these blocks behind start, durably.
	create(ctx context.Context, name Shard, start Start, blocks iter.Seq2[Block, error]) error
	close() error
	quarantine
}

// quarantine is what an engine does with stores that are damaged.
type quarantine interface {
	// salvage yields what may be the frames of blocks, in the order of their sequences as far as that can
	// be told, however damaged the store is.
	salvage(ctx context.Context, name Shard) iter.Seq2[[]byte, error]
	// putAside moves a store, whatever is left of it, to where it is kept and no longer looked at.
	putAside(ctx context.Context, name Shard) error
	// aside says where putAside moves it.
	aside(name Shard) string
}

// errInUse says that somebody reads what is to be scrubbed.
var errInUse = errors.New("in use")

// errDamaged marks errors of a store that cannot be read, in whole or in part.
var errDamaged = errors.New("damaged")
