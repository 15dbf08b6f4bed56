package artifact

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// inspector gathers what is found in one file and in the archives within it.
type inspector struct {
	ctx     context.Context // lives for one call of Inspect
	result  Inspection
	more    bool  // findings that are not listed
	budget  int64 // bytes that may still be decompressed
	members int   // of archives, so far
	depth   int   // archives around the input at hand
}

func (in *inspector) find(severity Severity, rule, where, format string, args ...any) {
	f := Finding{Rule: rule, Severity: severity, Where: where, Message: fmt.Sprintf(format, args...)}
	switch {
	case slices.Contains(in.result.Findings, f):
	case len(in.result.Findings) < maxFindings:
		in.result.Findings = append(in.result.Findings, f)
	default:
		in.more = true
	}
}

// trial returns an inspector whose findings may come to nothing.
func (in *inspector) trial() *inspector {
	return &inspector{ctx: in.ctx, result: Inspection{Metadata: map[string]string{}, DTypes: map[string]int64{}}}
}

// meta keeps a value that the file states about itself.
func (in *inspector) meta(key, value string) {
	if len(in.result.Metadata) >= maxMetadata || key == "" || len(key) > 256 {
		return
	}
	if len(value) > maxMetadataValue {
		value = value[:maxMetadataValue] + "..."
	}
	in.result.Metadata[strings.ToValidUTF8(key, "\uFFFD")] = strings.ToValidUTF8(value, "\uFFFD")
}

// tensor counts one tensor. elements is what checkedProduct returned.
func (in *inspector) tensor(dtype string, elements int64) {
	in.result.Tensors++
	in.result.Parameters = saturatingAdd(in.result.Parameters, elements)
	if _, ok := in.result.DTypes[dtype]; ok || len(in.result.DTypes) < maxMetadata {
		in.result.DTypes[dtype] = saturatingAdd(in.result.DTypes[dtype], elements)
	}
}

func saturatingAdd(a, b int64) int64 { return min(a, maxTotal-min(b, maxTotal)) + min(b, maxTotal) }

// elementsOf returns the product of a shape, or false if it is beyond 2^53 or a dimension is negative.
func elementsOf(shape []int64) (int64, bool) {
	product := int64(1)
	for _, d := range shape {
		if d < 0 || d > 0 && product > maxTotal/d {
			return 0, false
		}
		product *= d
	}
	return product, true
}

// input is a stretch of bytes that is read from its beginning, and its name for findings.
type input struct {
	*bufio.Reader
	where string
	size  int64       // -1 if it is not known
	at    io.ReaderAt // nil for a stream
	read  *countingReader
}

const peekSize = 4096

func newInput(where string, r io.ReaderAt, size int64) *input {
	in := newStream(where, io.NewSectionReader(r, 0, size))
	in.at, in.size = r, size
	return in
}

func newStream(where string, r io.Reader) *input {
	counted := &countingReader{r: r}
	return &input{Reader: bufio.NewReaderSize(counted, 64<<10), where: where, size: -1, read: counted}
}

// offset returns how many bytes have been taken from in.
func (in *input) offset() int64 { return in.read.n - int64(in.Buffered()) }

// skip discards n bytes; too few are io.ErrUnexpectedEOF.
func (in *input) skip(n uint64) error {
	for n > 0 {
		step := min(n, 1<<30)
		if _, err := in.Discard(int(step)); err != nil {
			return unexpected(err)
		}
		n -= step
	}
	return nil
}

// take reads exactly n bytes, which the caller has bounded.
func (in *input) take(n int) ([]byte, error) {
	buf := make([]byte, n)
	_, err := io.ReadFull(in, buf)
	return buf, unexpected(err)
}

func (in *input) uint32() (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(in, b[:])
	return binary.LittleEndian.Uint32(b[:]), unexpected(err)
}

func (in *input) uint64() (uint64, error) {
	var b [8]byte
	_, err := io.ReadFull(in, b[:])
	return binary.LittleEndian.Uint64(b[:]), unexpected(err)
}

// ended reports whether nothing is left.
func (in *input) ended() bool {
	_, err := in.Peek(1)
	return errors.Is(err, io.EOF)
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// magic lists the formats that begin with fixed bytes.
var magic = []struct {
	prefix string
	format Format
}{
	{"GGUF", FormatGGUF},
	{"\x93NUMPY", FormatNumPy},
	{"\x89HDF\r\n\x1a\n", FormatHDF5},
	{"PK\x03\x04", FormatZip},
	{"PK\x05\x06", FormatZip},
	{"\x1f\x8b", FormatGzip},
	{"BZh", FormatBzip2},
	{"\x28\xb5\x2f\xfd", FormatZstd},
	{"\xfd7zXZ\x00", FormatXZ},
	{"\x7fELF", FormatExecutable},
	{"MZ", FormatExecutable},
	{"\xcf\xfa\xed\xfe", FormatExecutable},
	{"\xca\xfe\xba\xbe", FormatExecutable},
	{"#!", FormatExecutable},
}

// recognise returns the format of the bytes at the beginning of a file.
func recognise(head []byte, size int64) Format {
	for _, m := range magic {
		if bytes.HasPrefix(head, []byte(m.prefix)) && (m.prefix != "MZ" || !isText(head)) {
			return m.format
		}
	}
	switch {
	case len(head) == 0:
		return FormatEmpty
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return FormatTar
	case len(head) >= 2 && head[0] == opProto && head[1] >= 2 && head[1] <= maxProtocol:
		return FormatPickle
	case isSafetensors(head, size):
		return FormatSafetensors
	case isZlib(head):
		return FormatZlib
	case isText(head):
		if first := bytes.TrimLeft(head, " \t\r\n"); len(first) > 1 && (first[0] == '[' || first[0] == '{' && !strings.Contains("{%#", string(first[1]))) {
			return FormatJSON // and not a template
		}
		return FormatText
	default:
		return FormatUnknown
	}
}

// isZlib reports a header of RFC 1950, section 2.2, without a dictionary.
func isZlib(head []byte) bool {
	return len(head) > 2 && head[0] == 0x78 && (uint(head[0])<<8|uint(head[1]))%31 == 0 && head[1]&0x20 == 0
}

// isText reports whether head is UTF-8 without control characters, apart from a character cut at its end.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(head)
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' {
			return false
		}
		head = head[n:]
	}
	return true
}

// inspect judges src and returns its format.
func (in *inspector) inspect(src *input) Format {
	head, _ := src.Peek(peekSize)
	format := recognise(head, src.size)
	switch format {
	case FormatGGUF:
		in.gguf(src)
	case FormatNumPy:
		in.numpy(src)
	case FormatHDF5:
		in.hdf5(src)
	case FormatZip:
		return in.zip(src)
	case FormatTar:
		in.tar(src)
	case FormatGzip, FormatZlib, FormatBzip2, FormatZstd, FormatXZ:
		return in.compressed(src, format)
	case FormatPickle:
		return in.pickles(src)
	case FormatSafetensors:
		in.safetensors(src)
	case FormatExecutable:
		in.find(High, "file.executable", src.where, "is a program, not a model")
	case FormatJSON:
		in.json(src, false)
	case FormatText, FormatUnknown:
		return in.unmarked(src, head, format)
	}
	return format
}

// unmarked tells apart what has no magic bytes: ONNX, pickles of the protocols 0 and 1, and text.
func (in *inspector) unmarked(src *input, head []byte, format Format) Format {
	if looksLikeONNX(head) {
		in.onnx(src)
		return FormatONNX
	}
	// A loader of pickles does not ask for magic bytes, so everything that runs as one is one. Words in
	// a text can be opcodes: only a whole pickle, or a call in a part of one, counts.
	trial := in.trial()
	p := &pickle{in: trial, src: src}
	err := p.scan()
	if p.called || err == nil && src.ended() {
		in.result.Findings = append(in.result.Findings, trial.result.Findings...)
		in.more = in.more || trial.more
		if err != nil {
			in.unreadable("pickle", src, err)
		} else if !src.ended() {
			in.pickles(src)
		}
		in.pickleNote(src)
		return FormatPickle
	}
	if format == FormatUnknown {
		in.find(Unjudged, "file.unknown", src.where, "is in no format that is known here, so nothing can be said about it")
	}
	return format
}

// unreadable says that a reader could not go on.
func (in *inspector) unreadable(format string, src *input, err error) {
	in.find(Unjudged, format+".unreadable", place(src.where, src.offset()), "cannot be read to its end: %v", err)
}

func place(where string, offset int64) string { return fmt.Sprintf("%s, byte %d", where, offset) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
