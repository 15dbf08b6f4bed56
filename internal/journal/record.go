package journal

import (
	"encoding/binary"
	"errors"
	"iter"
)

// Batch is what one caller appends at once, all or nothing.
type Batch struct {
	// ID, if it is not zero, makes it safe to send the batch again: it is kept once, and every Append
	// gets the receipt of the first. Nothing else of a batch that is known is looked at.
	ID BatchID
	// Payload is the records, each as AppendRecord writes it. At least one, at most MaxPayload bytes.
	Payload []byte
}

// AppendRecord appends a record to a payload: its length as a varint, and the record.
func AppendRecord(payload, record []byte) []byte {
	return append(binary.AppendUvarint(payload, uint64(len(record))), record...)
}

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

// countRecords returns how many records there are.
func countRecords(payload []byte) (n int, err error) {
	for _, err := range Records(payload) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
