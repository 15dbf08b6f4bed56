package artifact

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// maxZipDirectory bounds what is read to open a zip archive: the directory at its end.
const maxZipDirectory = 32 << 20

var errZipDirectory = errors.New("its directory is larger than the 32 MiB that are read")

// zip judges an archive and returns what it is: a PyTorch file, an array archive, a Keras model or
// simply an archive. Every reader of zip files believes another part of them, so all parts must agree.
func (in *inspector) zip(src *input) Format {
	if src.at == nil {
		in.find(Unjudged, "archive.size", src.where, "is an archive that is compressed once more: it is not opened")
		return FormatZip
	}
	if in.depth == maxInspectDepth {
		in.find(Unjudged, "archive.depth", src.where, "lies in more than %d archives: it is not opened", maxInspectDepth)
		return FormatZip
	}
	limited := &limitedReaderAt{r: src.at, left: maxZipDirectory}
	r, err := zip.NewReader(limited, src.size)
	if limited.left < 0 {
		err = errZipDirectory
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		in.unreadable("zip", src, err)
		return FormatZip
	}
	limited.left = maxTotal // members are rationed one by one
	in.zipLayout(src, r)
	format, prefix := zipFormat(r)
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			in.checkMemberName(src.where, f.Name)
			continue
		}
		if !in.enter(src.where) {
			break
		}
		in.zipMember(src, f, format, prefix)
	}
	switch format {
	case FormatPyTorch:
		in.pickleNote(src)
	case FormatTorchScript:
		in.find(Medium, "torchscript.code", src.where, "is TorchScript: it brings a program of its own, which torch.jit runs")
	}
	return format
}

// limitedReaderAt fails after a number of bytes.
type limitedReaderAt struct {
	r    io.ReaderAt
	left int64
}

func (l *limitedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errZipDirectory
	}
	return l.r.ReadAt(p, off)
}

// zipFormat tells by the names of the members what an archive is. prefix is the directory of a PyTorch file.
func zipFormat(r *zip.Reader) (format Format, prefix string) {
	names := map[string]bool{}
	arrays := len(r.File) > 0
	for _, f := range r.File {
		names[f.Name] = true
		arrays = arrays && strings.HasSuffix(f.Name, ".npy")
		if dir, base := path.Split(f.Name); base == "data.pkl" && strings.Count(dir, "/") <= 1 {
			prefix = dir
		}
	}
	switch {
	case names[prefix+"data.pkl"] && names[prefix+"constants.pkl"]:
		return FormatTorchScript, prefix
	case names[prefix+"data.pkl"]:
		return FormatPyTorch, prefix
	case names["config.json"] && (names["metadata.json"] || names["model.weights.h5"] || names["model.weights.npz"]):
		return FormatKeras, ""
	case arrays:
		return FormatNPZ, ""
	default:
		return FormatZip, ""
	}
}

// zipLayout checks that the headers before the members say what the directory says, that no two
// members share bytes, and that no name stands there twice.
func (in *inspector) zipLayout(src *input, r *zip.Reader) {
	type span struct {
		name     string
		from, to int64
	}
	spans := make([]span, 0, len(r.File))
	names := map[string]bool{}
	for _, f := range r.File[:min(len(r.File), maxMembers)] { // more have their finding
		where := src.where + "/" + fmt.Sprintf("%.200s", f.Name)
		if names[f.Name] {
			in.find(High, "archive.twice", where, "stands in the archive twice: readers differ in which one they take")
		}
		names[f.Name] = true
		if f.Flags&1 != 0 {
			in.find(Unjudged, "archive.encrypted", where, "is encrypted")
		}
		if f.Mode().Type() != 0 && !f.Mode().IsDir() {
			in.find(High, "archive.link", where, "is a link or a device, not a file")
		}
		data, err := f.DataOffset()
		if err != nil {
			in.find(High, "zip.mismatch", where, "has no header of its own: %v", err)
			continue
		}
		if fault := localMismatch(src.at, f, data); fault != "" {
			in.find(High, "zip.mismatch", where, "%s", fault)
		}
		end := data + int64(min(f.CompressedSize64, maxTotal))
		if end > src.size {
			in.find(High, "zip.overlap", where, "goes on behind the end of the archive")
		}
		spans = append(spans, span{f.Name, data, end})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := range max(len(spans)-1, 0) {
		// The header of the second lies between the two.
		if spans[i].to > spans[i+1].from-zipHeader && spans[i].to > spans[i].from {
			in.find(High, "zip.overlap", src.where, "its members %.200q and %.200q share bytes", spans[i].name, spans[i+1].name)
			return
		}
	}
}

// zipHeader is the length of a local header without its name (APPNOTE.TXT, section 4.3.7).
const zipHeader = 30

// localMismatch compares the header before a member with the directory. Package zip does not say
// where it begins, so every header is compared that ends where the data begins: there is one, unless
// somebody hid another in it.
func localMismatch(at io.ReaderAt, f *zip.File, data int64) string {
	const room = 8 << 10 // for name and extra field
	window := make([]byte, min(data, room))
	if _, err := at.ReadAt(window, data-int64(len(window))); err != nil && !errors.Is(err, io.EOF) {
		return "has no header that can be read"
	}
	found := false
	for i := len(window) - zipHeader; i >= 0; i-- {
		h := window[i:]
		name, extra := int(binary.LittleEndian.Uint16(h[26:])), int(binary.LittleEndian.Uint16(h[28:]))
		if !bytes.HasPrefix(h, []byte("PK\x03\x04")) || zipHeader+name+extra != len(h) {
			continue
		}
		found = true
		if string(h[zipHeader:zipHeader+name]) != f.Name {
			return fmt.Sprintf("is called %.200q in the header before it", h[zipHeader:zipHeader+name])
		}
		flags, method := binary.LittleEndian.Uint16(h[6:]), binary.LittleEndian.Uint16(h[8:])
		if method != f.Method || (flags^f.Flags)&1 != 0 {
			return "is compressed in another way by the header before it"
		}
		if flags&8 != 0 { // sizes and checksum stand behind the member
			continue
		}
		crc, packed, size := binary.LittleEndian.Uint32(h[14:]), binary.LittleEndian.Uint32(h[18:]), binary.LittleEndian.Uint32(h[22:])
		const zip64 = 1<<32 - 1 // sizes stand in the extra field
		if crc != f.CRC32 || packed != zip64 && uint64(packed) != f.CompressedSize64 || size != zip64 && uint64(size) != f.UncompressedSize64 {
			return "has another size or checksum in the header before it"
		}
	}
	if !found {
		return "has no header before it"
	}
	return ""
}

// zipMember judges one member. Those of a PyTorch file that are not pickles are raw numbers.
func (in *inspector) zipMember(src *input, f *zip.File, format Format, prefix string) {
	where := src.where + "/" + fmt.Sprintf("%.200s", f.Name)
	in.checkMemberName(src.where, f.Name)
	torch := format == FormatPyTorch || format == FormatTorchScript
	if torch && (isNumbered(f.Name, prefix+"data/") || isNumbered(f.Name, prefix+"constants/")) {
		return
	}
	rc, err := f.Open()
	if err != nil {
		in.find(Unjudged, "zip.unreadable", where, "cannot be opened: %v", err)
		return
	}
	defer rc.Close()
	member := newStream(where, rationed{in, rc})
	member.size = int64(min(f.UncompressedSize64, maxTotal))
	if torch && strings.HasSuffix(f.Name, ".pkl") {
		p := &pickle{in: in, src: member, torch: true}
		if err := p.scan(); err != nil {
			in.unreadable("pickle", member, err)
		}
		in.drain(member)
		return
	}
	if torch {
		in.drain(member) // version, byteorder, code: torch reads them itself
		return
	}
	if f.Name == "config.json" {
		in.json(member, true)
		in.drain(member)
		return
	}
	in.member(member)
}

// isNumbered reports whether name is a number in the directory dir, as PyTorch names its storages.
func isNumbered(name, dir string) bool {
	number, ok := strings.CutPrefix(name, dir)
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}
