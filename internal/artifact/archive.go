package artifact

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/klauspost/compress/zstd"
)

// errBomb ends a stream that grows beyond the budget of an inspection.
var errBomb = errors.New("it grows to more than its file can explain")

// rationed takes what it reads from the budget of an inspection.
type rationed struct {
	in *inspector
	r  io.Reader
}

func (r rationed) Read(p []byte) (int, error) {
	if err := r.in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if r.in.budget -= int64(n); r.in.budget < 0 {
		return 0, errBomb
	}
	return n, err
}

// enter counts a member and reports whether it may be opened.
func (in *inspector) enter(where string) bool {
	in.members++
	if in.members == maxMembers+1 {
		in.find(Unjudged, "archive.members", where, "has more than %d members: the others are not read", maxMembers)
	}
	return in.members <= maxMembers && in.ctx.Err() == nil
}

// compressed judges what a compressed file holds.
func (in *inspector) compressed(src *input, format Format) Format {
	if in.depth == maxInspectDepth {
		in.find(Unjudged, "archive.depth", src.where, "is the %dth archive in an archive: it is not opened", maxInspectDepth)
		return format
	}
	var r io.Reader
	var err error
	switch format {
	case FormatGzip:
		r, err = gzip.NewReader(src)
	case FormatZlib:
		r, err = zlib.NewReader(src)
	case FormatBzip2:
		r = bzip2.NewReader(src)
	case FormatZstd:
		var d *zstd.Decoder
		if d, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20)); err == nil {
			defer d.Close()
			r = d
		}
	default:
		err = errors.New("this compression is not read")
	}
	if err != nil {
		in.unreadable(string(format), src, err)
		return format
	}
	inner := newStream(src.where, rationed{in, r})
	in.depth++
	found := in.inspect(inner)
	in.depth--
	in.drain(inner)
	if found == FormatUnknown || found == FormatText || found == FormatJSON || found == FormatEmpty {
		return format
	}
	return found
}

// drain reads what an inspection has left, so that a bomb or a damaged end is seen.
func (in *inspector) drain(src *input) {
	if _, err := io.Copy(io.Discard, src); errors.Is(err, errBomb) {
		in.find(High, "archive.bomb", src.where, "%v", errBomb)
	} else if err != nil {
		in.unreadable("archive", src, err)
	}
}

// member judges one member of an archive. What needs to be read from its end is kept in memory, if it is
// small enough.
func (in *inspector) member(src *input) Format {
	if in.depth == maxInspectDepth {
		in.find(Unjudged, "archive.depth", src.where, "lies in more than %d archives: it is not opened", maxInspectDepth)
		return FormatUnknown
	}
	in.depth++
	defer func() { in.depth-- }()
	if head, _ := src.Peek(4); src.at == nil && (string(head) == "PK\x03\x04" || string(head) == "PK\x05\x06") {
		data, err := io.ReadAll(io.LimitReader(src, maxMemberMemory+1))
		switch {
		case err != nil:
			in.unreadable("archive", src, err)
			return FormatUnknown
		case len(data) > maxMemberMemory:
			in.find(Unjudged, "archive.size", src.where, "is an archive of more than %d bytes in an archive: it is not opened", maxMemberMemory)
			in.drain(src)
			return FormatZip
		}
		return in.inspect(newInput(src.where, bytes.NewReader(data), int64(len(data))))
	}
	format := in.inspect(src)
	if src.at == nil {
		in.drain(src)
	}
	return format
}

// checkMemberName reports a name that would leave the directory that an archive is unpacked into.
func (in *inspector) checkMemberName(where, name string) {
	if err := ValidateFileName(path.Clean(name)); err != nil || path.Clean(name) != name && path.Clean(name)+"/" != name && "./"+path.Clean(name) != name {
		in.find(High, "archive.name", where, "has a member with the name %.200q, which is no plain relative path", name)
	}
}

// tar judges every member. Links and devices are reported: they reach out of the archive.
func (in *inspector) tar(src *input) {
	r := tar.NewReader(bufio.NewReader(src))
	names := map[string]bool{}
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			if errors.Is(err, errBomb) {
				return // drain says so
			}
			in.unreadable("tar", src, err)
			return
		}
		where := src.where + "/" + fmt.Sprintf("%.200s", h.Name)
		if !in.enter(src.where) {
			return
		}
		switch h.Typeflag {
		case tar.TypeDir:
			if h.Name != "./" && h.Name != "." {
				in.checkMemberName(src.where, h.Name)
			}
			continue
		case tar.TypeReg:
		case tar.TypeSymlink, tar.TypeLink:
			in.find(High, "archive.link", where, "is a link to %.200q", h.Linkname)
			continue
		case tar.TypeXGlobalHeader:
			continue
		default:
			in.find(High, "archive.special", where, "is neither a file nor a directory")
			continue
		}
		in.checkMemberName(src.where, h.Name)
		if clean := path.Clean(h.Name); names[clean] {
			in.find(High, "archive.twice", where, "stands in the archive twice: readers differ in which one they take")
		} else {
			names[clean] = true
		}
		member := newStream(where, r)
		member.size = h.Size
		in.member(member)
	}
}
