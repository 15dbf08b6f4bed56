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
	limit  int
	places map[BatchID]uint32 // in ring
	ring   [][]remembered     // one once it is full; in pieces, so that who sends no ids needs no memory for them
	count  int
	next   int // where the next goes once it is full
}

// remembered is a batch with its receipt. The map has only its place: with the receipt it would take twice the room.
type remembered struct {
	id      BatchID
	receipt Receipt
}

// ringPiece is how many batches a piece of the ring has.
const ringPiece = 4096

func newMemory(limit int) *memory {
	return &memory{limit: limit, places: make(map[BatchID]uint32)}
}

// at returns what stands in a place of the ring.
func (m *memory) at(place int) *remembered { return &m.ring[place/ringPiece][place%ringPiece] }

func (m *memory) get(id BatchID) (r Receipt, ok bool) {
	place, ok := m.places[id]
	if ok {
		r = m.at(int(place)).receipt
	}
	return r, ok
}

// add remembers a batch, unless it has no id or is known.
func (m *memory) add(id BatchID, r Receipt) {
	if _, known := m.places[id]; known || id == (BatchID{}) || m.limit == 0 {
		return
	}
	place := m.next
	if m.count < m.limit {
		if place = m.count; place%ringPiece == 0 {
			m.ring = append(m.ring, make([]remembered, ringPiece))
		}
		m.count++
	} else {
		delete(m.places, m.at(place).id)
		m.next = (m.next + 1) % m.count
	}
	*m.at(place) = remembered{id, r}
	m.places[id] = uint32(place)
}

// entrySize is that of one receipt in what Trim keeps: id, shard, sequence, hash.
const entrySize = 16 + 16 + 8 + 32

// pack writes the receipts of which the sequence is in (after, to], behind a CRC32C of them.
func (m *memory) pack(after, to uint64) []byte {
	b := make([]byte, 4)
	for i := range m.count {
		is := m.at((m.next + i) % m.count)
		id, r := &is.id, &is.receipt
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
	if m.count == 0 {
		return 0
	}
	return m.at(m.next).receipt.Sequence
}
