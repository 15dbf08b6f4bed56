package table

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// maxPageBytes bounds a page of a Parquet file, packed and unpacked. Writers make pages of 8 KiB to
// some MiB.
const maxPageBytes = 128 << 20

// unpacker decompresses pages. It never makes more than the page header states, whatever the packed
// bytes would unpack to.
type unpacker struct {
	zstd *zstd.Decoder
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}

var errUnpackedSize = errors.New("it does not unpack to the size that it states")

// unpack returns the size bytes that src packs, in the memory of dst if they fit there.
func (u *unpacker) unpack(dst, src []byte, codec format.CompressionCodec, size int) (_ []byte, err error) {
	// The decompressors are other people's code, partly assembly: a panic there is a fault of the page.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("unpack: %v", r)
		}
	}()
	dst = dst[:0]
	switch codec {
	case format.Uncompressed:
		dst = src
	case format.Snappy:
		if n, err := snappy.DecodedLen(src); err != nil || n != size || n/64 > len(src) {
			return nil, errUnpackedSize // 64 bytes are the most that two of snappy's can stand for
		}
		dst, err = snappy.Decode(resize(dst, size), src)
	case format.Lz4Raw:
		if size/255 > len(src) {
			return nil, errUnpackedSize
		}
		dst = resize(dst, size)
		var n int
		if n, err = lz4.UncompressBlock(src, dst); err == nil {
			dst = dst[:n]
		}
	case format.Zstd:
		if u.zstd == nil {
			u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPageBytes))
			if err != nil {
				return nil, err
			}
		}
		dst, err = u.zstd.DecodeAll(src, dst)
	case format.Gzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(src)); err == nil {
			dst, err = drain(dst, r, size)
		}
	case format.Brotli:
		dst, err = drain(dst, brotli.NewReader(bytes.NewReader(src)), size)
	default:
		return nil, fmt.Errorf("compression %v is not supported", codec)
	}
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	if len(dst) != size {
		return nil, errUnpackedSize
	}
	return dst, nil
}

// drain reads r, at most one byte beyond size, growing dst as the bytes come.
func drain(dst []byte, r io.Reader, size int) ([]byte, error) {
	buffer := bytes.NewBuffer(dst)
	_, err := buffer.ReadFrom(io.LimitReader(r, int64(size)+1))
	return buffer.Bytes(), err
}
