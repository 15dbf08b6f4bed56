package verify

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/tallystick/tallystick"
)

// Zip structures (PKWARE APPNOTE 4.3.7, 4.3.12, 4.3.16).
const (
	localSignature    = 0x04034b50
	centralSignature  = 0x02014b50
	endSignature      = 0x06054b50
	localHeaderSize   = 30
	centralHeaderSize = 46
	endSize           = 22

	zipVersion = 20     // 2.0, MS-DOS: no Unix modes, so no links
	zipUTF8    = 0x0800 // general purpose flag 11
	zipDate    = 0x0021 // 1980-01-01, the first date that zip can write
)

// Part is a file of an archive that need not be held in memory.
type Part struct {
	Name  string
	Size  int64
	CRC32 uint32 // IEEE, of the bytes that Open yields
	Open  func() io.Reader
}

// WriteTo writes the zip file.
func (a Archive) WriteTo(w io.Writer) (int64, error) {
	parts := make([]Part, len(a.files))
	for i, f := range a.files {
		parts[i] = Part{f.Name, int64(len(f.Data)), crc32.ChecksumIEEE(f.Data), func() io.Reader { return bytes.NewReader(f.Data) }}
	}
	return WriteParts(w, parts)
}

// WriteParts writes the canonical zip file of parts, which are sorted by name.
func WriteParts(w io.Writer, parts []Part) (int64, error) {
	if _, err := SizeOf(parts); err != nil {
		return 0, err
	}
	out := &countingWriter{w: w}
	var directory []byte
	for _, m := range parts {
		// The fields that local and central header share, from "version needed" to the lengths.
		shared := binary.LittleEndian.AppendUint16(nil, zipVersion)
		shared = binary.LittleEndian.AppendUint16(shared, zipUTF8)
		shared = binary.LittleEndian.AppendUint16(shared, 0) // stored
		shared = binary.LittleEndian.AppendUint16(shared, 0) // time
		shared = binary.LittleEndian.AppendUint16(shared, zipDate)
		shared = binary.LittleEndian.AppendUint32(shared, m.CRC32)
		shared = binary.LittleEndian.AppendUint32(shared, uint32(m.Size)) // compressed
		shared = binary.LittleEndian.AppendUint32(shared, uint32(m.Size))
		shared = binary.LittleEndian.AppendUint16(shared, uint16(len(m.Name)))
		shared = binary.LittleEndian.AppendUint16(shared, 0) // extra

		directory = binary.LittleEndian.AppendUint32(directory, centralSignature)
		directory = binary.LittleEndian.AppendUint16(directory, zipVersion)
		directory = append(directory, shared...)
		directory = append(directory, make([]byte, 10)...) // comment, disk, attributes
		directory = binary.LittleEndian.AppendUint32(directory, uint32(out.n))
		directory = append(directory, m.Name...)

		header := binary.LittleEndian.AppendUint32(nil, localSignature)
		header = append(append(header, shared...), m.Name...)
		if _, err := out.Write(header); err != nil {
			return out.n, err
		}
		if n, err := io.Copy(out, m.Open()); err != nil || n != m.Size {
			return out.n, cmp.Or(err, fmt.Errorf("%q has %d bytes, not %d", m.Name, n, m.Size))
		}
	}
	end := binary.LittleEndian.AppendUint32(nil, endSignature)
	end = binary.LittleEndian.AppendUint32(end, 0) // disks
	end = binary.LittleEndian.AppendUint16(end, uint16(len(parts)))
	end = binary.LittleEndian.AppendUint16(end, uint16(len(parts)))
	end = binary.LittleEndian.AppendUint32(end, uint32(len(directory)))
	end = binary.LittleEndian.AppendUint32(end, uint32(out.n))
	end = binary.LittleEndian.AppendUint16(end, 0) // comment
	_, err := out.Write(append(directory, end...))
	return out.n, err
}

// SizeOf returns the size of the archive of parts in bytes, or why there can be none.
func SizeOf(parts []Part) (size int64, err error) {
	if len(parts) == 0 || len(parts) > maxFiles {
		return 0, tallystick.Errorf(tallystick.Invalid, "archive has %d files, want 1 to %d", len(parts), maxFiles)
	}
	size = endSize
	for _, m := range parts {
		if m.Size > maxFile {
			return 0, tallystick.Errorf(tallystick.Invalid, "archive: %q is larger than %d bytes", m.Name, maxFile)
		}
		size += m.Size + int64(2*len(m.Name)+localHeaderSize+centralHeaderSize)
	}
	if size > MaxArchive {
		return 0, tallystick.Errorf(tallystick.Invalid, "archive is larger than %d bytes", MaxArchive)
	}
	return size, validateNames(parts)
}

// ReadArchive reads a canonical zip file of size bytes. It reads the file into memory once, parses
// it, writes what it has parsed again and compares all bytes, so a zip file that is laid out in any
// other way is refused. An error that is not Invalid is one of reading.
func ReadArchive(r io.ReaderAt, size int64) (Archive, error) {
	if size > MaxArchive {
		return Archive{}, tallystick.Errorf(tallystick.Invalid, "archive is larger than %d bytes", MaxArchive)
	}
	data := make([]byte, max(size, 0))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), data); err != nil {
		return Archive{}, fmt.Errorf("read archive: %w", err)
	}
	a, err := parseArchive(data)
	if err != nil {
		return Archive{}, err
	}
	if err := a.validate(); err != nil {
		return Archive{}, err
	}
	same := &comparingWriter{want: data}
	if _, err := a.WriteTo(same); err != nil || len(same.want) > 0 {
		return Archive{}, tallystick.Errorf(tallystick.Invalid, "archive is not laid out in its one accepted form, first seen near byte %d", len(data)-len(same.want))
	}
	return a, nil
}

// parseArchive walks the local headers from the first byte on. It takes from them only names and
// data; whether every other byte is right is for the comparison to find.
func parseArchive(data []byte) (Archive, error) {
	var a Archive
	rest := data
	for len(rest) >= localHeaderSize && binary.LittleEndian.Uint32(rest) == localSignature {
		if len(a.files) == maxFiles {
			return a, tallystick.Errorf(tallystick.Invalid, "archive has more than %d files", maxFiles)
		}
		size := uint64(binary.LittleEndian.Uint32(rest[18:]))
		nameLength := uint64(binary.LittleEndian.Uint16(rest[26:]))
		end := localHeaderSize + nameLength + size
		if end > uint64(len(rest)) {
			return a, tallystick.Errorf(tallystick.Invalid, "archive is cut off in entry %d", len(a.files)+1)
		}
		a.files = append(a.files, File{
			Name: string(rest[localHeaderSize : localHeaderSize+nameLength]),
			Data: rest[localHeaderSize+nameLength : end : end],
		})
		rest = rest[end:]
	}
	if len(a.files) == 0 {
		return a, tallystick.Errorf(tallystick.Invalid, "not a zip file")
	}
	return a, nil
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

var errDifferent = errors.New("bytes differ")

// comparingWriter takes the bytes of want, in order, and fails at the first that differ.
type comparingWriter struct{ want []byte }

func (c *comparingWriter) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(c.want, p) {
		return 0, errDifferent
	}
	c.want = c.want[len(p):]
	return len(p), nil
}
