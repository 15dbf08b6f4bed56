package segment

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/wire"
)

const (
	// dictionaryBytes is how much the dictionary of a column may have in a row group. Above, all values
	// are written in full.
	dictionaryBytes = 256 << 10
	maxBoundBytes   = 64 // of a text that stands as a bound in an index
)

// fits reports whether a column holds a value that is not null.
func (s storage) fits(kind prediction.Kind, bits uint64) bool {
	switch kind {
	case prediction.Int:
		return s == asDouble && exactly(int64(bits)) || s == asInteger || s == asTime
	case prediction.Float:
		return s == asDouble
	case prediction.Bool:
		return s == asBoolean
	case prediction.Text:
		return s == asText || s == asJSON || s == asBytes
	}
	return false
}

// chunk is the chunk of one column that is being written.
type chunk struct {
	group  *group
	store  storage
	values []uint64 // those that are not null: as the column has them; none of texts that are coded
	fixed  []byte   // or bytes of one width
	null   []bool   // by row, if there are nulls
	nulls  int

	coded   bool
	codes   []uint32 // of values in the dictionary
	entries []uint64 // the dictionary

	number  []uint64 // memory of values that are not as the cells have them
	numbers dictionary

	levels, plain, packed []byte
	bit                   []uint32
	seen                  []bool // by code
}

// take makes the values of the column ready.
func (c *chunk) take(column *outColumn, g *group) {
	from := column.cells
	c.group, c.store = g, column.store
	c.fixed, c.values, c.codes, c.entries, c.coded = from.fixed, nil, c.codes[:0], nil, false
	fit := from.n
	switch c.store {
	case as8, as16, as32, asUUID:
	case asText, asJSON, asBytes:
		fit = c.takeTexts(from)
	default:
		c.values = c.numbersOf(from)
		fit = len(c.values)
		if c.coded = c.store == asDouble && column.coded && c.numbers.of(c.values, &c.codes); c.coded {
			c.entries = c.numbers.entries
		}
	}
	if c.nulls = len(g.rows) - fit; c.nulls > 0 {
		c.noteNulls(from, fit == from.n)
	}
}

// noteNulls notes which rows are without a value, all being whether every value fits.
func (c *chunk) noteNulls(from *cells, all bool) {
	c.null = resized(c.null, len(c.group.rows))
	for row := range c.null {
		c.null[row] = true
	}
	for i := range from.n {
		if all || c.store.fits(from.kinds[i], from.bits[i]) {
			c.null[from.row(i)] = false
		}
	}
}

// numbersOf returns the numbers and booleans that fit, as the column has them.
func (c *chunk) numbersOf(from *cells) []uint64 {
	values := from.bits[:from.n]
	switch {
	case c.store == asBoolean && from.met.only(prediction.Bool),
		c.store == asDouble && from.met.only(prediction.Float),
		c.store != asDouble && from.met.only(prediction.Int):
		return values
	}
	c.number = resized(c.number, from.n)
	n := 0
	for i, kind := range from.kinds[:from.n] {
		v := values[i]
		if !c.store.fits(kind, v) {
			continue
		}
		if c.store == asDouble && kind == prediction.Int {
			v = math.Float64bits(float64(int64(v)))
		}
		c.number[n] = v
		n++
	}
	return c.number[:n]
}

// takeTexts takes the texts, as codes unless a dictionary would take too much, and returns how many there are.
func (c *chunk) takeTexts(from *cells) int {
	c.coded = from.texts == nil || !from.texts.full
	if from.texts == nil {
		return 0
	}
	all := from.texts.all
	c.codes, c.entries = resized(c.codes, from.n), all
	n := 0
	for i, kind := range from.kinds[:from.n] {
		if kind == prediction.Text {
			c.codes[n] = uint32(from.bits[i])
			n++
		}
	}
	c.codes = c.codes[:n]
	if !c.coded {
		c.number = resized(c.number, n)
		for i, code := range c.codes {
			c.number[i] = all[code]
		}
		c.values = c.number
	}
	return n
}

// resized returns a slice of n elements, in the memory of s if it fits.
func resized[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return make([]T, n, n+n/4)
}

// text returns the text of a value.
func (c *chunk) text(value uint64) []byte { return c.group.text(value) }

// page is what the index tells about a page.
type pageNote struct {
	rows, nulls int
	low, high   []byte // PLAIN; nil if all are null
	unbounded   bool   // low and high are not known
}

// encode makes the page of the rows from first to end, whose values are those from value on: levels and
// plain are what it has.
func (c *chunk) encode(first, end, value int, bare bool) pageNote {
	note := pageNote{rows: end - first}
	if c.nulls == 0 {
		c.levels = wire.AppendRun(c.levels[:0], 1, note.rows, 1)
	} else {
		for _, null := range c.null[first:end] {
			if null {
				note.nulls++
			}
		}
		c.levels = c.appendLevels(c.levels[:0], c.null[first:end], note.nulls)
	}
	n := note.rows - note.nulls
	c.plain = c.plain[:0]
	switch {
	case n == 0:
	case c.store.width() > 0:
		width := c.store.width()
		c.plain = append(c.plain, c.fixed[value*width:(value+n)*width]...)
	case c.coded:
		width := max(1, bits.Len(uint(len(c.entries)-1)))
		c.plain = wire.AppendHybrid(append(c.plain, byte(width)), c.codes[value:value+n], width)
	case c.store == asBoolean:
		c.plain = append(c.plain, make([]byte, (n+7)/8)...)
		for i, v := range c.values[value : value+n] {
			c.plain[i/8] |= byte(v) << (i % 8)
		}
	case c.store == asInteger, c.store == asTime:
		c.plain = wire.AppendDelta(c.plain, c.values[value:value+n])
	case c.store == asText, c.store == asJSON, c.store == asBytes:
		for _, v := range c.values[value : value+n] {
			c.plain = appendText(c.plain, c.text(v))
		}
	default:
		c.plain = resized(c.plain, 8*n)
		for i, v := range c.values[value : value+n] {
			binary.LittleEndian.PutUint64(c.plain[8*i:], v)
		}
	}
	if note.unbounded = bare; !bare && n > 0 {
		c.bound(&note, value, n)
	}
	return note
}

// appendLevels appends the definition levels of rows: 0 where a value is null.
func (c *chunk) appendLevels(dst []byte, null []bool, nulls int) []byte {
	switch nulls {
	case 0:
		return wire.AppendRun(dst, 1, len(null), 1)
	case len(null):
		return wire.AppendRun(dst, 0, len(null), 1)
	}
	c.bit = resized(c.bit, len(null))
	for i, missing := range null {
		c.bit[i] = 1
		if missing {
			c.bit[i] = 0
		}
	}
	return wire.AppendHybrid(dst, c.bit, 1)
}

func appendText(dst, text []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(text))), text...)
}

// bound notes the smallest and the greatest of n values, in the order that the format has for them.
func (c *chunk) bound(note *pageNote, value, n int) {
	low, high := value, value
	switch c.store {
	case asDouble:
		c.boundFloats(note, c.values[value:value+n])
		return
	case asInteger, asTime, asBoolean:
		for i := value + 1; i < value+n; i++ {
			if v := int64(c.values[i]); v < int64(c.values[low]) {
				low = i
			} else if v > int64(c.values[high]) {
				high = i
			}
		}
		note.low, note.high = binary.LittleEndian.AppendUint64(nil, c.values[low]), binary.LittleEndian.AppendUint64(nil, c.values[high])
		if c.store == asBoolean {
			note.low, note.high = note.low[:1], note.high[:1]
		}
		return
	}
	at := func(i int) []byte { return c.text(c.values[i]) }
	if width := c.store.width(); width > 0 {
		at = func(i int) []byte { return c.fixed[i*width : (i+1)*width] }
	}
	see := func(i int) {
		if b := at(i); bytes.Compare(b, at(low)) < 0 {
			low = i
		} else if bytes.Compare(b, at(high)) > 0 {
			high = i
		}
	}
	if c.coded { // each text once
		at = func(code int) []byte { return c.text(c.entries[code]) }
		codes := c.codes[value : value+n]
		low, high = int(codes[0]), int(codes[0])
		c.seen = resized(c.seen, len(c.entries))
		clear(c.seen)
		for _, code := range codes {
			if !c.seen[code] {
				c.seen[code] = true
				see(int(code))
			}
		}
	} else {
		for i := value + 1; i < value+n; i++ {
			see(i)
		}
	}
	if note.unbounded = max(len(at(low)), len(at(high))) > maxBoundBytes; !note.unbounded {
		note.low, note.high = bytes.Clone(at(low)), bytes.Clone(at(high))
		if note.low == nil {
			note.low = []byte{}
		}
	}
}

// boundFloats leaves out what is not a number, and gives zero the sign that includes the other.
func (c *chunk) boundFloats(note *pageNote, values []uint64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		f := math.Float64frombits(v)
		if f < low {
			low = f
		}
		if f > high {
			high = f
		}
	}
	if note.unbounded = low > high; note.unbounded {
		return
	}
	if low == 0 {
		low = math.Copysign(0, -1)
	}
	note.low = binary.LittleEndian.AppendUint64(nil, math.Float64bits(low))
	note.high = binary.LittleEndian.AppendUint64(nil, math.Float64bits(high))
}

// writeChunk writes the column's chunk and notes what footer and indexes say of it.
func (f *fileWriter) writeChunk(column *outColumn, ends []int) (format.ColumnChunk, error) {
	g, c := f.group, &f.chunk
	c.take(column, g)
	codec := column.store.codec()
	meta := format.ColumnMetaData{
		Type: column.store.physical(), Encoding: []format.Encoding{format.RLE, format.Plain}, PathInSchema: []string{column.name},
		Codec: codec, NumValues: int64(len(g.rows)), Statistics: format.Statistics{NullCount: int64(c.nulls)},
	}
	start := f.bytes
	if c.coded {
		meta.Encoding = append(meta.Encoding, format.RLEDictionary)
		meta.DictionaryPageOffset = f.bytes
		full, err := f.writeDictionary(codec)
		if err != nil {
			return format.ColumnChunk{}, err
		}
		meta.TotalUncompressedSize += full
	}
	if column.store == asInteger || column.store == asTime {
		meta.Encoding = append(meta.Encoding, format.DeltaBinaryPacked)
	}
	meta.DataPageOffset = f.bytes
	index := chunkIndex{}
	pack := codec == format.Zstd
	first, value := 0, 0
	for _, end := range ends {
		note := c.encode(first, end, value, column.bare)
		at := f.bytes
		full, worth, err := f.writePage(note, pack)
		if err != nil {
			return format.ColumnChunk{}, err
		}
		pack = pack && (worth || note.nulls == note.rows) // as the first pages, so the others
		meta.TotalUncompressedSize += full
		index.add(note, format.PageLocation{Offset: at, CompressedPageSize: int32(f.bytes - at), FirstRowIndex: int64(first)})
		first, value = end, value+note.rows-note.nulls
	}
	meta.TotalCompressedSize = f.bytes - start
	meta.Statistics.MinValue, meta.Statistics.MaxValue = index.bounds(column.store)
	f.indexes = append(f.indexes, index)
	if column.name == columnID || column.name == "time" {
		f.see(column.name, meta.Statistics)
	}
	return format.ColumnChunk{MetaData: meta}, nil
}

// writeDictionary writes the dictionary page and returns its size unpacked, with its header.
func (f *fileWriter) writeDictionary(codec format.CompressionCodec) (int64, error) {
	c := &f.chunk
	c.plain = c.plain[:0]
	for _, v := range c.entries {
		if c.store == asDouble {
			c.plain = binary.LittleEndian.AppendUint64(c.plain, v)
		} else {
			c.plain = appendText(c.plain, c.text(v))
		}
	}
	body := c.plain
	if codec == format.Zstd {
		c.packed = f.zstd.EncodeAll(c.plain, c.packed[:0])
		body = c.packed
	}
	header := format.PageHeader{
		Type: format.DictionaryPage, UncompressedPageSize: int32(len(c.plain)), CompressedPageSize: int32(len(body)),
		CRC:                  int32(crc32.ChecksumIEEE(body)),
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(len(c.entries)), Encoding: format.Plain}),
	}
	n, err := f.putStruct(&header)
	if err != nil {
		return 0, err
	}
	return int64(n + len(c.plain)), f.put(body)
}

// writePage writes the page that was encoded, packed if that is worth it, and returns its size unpacked,
// with its header.
func (f *fileWriter) writePage(note pageNote, pack bool) (full int64, worth bool, err error) {
	c := &f.chunk
	body := c.plain
	if pack && len(c.plain) > 0 {
		c.packed = f.zstd.EncodeAll(c.plain, c.packed[:0])
		if worth = len(c.packed) <= len(c.plain)-len(c.plain)/16; worth {
			body = c.packed
		}
	}
	encoding := format.Plain
	switch {
	case c.coded:
		encoding = format.RLEDictionary
	case note.nulls < note.rows && (c.store == asInteger || c.store == asTime):
		encoding = format.DeltaBinaryPacked
	}
	header := format.PageHeader{
		Type: format.DataPageV2, UncompressedPageSize: int32(len(c.levels) + len(c.plain)), CompressedPageSize: int32(len(c.levels) + len(body)),
		CRC: int32(crc32.Update(crc32.ChecksumIEEE(c.levels), crc32.IEEETable, body)),
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues: int32(note.rows), NumNulls: int32(note.nulls), NumRows: int32(note.rows), Encoding: encoding,
			DefinitionLevelsByteLength: int32(len(c.levels)), IsCompressed: thrift.New(worth),
			Statistics: format.Statistics{NullCount: int64(note.nulls)},
		}),
	}
	n, err := f.putStruct(&header)
	if err != nil {
		return 0, false, err
	}
	if err := f.put(c.levels); err != nil {
		return 0, false, err
	}
	return int64(n + len(c.levels) + len(c.plain)), worth, f.put(body)
}
