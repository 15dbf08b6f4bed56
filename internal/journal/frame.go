package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/tallystick/tallystick"
)

// A frame is a header and a payload. All numbers are big-endian.
//
//	 0  4  "TSJ1"
//	 4  4  CRC32C of the payload followed by the header from byte 8
//	 8  4  length of the payload
//	12  4  kind
//	16  8  sequence
//	24  8  time, milliseconds since 1970
//	32  4  number of records in the payload
//	36 16  shard
//	52 16  batch, zero if it has no id
//	68 32  hash of the frame before
//	100 32 SHA-256 of the payload
//
// The hash of a frame is SHA-256 of its header from byte 8, which binds the payload by its digest: a
// caller digests its own payload, and only the header is left to hash in the order of the sequence.
const (
	headerSize = 132
	frameMagic = "TSJ1"
)

// MaxPayload bounds the payload of one batch, in bytes.
const MaxPayload = 16 << 20

// Hash is the hash of a frame, and so of all frames before it.
type Hash [sha256.Size]byte

// String returns the hexadecimal form, as MarshalText does.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the hexadecimal form.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the hexadecimal form.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 2*len(h) {
		return fmt.Errorf("%d characters are no hash", len(text))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Shard names a stretch of the journal without a gap: a UUID of version 7, made anew with each journal and
// after each gap.
type Shard [16]byte

func newShard(at time.Time) Shard { return Shard(parseUUID(tallystick.NewID(at))) }

// parseUUID returns nothing but zeros for what is no UUID.
func parseUUID(s string) (u [16]byte) {
	if len(s) != 36 {
		return u
	}
	raw, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	if err != nil {
		return u
	}
	return [16]byte(raw)
}

// String returns the form of a UUID, as MarshalText does.
func (s Shard) String() string {
	h := hex.EncodeToString(s[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// MarshalText writes the form of a UUID.
func (s Shard) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the form of a UUID.
func (s *Shard) UnmarshalText(text []byte) error {
	*s = parseUUID(string(text))
	if *s == (Shard{}) && string(text) != s.String() {
		return fmt.Errorf("%q is not a UUID", text)
	}
	return nil
}

// BatchID names a batch to those who send it again when they have not heard whether it arrived. Zero
// names nothing. It is made of whatever identifies the batch to its door, the sender included: a UUID, or
// the first half of a SHA-256.
type BatchID [16]byte

// Kind says what a frame holds.
type Kind uint32

const (
	kindBatch    Kind = iota // records
	kindShard                // the first frame of a shard: a [Beginning] in JSON
	kindSalvaged             // a whole frame that was read from a damaged range
	kinds
)

// frame is a frame that has been read. Payload shares memory with what it was read from.
type frame struct {
	kind     Kind
	sequence uint64
	time     time.Time
	count    uint32
	shard    Shard
	batch    BatchID
	previous Hash
	hash     Hash
	payload  []byte
}

var (
	errTorn    = fmt.Errorf("%w: the frame is cut off", errDamaged)
	errNoFrame = fmt.Errorf("%w: there is no frame", errDamaged)
	errCRC     = fmt.Errorf("%w: the checksum of the frame differs", errDamaged)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newFrame returns a frame of a payload, which it copies, begun.
func newFrame(kind Kind, batch BatchID, count int, payload []byte) []byte {
	b := append(make([]byte, headerSize, headerSize+len(payload)), payload...)
	begin(b, kind, batch, count)
	return b
}

// begin fills in the header of a frame, but for what depends on its place.
func begin(b []byte, kind Kind, batch BatchID, count int) {
	payload := b[headerSize:]
	copy(b, frameMagic)
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(payload, castagnoli)) // goes on in place
	binary.BigEndian.PutUint32(b[8:], uint32(len(payload)))
	binary.BigEndian.PutUint32(b[12:], uint32(kind))
	binary.BigEndian.PutUint32(b[32:], uint32(count))
	copy(b[52:], batch[:])
	digest := sha256.Sum256(payload)
	copy(b[100:], digest[:])
}

// place completes the header of a frame that was begun and returns its hash. It is called once.
func place(b []byte, shard Shard, sequence uint64, at time.Time, previous Hash) Hash {
	binary.BigEndian.PutUint64(b[16:], sequence)
	binary.BigEndian.PutUint64(b[24:], uint64(at.UnixMilli()))
	copy(b[36:], shard[:])
	copy(b[68:], previous[:])
	crc := crc32.Update(binary.BigEndian.Uint32(b[4:]), castagnoli, b[8:headerSize])
	binary.BigEndian.PutUint32(b[4:], crc)
	return sha256.Sum256(b[8:headerSize])
}

// decode reads the frame that b begins with and returns its size. An error says that there is none that
// is whole, unchanged and of a kind that is known.
func decode(b []byte) (f frame, size int, err error) {
	if len(b) < headerSize {
		return f, 0, errTorn
	}
	if string(b[:4]) != frameMagic {
		return f, 0, errNoFrame
	}
	length := binary.BigEndian.Uint32(b[8:])
	if length > MaxPayload+headerSize {
		return f, 0, fmt.Errorf("%w: it claims %d bytes", errNoFrame, length)
	}
	size = headerSize + int(length)
	if len(b) < size {
		return f, 0, errTorn
	}
	payload := b[headerSize:size:size]
	crc := crc32.Update(crc32.Checksum(payload, castagnoli), castagnoli, b[8:headerSize])
	if crc != binary.BigEndian.Uint32(b[4:]) {
		return f, 0, errCRC
	}
	f = frame{
		kind:     Kind(binary.BigEndian.Uint32(b[12:])),
		sequence: binary.BigEndian.Uint64(b[16:]),
		time:     time.UnixMilli(int64(binary.BigEndian.Uint64(b[24:]))).UTC(),
		count:    binary.BigEndian.Uint32(b[32:]),
		shard:    Shard(b[36:52]),
		batch:    BatchID(b[52:68]),
		previous: Hash(b[68:100]),
		hash:     sha256.Sum256(b[8:headerSize]),
		payload:  payload,
	}
	if f.kind >= kinds {
		return f, 0, fmt.Errorf("%w of a kind that is known: %d", errNoFrame, f.kind)
	}
	if sha256.Sum256(payload) != [32]byte(b[100:132]) {
		return f, 0, fmt.Errorf("%w: its payload has another digest", errCRC)
	}
	return f, size, nil
}
