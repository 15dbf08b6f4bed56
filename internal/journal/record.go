package journal

import (
	"encoding/binary"
	"errors"
	"iter"
	"slices"
)

// Batch is what one caller appends at once, all or nothing.
type Batch struct {
	// ID, if it is not zero, makes it safe to send the batch again: it is kept once, and every Append
	// gets the receipt of the first. Nothing else of a batch that is known is looked at.
	ID BatchID
	// Payload has at least one record, and at most MaxPayload bytes. It is the caller's again when Append returns,
	// but not after [ErrOutcomeUnknown].
	Payload *Payload
}

// Payload is the records of a batch, in the memory of the frame that they become: to append them copies nothing. The
// zero value has none.
type Payload struct {
	frame   []byte // nil, or with room for the header
	records int
}

// Add adds a copy of a record: its length as a varint, and the record.
func (p *Payload) Add(record []byte) {
	if len(p.frame) == 0 {
		p.frame = append(p.frame, make([]byte, headerSize)...)
	}
	p.frame = append(binary.AppendUvarint(p.frame, uint64(len(record))), record...)
	p.records++
}

// Len returns how many bytes there are.
func (p *Payload) Len() int { return max(len(p.frame)-headerSize, 0) }

// Grow makes room for as many bytes more.
func (p *Payload) Grow(n int) { p.frame = slices.Grow(p.frame, headerSize+n) }

// Reset takes the records out, and keeps the memory.
func (p *Payload) Reset() { p.frame, p.records = p.frame[:0], 0 }

var errRecords = errors.New("the payload is not a row of records")

// Records yields the records of a payload, which share its memory, and ends with an error if there is
// something else in it.
func Records(payload []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for len(payload) > 0 {
			length, n := binary.Uvarint(payload)
			if n <= 0 || length > uint64(len(payload)-n) {
				yield(nil, errRecords)
				return
			}
			end := n + int(length)
			if !yield(payload[n:end:end], nil) {
				return
			}
			payload = payload[end:]
		}
	}
}
