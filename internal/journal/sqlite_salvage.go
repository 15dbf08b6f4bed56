package journal

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
)

// carver reads blocks from a file and its write-ahead log without SQLite, which gives up at the first
// damage: it reads nothing behind a frame of the log of which the checksum differs, and nothing below a
// page that makes no sense. What is read here proves itself, by the checksums of our own frames.
//
// The format is that of https://www.sqlite.org/fileformat2.html sections 1.6 (pages of tables, cells,
// overflow chains) and 4 (write-ahead log).
type carver struct {
	file, log         *os.File // nil if missing
	fileSize, logSize int64
	newest            map[uint32]int64 // offset in the log of the newest image of a page, but for the tail's
	tail              map[uint32]int64 // likewise, the tail's
	images            []image          // all images in the log, in its order
}

// image is a page in the log. The tail is the images behind the last commit: left over from a transaction
// that failed, unless the mark of its commit is what is damaged. They are looked at last.
type image struct {
	page   uint32
	offset int64
	tail   bool
}

const (
	walHeader   = 32
	walFrame    = 24
	leafPage    = 0x0d
	maxCarved   = MaxPayload + headerSize + blockBytes
	inlineMost  = pageSize - 35             // of a payload that has no overflow pages
	inlineLeast = (pageSize-12)*32/255 - 23 // of one that has
	perOverflow = pageSize - 4              // of a payload on such a page
)

// carve yields what may be blocks of the store at path, ordered by the sequence that they claim. Images
// of one page that differ may yield a block twice.
func carve(path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		c := &carver{newest: make(map[uint32]int64), tail: make(map[uint32]int64)}
		err := c.open(path)
		defer c.close()
		if err != nil {
			yield(nil, err)
			return
		}
		pieces := c.pieces()
		slices.SortStableFunc(pieces, byFirst)
		for _, p := range pieces {
			if b := c.block(p); b != nil && !yield(b, nil) {
				return
			}
		}
	}
}

func (c *carver) open(path string) error {
	for _, f := range []struct {
		path string
		file **os.File
		size *int64
	}{{path, &c.file, &c.fileSize}, {path + "-wal", &c.log, &c.logSize}} {
		opened, err := os.Open(f.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		*f.file = opened
		info, err := opened.Stat()
		if err != nil {
			return err
		}
		*f.size = info.Size()
	}
	c.readLog()
	return nil
}

func (c *carver) close() {
	for _, f := range []*os.File{c.file, c.log} {
		if f != nil {
			_ = f.Close() // was only read
		}
	}
}

// readLog finds the images in the log. They carry its salts: others are left over from before it was
// last begun anew. Where the salts of the header are damaged, those of the first image count.
func (c *carver) readLog() {
	if c.log == nil {
		return
	}
	header := make([]byte, walHeader)
	if !readAt(c.log, header, 0) {
		return
	}
	accepted := [][8]byte{[8]byte(header[16:24])}
	b := make([]byte, walFrame)
	committed := 0
	for offset := int64(walHeader); offset+walFrame+pageSize <= c.logSize && readAt(c.log, b, offset); offset += walFrame + pageSize {
		salt := [8]byte(b[8:16])
		if offset == walHeader && salt != accepted[0] {
			accepted = append(accepted, salt)
		}
		page := binary.BigEndian.Uint32(b)
		if page == 0 || !slices.Contains(accepted, salt) {
			continue
		}
		c.images = append(c.images, image{page, offset + walFrame, true})
		if binary.BigEndian.Uint32(b[4:]) != 0 { // the size of the file after a commit
			committed = len(c.images)
		}
	}
	for i := range c.images {
		image := &c.images[i]
		if image.tail = i >= committed; image.tail {
			c.tail[image.page] = image.offset
		} else {
			c.newest[image.page] = image.offset
		}
	}
}

// pieces finds the cells of all pages that look like the leaves of a table, and other pages on which there
// are whole frames: leaves of which the header is damaged.
func (c *carver) pieces() (found []piece) {
	page := make([]byte, pageSize)
	look := func(f *os.File, offset int64, inLog, tail bool) {
		if !readAt(f, page, offset) {
			return
		}
		if page[0] != leafPage {
			if frames := findFrames(page); len(frames) > 0 {
				found = append(found, piece{frames[0].sequence, offset, -1, inLog, tail})
			}
			return
		}
		cells := int(binary.BigEndian.Uint16(page[3:]))
		for i := range min(cells, (pageSize-8)/2) {
			if _, first, _, ok := cell(page, i); ok {
				found = append(found, piece{first, offset, i, inLog, tail})
			}
		}
	}
	if c.file != nil {
		for offset := int64(0); offset < c.fileSize; offset += pageSize {
			look(c.file, offset, false, false)
		}
	}
	for _, i := range c.images {
		look(c.log, i.offset, true, i.tail)
	}
	return found
}

// cell returns the size of the payload of a cell, its row, and where on the page the payload begins.
func cell(page []byte, i int) (size, row uint64, at int, ok bool) {
	at = int(binary.BigEndian.Uint16(page[8+2*i:]))
	if at < 8 || at >= len(page) {
		return 0, 0, 0, false
	}
	size, n := varint(page[at:])
	row, m := varint(page[at+n:])
	at += n + m
	return size, row, at, n > 0 && m > 0 && size > headerSize && size <= maxCarved
}

// varint reads SQLite's variable-length integers, section 1.6.
func varint(b []byte) (v uint64, n int) {
	for n < min(len(b), 9) {
		c := b[n]
		n++
		if n == 9 {
			return v<<8 | uint64(c), n
		}
		v = v<<7 | uint64(c&0x7f)
		if c < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

// block puts the payload of a cell together. What is missing at its end is left out.
func (c *carver) block(p piece) []byte {
	page := make([]byte, pageSize)
	f := c.file
	if p.inLog {
		f = c.log
	}
	if !readAt(f, page, p.offset) {
		return nil
	}
	if p.cell < 0 {
		return page
	}
	size, _, at, ok := cell(page, p.cell)
	if !ok {
		return nil
	}
	total, inline := int(size), int(size)
	if inline > inlineMost {
		if inline = inlineLeast + (total-inlineLeast)%perOverflow; inline > inlineMost {
			inline = inlineLeast
		}
	}
	if at+inline > len(page) {
		return page[at:]
	}
	b := append(make([]byte, 0, total), page[at:at+inline]...)
	if inline == total {
		return b
	}
	if at+inline+4 > len(page) {
		return b
	}
	next := binary.BigEndian.Uint32(page[at+inline:])
	for len(b) < total && next != 0 && c.page(next, p.tail, page) {
		b = append(b, page[4:4+min(perOverflow, total-len(b))]...)
		next = binary.BigEndian.Uint32(page)
	}
	return b
}

// page reads the newest image of a page, that of the tail for what lies there itself.
func (c *carver) page(number uint32, tail bool, into []byte) bool {
	if offset, there := c.tail[number]; tail && there {
		return readAt(c.log, into, offset)
	}
	if offset, logged := c.newest[number]; logged {
		return readAt(c.log, into, offset)
	}
	return c.file != nil && readAt(c.file, into, int64(number-1)*pageSize)
}

func readAt(f *os.File, b []byte, offset int64) bool {
	n, err := f.ReadAt(b, offset)
	return n == len(b) && (err == nil || errors.Is(err, io.EOF))
}
