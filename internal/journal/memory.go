package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// memory knows the newest batches that had an id. It is bounded by their number: when it is full, the
// oldest is forgotten. No clock has a say in it, so that none that jumps makes a batch count twice.
//
// It is durable without being written by Append: the ids are in the frames, and Trim keeps those of the
// frames that it removes.
type memory struct {
	receipts map[BatchID]Receipt
	order    []BatchID // a ring once it is full
	next     int       // where the next goes
}

func newMemory(limit int) *memory {
	return &memory{receipts: make(map[BatchID]Receipt), order: make([]BatchID, 0, limit)}
}

func (m *memory) get(id BatchID) (Receipt, bool) {
	r, ok := m.receipts[id]
	return r, ok
}

// add remembers a batch, unless it has no id or is known.
func (m *memory) add(id BatchID, r Receipt) {
	if _, known := m.receipts[id]; known || id == (BatchID{}) || cap(m.order) == 0 {
		return
	}
	if len(m.order) < cap(m.order) {
		m.order = append(m.order, id)
	} else {
		delete(m.receipts, m.order[m.next])
		m.order[m.next] = id
		m.next = (m.next + 1) % len(m.order)
	}
	m.receipts[id] = r
}

// entrySize is that of one receipt in what Trim keeps: id, shard, sequence, hash.
const entrySize = 16 + 16 + 8 + 32

// pack writes the receipts of which the sequence is in (after, to], behind a CRC32C of them.
func (m *memory) pack(after, to uint64) []byte {
	b := make([]byte, 4)
	for i := range m.order {
		id := m.order[(m.next+i)%len(m.order)]
		r := m.receipts[id]
		if r.Sequence <= after || r.Sequence > to {
			continue
		}
		b = append(b, id[:]...)
		b = append(b, r.Shard[:]...)
		b = binary.BigEndian.AppendUint64(b, r.Sequence)
		b = append(b, r.Head[:]...)
	}
	if len(b) == 4 {
		return nil
	}
	binary.BigEndian.PutUint32(b, crc32.Checksum(b[4:], castagnoli))
	return b
}

// receiptsEnd returns the last sequence in what pack has written, which is not empty.
func receiptsEnd(b []byte) uint64 { return binary.BigEndian.Uint64(b[len(b)-entrySize+32:]) }

var errReceipts = fmt.Errorf("%w: what it knows of the ids of trimmed batches", errDamaged)

// unpack adds what pack has written.
func (m *memory) unpack(b []byte) error {
	if len(b) < 4 || len(b)%entrySize != 4 || crc32.Checksum(b[4:], castagnoli) != binary.BigEndian.Uint32(b) {
		return errReceipts
	}
	for b = b[4:]; len(b) > 0; b = b[entrySize:] {
		m.add(BatchID(b[:16]), Receipt{
			Shard: Shard(b[16:32]), Sequence: binary.BigEndian.Uint64(b[32:]), Head: Hash(b[40:72]),
		})
	}
	return nil
}

// oldest returns the sequence of the oldest batch that is known, or 0.
func (m *memory) oldest() uint64 {
	if len(m.order) == 0 {
		return 0
	}
	return m.receipts[m.order[m.next%len(m.order)]].Sequence
}
