package table

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick/internal/wire"
)

const (
	maxThriftDepth   = 48
	maxThriftStructs = 1 << 19 // of one footer
	headerWindow     = 512
	maxHeaderBytes   = 4 << 20
)

// thriftBounds are those of a footer or page header.
func thriftBounds() wire.Bounds {
	return wire.Bounds{Depth: maxThriftDepth, Structs: maxThriftStructs}
}

// page is one page of a column chunk, unpacked.
type page struct {
	dictionary bool
	rows       int // of a data page, missing values included; of a dictionary, values
	encoding   format.Encoding
	levels     []byte // definition levels in the hybrid encoding; nil if no value is missing
	values     []byte
}

// pageReader reads the pages of one column chunk after the other. Its pages are valid until the next.
type pageReader struct {
	source   io.ReaderAt
	codec    format.CompressionCodec
	optional bool
	at, end  int64 // of the bytes to come
	rows     int64 // to come

	unpacker unpacker
	header   []byte
	packed   []byte
	unpacked []byte
}

// begin moves to another chunk.
func (r *pageReader) begin(source io.ReaderAt, chunk *format.ColumnChunk, rows int64, optional bool) error {
	if chunk.FilePath != "" {
		return errors.New("its values are in another file")
	}
	r.source, r.codec, r.rows, r.optional = source, chunk.MetaData.Codec, rows, optional
	r.at, r.end = chunkRange(&chunk.MetaData)
	return nil
}

// next returns the next dictionary or data page. There must be rows to come.
func (r *pageReader) next() (page, error) {
	for {
		if r.at >= r.end {
			return page{}, fmt.Errorf("%d rows are missing", r.rows)
		}
		var header format.PageHeader
		if err := r.readHeader(&header); err != nil {
			return page{}, err
		}
		size, full := int64(header.CompressedPageSize), int(header.UncompressedPageSize)
		if size < 0 || size > min(r.end-r.at, maxPageBytes) || full < 0 || full > maxPageBytes {
			return page{}, fmt.Errorf("a page cannot have %d bytes, unpacked %d", size, full)
		}
		if header.Type == format.IndexPage {
			r.at += size
			continue
		}
		r.packed = resize(r.packed, int(size))
		if _, err := r.source.ReadAt(r.packed, r.at); err != nil {
			return page{}, err
		}
		r.at += size
		if header.CRC != 0 && uint32(header.CRC) != crc32.ChecksumIEEE(r.packed) {
			return page{}, errors.New("the checksum of a page is wrong")
		}
		p, err := r.open(&header, full)
		if err != nil {
			return page{}, err
		}
		if !p.dictionary {
			if int64(p.rows) > r.rows {
				return page{}, fmt.Errorf("a page states %d rows where %d are to come", p.rows, r.rows)
			}
			r.rows -= int64(p.rows)
		}
		return p, nil
	}
}

// readHeader decodes the header at the present position and moves behind it. Statistics in it may
// make it long.
func (r *pageReader) readHeader(header *format.PageHeader) error {
	for window := int64(headerWindow); ; window *= 8 {
		room := min(window, r.end-r.at)
		r.header = resize(r.header, int(room))
		if _, err := r.source.ReadAt(r.header, r.at); err != nil {
			return err
		}
		n, err := wire.Decode(r.header, header, thriftBounds())
		switch {
		case err == nil:
			r.at += int64(n)
			return nil
		case !errors.Is(err, wire.ErrShort) || room < window || window > maxHeaderBytes:
			return fmt.Errorf("page header: %w", err)
		}
	}
}

// open unpacks a page and finds its parts.
func (r *pageReader) open(header *format.PageHeader, size int) (page, error) {
	switch {
	case header.Type == format.DictionaryPage && header.DictionaryPageHeader.Valid:
		h := header.DictionaryPageHeader.V
		p := page{dictionary: true, rows: int(h.NumValues), encoding: h.Encoding}
		if p.rows < 0 {
			return page{}, fmt.Errorf("a dictionary states %d values", p.rows)
		}
		data, err := r.unpack(r.packed, size)
		p.values = data
		return p, err
	case header.Type == format.DataPage && header.DataPageHeader.Valid:
		return r.openV1(&header.DataPageHeader.V, size)
	case header.Type == format.DataPageV2 && header.DataPageHeaderV2.Valid:
		return r.openV2(&header.DataPageHeaderV2.V, size)
	}
	return page{}, fmt.Errorf("a page is of unknown type %v", header.Type)
}

// openV1 opens a page whose levels are packed together with the values, their length before them.
func (r *pageReader) openV1(h *format.DataPageHeader, size int) (page, error) {
	p := page{rows: int(h.NumValues), encoding: h.Encoding}
	if p.rows < 0 {
		return page{}, fmt.Errorf("a page states %d values", p.rows)
	}
	data, err := r.unpack(r.packed, size)
	if err != nil {
		return page{}, err
	}
	p.values = data
	if r.optional {
		if h.DefinitionLevelEncoding != format.RLE {
			return page{}, fmt.Errorf("definition levels in encoding %v are not supported", h.DefinitionLevelEncoding)
		}
		levels := plainBytes{data}
		if p.levels, err = levels.next(); err != nil {
			return page{}, err
		}
		p.values = levels.data
	}
	return p, nil
}

// openV2 opens a page whose levels come before the packed values.
func (r *pageReader) openV2(h *format.DataPageHeaderV2, size int) (page, error) {
	p := page{rows: int(h.NumValues), encoding: h.Encoding}
	repetition, definition := int(h.RepetitionLevelsByteLength), int(h.DefinitionLevelsByteLength)
	if p.rows < 0 || repetition < 0 || definition < 0 || repetition > len(r.packed) ||
		definition > len(r.packed)-repetition || repetition+definition > size {
		return page{}, fmt.Errorf("a page states %d values and %d bytes of levels", p.rows, definition)
	}
	levels := r.packed[repetition:][:definition]
	if r.optional && definition > 0 {
		p.levels = levels
	}
	packed := r.packed[repetition+definition:]
	if compressed, stated := h.IsCompressed.Get(); stated && !compressed || len(packed) == 0 {
		p.values = packed
		return p, nil
	}
	data, err := r.unpack(packed, size-repetition-definition)
	p.values = data
	return p, err
}

func (r *pageReader) unpack(packed []byte, size int) ([]byte, error) {
	data, err := r.unpacker.unpack(r.unpacked, packed, r.codec, size)
	if err == nil && r.codec != format.Uncompressed {
		r.unpacked = data
	}
	return data, err
}
