package segment

import (
	"errors"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick/internal/wire"
)

const (
	maxPageBytes   = 64 << 20 // unpacked; the writer makes pages of a MiB, and more only for one chunk of large texts
	maxPageRows    = 1 << 14
	maxDictionary  = 1 << 18
	maxHeaderBytes = 64 << 10
	// maxHeld is how much the pages that are open at one time may take, in all columns. The writer
	// makes shorter pages where there are many columns, and never needs half of this.
	maxHeld = 256 << 20
)

// thriftBounds are those of a footer, page header or index.
func thriftBounds() wire.Bounds { return wire.Bounds{Depth: 32, Structs: 1 << 18} }

// room is what the columns of one reader share: the memory that they may still hold, and a
// decompressor.
type room struct {
	left int64
	zstd *zstd.Decoder
}

func newRoom() *room { return &room{left: maxHeld} }

func (r *room) take(n int64) error {
	if r.left -= n; r.left < 0 {
		return faultf("its pages take more than %d MiB at a time", maxHeld>>20)
	}
	return nil
}

func (r *room) close() {
	if r.zstd != nil {
		r.zstd.Close()
	}
}

// unpack returns the size bytes that src packs, in the memory of dst.
func (r *room) unpack(dst, src []byte, size int) (_ []byte, err error) {
	// The decompressor is partly assembly: a panic there is a fault of the page.
	defer func() {
		if p := recover(); p != nil {
			err = faultf("a page does not unpack: %v", p)
		}
	}()
	if r.zstd == nil {
		r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPageBytes), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return nil, err
		}
	}
	out, err := r.zstd.DecodeAll(src, dst[:0:size]) // no more than the capacity that it is given
	if err != nil || len(out) != size {
		return nil, faultf("a page does not unpack to the size that it states")
	}
	return out, nil
}

// pages reads the pages of one column chunk after the other.
type pages struct {
	file    *File
	column  *column
	room    *room
	codec   format.CompressionCodec
	at, end int64

	header []byte
	packed []byte
	data   []byte // unpacked
}

// grow returns a slice of n bytes, in the memory of b if it fits.
func (p *pages) grow(b []byte, n int) ([]byte, error) {
	if n <= cap(b) {
		return b[:n], nil
	}
	if err := p.room.take(int64(n - cap(b))); err != nil {
		return nil, err
	}
	return make([]byte, n), nil
}

// begin moves to the chunk of a row group.
func (p *pages) begin(group int) {
	meta := &p.file.groups[group].Columns[p.column.index].MetaData
	p.codec = meta.Codec
	p.at, p.end = chunkRange(meta)
}

// page is a page, unpacked. It is valid until the next.
type page struct {
	dictionary bool
	rows       int
	encoding   format.Encoding
	levels     []byte
	values     []byte
}

// next returns the next page of the chunk.
func (p *pages) next() (page, error) {
	if p.at >= p.end {
		return page{}, faultf("rows are missing")
	}
	var h format.PageHeader
	if err := p.readHeader(&h); err != nil {
		return page{}, err
	}
	size, full := int64(h.CompressedPageSize), int(h.UncompressedPageSize)
	if size < 0 || size > min(p.end-p.at, maxPageBytes) || full < 0 || full > maxPageBytes {
		return page{}, faultf("a page cannot have %d bytes, unpacked %d", size, full)
	}
	var err error
	if p.packed, err = p.grow(p.packed, int(size)); err != nil {
		return page{}, err
	}
	if _, err := p.file.reader.ReadAt(p.packed, p.at); err != nil {
		return page{}, faultf("a page cannot be read: %v", err)
	}
	p.at += size
	if uint32(h.CRC) != crc32.ChecksumIEEE(p.packed) {
		return page{}, faultf("the checksum of a page is wrong")
	}
	switch {
	case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
		d := &h.DictionaryPageHeader.V
		out := page{dictionary: true, rows: int(d.NumValues)}
		if out.rows < 0 || out.rows > maxDictionary || d.Encoding != format.Plain {
			return page{}, faultf("a dictionary cannot have %d values in encoding %v", out.rows, d.Encoding)
		}
		out.values, err = p.unpack(p.packed, full)
		return out, err
	case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
		return p.openData(&h.DataPageHeaderV2.V, full)
	}
	return page{}, faultf("a page is of type %v", h.Type)
}

// openData opens a data page of version 2: levels first, then the packed values.
func (p *pages) openData(h *format.DataPageHeaderV2, full int) (page, error) {
	levels := int(h.DefinitionLevelsByteLength)
	if h.NumValues <= 0 || h.NumValues > maxPageRows || h.NumRows != h.NumValues || h.RepetitionLevelsByteLength != 0 ||
		levels < 0 || levels > len(p.packed) || levels > full {
		return page{}, faultf("a page states %d values and %d bytes of levels", h.NumValues, levels)
	}
	out := page{rows: int(h.NumValues), encoding: h.Encoding, levels: p.packed[:levels]}
	packed := p.packed[levels:]
	var err error
	if compressed, stated := h.IsCompressed.Get(); stated && !compressed || len(packed) == 0 {
		out.values = packed
	} else {
		out.values, err = p.unpack(packed, full-levels)
	}
	return out, err
}

// readHeader decodes the header at the present position and moves behind it. Statistics can make it
// long.
func (p *pages) readHeader(h *format.PageHeader) error {
	for window := int64(256); ; window *= 8 {
		n := int(min(window, p.end-p.at))
		var err error
		if p.header, err = p.grow(p.header, n); err != nil {
			return err
		}
		if _, err := p.file.reader.ReadAt(p.header, p.at); err != nil {
			return faultf("a page header cannot be read: %v", err)
		}
		used, err := wire.Decode(p.header, h, thriftBounds())
		if err == nil {
			p.at += int64(used)
			return nil
		}
		if !errors.Is(err, wire.ErrShort) || int64(n) < window || window > maxHeaderBytes {
			return err
		}
	}
}

// unpack returns the size bytes that src packs. It never makes more, whatever src would unpack to.
func (p *pages) unpack(src []byte, size int) (_ []byte, err error) {
	if p.codec == format.Uncompressed {
		if len(src) != size {
			return nil, faultf("a page does not have the size that it states")
		}
		return src, nil
	}
	if p.data, err = p.grow(p.data, size); err != nil {
		return nil, err
	}
	return p.room.unpack(p.data, src, size)
}
