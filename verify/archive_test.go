package verify

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

func archiveBytes(t testing.TB, files ...File) []byte {
	t.Helper()
	a, err := NewArchive(files)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if n, err := a.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatal(n, err)
	}
	return b.Bytes()
}

func readArchive(data []byte) (Archive, error) {
	return ReadArchive(bytes.NewReader(data), int64(len(data)))
}

func TestArchive(t *testing.T) {
	t.Parallel()
	files := []File{{"b/c.txt", []byte("see")}, {"a", nil}, {"b/d/e", bytes.Repeat([]byte("e"), 1<<16)}}
	data := archiveBytes(t, files...)
	slices.Reverse(files)
	if !bytes.Equal(data, archiveBytes(t, files...)) {
		t.Error("another order of the same files gives other bytes")
	}
	a, err := readArchive(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if got, ok := a.File(f.Name); !ok || !bytes.Equal(got, f.Data) {
			t.Errorf("File(%q) = %d bytes, %v", f.Name, len(got), ok)
		}
	}
	if _, ok := a.File("b"); ok {
		t.Error("a directory is a file")
	}
	// The standard library reads the same, and finds nothing odd.
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		want, _ := a.File(f.Name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Method != zip.Store || len(f.Extra) > 0 || f.Comment != "" || !f.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: header %+v", f.Name, f.FileHeader)
		}
	}
	if diff := cmp.Diff([]string{"a", "b/c.txt", "b/d/e"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestNewArchiveRefuses(t *testing.T) {
	t.Parallel()
	for name, names := range map[string][]string{
		"nothing":             {},
		"empty name":          {""},
		"absolute":            {"/etc/passwd"},
		"parent":              {"../a"},
		"parent inside":       {"a/../../b"},
		"dot":                 {"./a"},
		"hidden":              {"a/.ssh"},
		"backslash":           {`a\b`},
		"drive":               {"C:a"},
		"directory":           {"a/"},
		"empty segment":       {"a//b"},
		"twice":               {"a", "a"},
		"case":                {"a/B", "a/b"},
		"case of a directory": {"a/x", "A/y"},
		"case, file and dir":  {"A", "a/b"},
		"file and directory":  {"a", "a/b"},
		"device":              {"x/nul"},
		"device with suffix":  {"COM1.txt"},
		"trailing dot":        {"a."},
		"space":               {"a b"},
		"control character":   {"a\x00b"},
		"line break":          {"a\nb"},
		"not ASCII":           {"ä"},
		"leading dash":        {"-rf"},
		"alternate stream":    {"a:b"},
		"long":                {strings.Repeat("a/", maxNameLength/2) + "a"},
		"long segment":        {strings.Repeat("a", maxNameSegment+1)},
	} {
		var files []File
		for _, n := range names {
			files = append(files, File{Name: n})
		}
		if _, err := NewArchive(files); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: NewArchive = %v, want Invalid", name, err)
		}
	}
	if _, err := NewArchive(make([]File, maxFiles+1)); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("too many files: %v", err)
	}
	shared := make([]byte, maxFile)
	if _, err := NewArchive([]File{{"a", shared}, {"b", shared}}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("too large together: %v", err)
	}
	if _, err := NewArchive([]File{{"a", append(shared, 0)}}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a file too large: %v", err)
	}
}

// hostileZip writes entries as they are given, with right checksums, as an attacker would.
func hostileZip(t *testing.T, change func(*zip.FileHeader), names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		h := &zip.FileHeader{Name: name, Method: zip.Store}
		if change != nil {
			change(h)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, "data"); err != nil && !strings.HasSuffix(name, "/") {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rename changes the name of a file in a canonical archive, in both headers, to one of equal length.
func rename(data []byte, from, to string) []byte {
	return bytes.ReplaceAll(data, []byte(from), []byte(to))
}

func TestReadArchiveRefuses(t *testing.T) {
	t.Parallel()
	good := archiveBytes(t, File{"aaaa", []byte("one")}, File{"bbbb", []byte("two")})
	if _, err := readArchive(good); err != nil {
		t.Fatal(err)
	}
	put16 := func(at int, v uint16) []byte {
		changed := bytes.Clone(good)
		binary.LittleEndian.PutUint16(changed[at:], v)
		return changed
	}
	entry := localHeaderSize + 4 + 3
	central := 2 * entry
	swapped := slices.Concat(good[entry:2*entry], good[:entry], good[central:])
	for name, data := range map[string][]byte{
		"empty":                 {},
		"not a zip":             []byte("%PDF-1.7, and enough bytes that a header could be in it"),
		"empty zip":             append([]byte("PK\x05\x06"), make([]byte, 18)...),
		"leading byte":          append([]byte{0}, good...),
		"trailing byte":         append(bytes.Clone(good), 0),
		"comment":               append(put16(len(good)-2, 1), 'x'),
		"order":                 swapped,
		"gap":                   slices.Concat(good[:entry], []byte{0}, good[entry:]),
		"entry not listed":      slices.Concat(good[:entry], good[:entry], good[entry:]),
		"written by other tool": hostileZip(t, nil, "aaaa"),
		"zip slip":              rename(good, "aaaa", "../a"),
		"absolute":              rename(good, "aaaa", "/aaa"),
		"backslash":             rename(good, "aaaa", `\aaa`),
		"duplicate":             rename(good, "bbbb", "aaaa"),
		"case collision":        rename(good, "aaaa", "BbBB"),
		"directory":             rename(good, "bbbb", "bbb/"),
		"file as directory":     rename(good, "aaaa", "bbbb"),
		"slip, other tool":      hostileZip(t, nil, "../../etc/passwd"),
		"link, other tool":      hostileZip(t, func(h *zip.FileHeader) { h.SetMode(os.ModeSymlink | 0o777) }, "link"),
		"compressed":            hostileZip(t, func(h *zip.FileHeader) { h.Method = zip.Deflate }, "a"),
		"local name differs":    bytes.Replace(good, []byte("aaaa"), []byte("aaab"), 1),
		"central name differs":  slices.Concat(good[:central], rename(good[central:], "aaaa", "aaab")),
		"method":                put16(8, 8),
		"encrypted":             put16(6, zipUTF8|1),
		"descriptor":            put16(6, zipUTF8|8),
		"time":                  put16(10, 1),
		"checksum":              put16(14, 0),
		"extra length":          put16(28, 1),
		"symlink attribute":     put16(central+40, 0xA1FF),
		"made on Unix":          put16(central+4, 3<<8|20),
		"count":                 put16(len(good)-12, 3),
		"size says more":        bytes.Replace(good, []byte{3, 0, 0, 0}, []byte{0xFF, 0xFF, 0xFF, 0xFF}, 1),
		"size says 4 GiB":       bytes.ReplaceAll(good, []byte{3, 0, 0, 0}, []byte{0xFF, 0xFF, 0xFF, 0xFF}),
		"size says less":        bytes.ReplaceAll(good, []byte{3, 0, 0, 0}, []byte{2, 0, 0, 0}),
	} {
		if bytes.Equal(data, good) {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := readArchive(data); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: ReadArchive = %v, want Invalid", name, err)
		}
	}
	for bit := range len(good) * 8 {
		good[bit/8] ^= 1 << (bit % 8)
		if _, err := readArchive(good); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("bit %d flipped: accepted", bit)
		}
		good[bit/8] ^= 1 << (bit % 8)
	}
	for n := range len(good) {
		if _, err := readArchive(good[:n]); err == nil {
			t.Errorf("cut off at %d: accepted", n)
		}
	}
	if _, err := ReadArchive(bytes.NewReader(nil), MaxArchive+1); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("too large: %v", err)
	}
	if _, err := ReadArchive(bytes.NewReader(good), int64(len(good))+1); err == nil {
		t.Error("shorter than was said: accepted")
	}
}

func TestArchiveExtract(t *testing.T) {
	t.Parallel()
	a, err := NewArchive([]File{{"a/b/c", []byte("x")}, {"d", nil}})
	if err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	dir := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if err := a.Extract(dir); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("into a directory with a link: %v", err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("written outside: %v, %v", entries, err)
	}
	file := filepath.Join(outside, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.Extract(file); err == nil {
		t.Error("extracted into a file")
	}
}

// FuzzArchive: what is accepted is written again byte for byte and read alike by archive/zip.
func FuzzArchive(f *testing.F) {
	f.Add(archiveBytes(f, File{"a", []byte("1")}, File{"b/c", nil}))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readArchive(data)
		if err != nil {
			return
		}
		if !bytes.Equal(archiveBytes(t, a.Files()...), data) {
			t.Fatal("accepted but written otherwise")
		}
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil || len(z.File) != len(a.Files()) {
			t.Fatalf("archive/zip: %v", err)
		}
		for i, entry := range z.File {
			if entry.Name != a.Files()[i].Name || !filepath.IsLocal(entry.Name) || !entry.Mode().IsRegular() {
				t.Fatalf("archive/zip sees %q, %v", entry.Name, entry.Mode())
			}
		}
	})
}

// BenchmarkBundle verifies bundles beside SHA-256 of the same bytes.
func BenchmarkBundle(b *testing.B) {
	for _, size := range []int{1 << 14, 1 << 20, 16 << 20} {
		f := newFixture(b)
		data := f.parts(size).bundle()
		name := map[int]string{1 << 14: "16KiB", 1 << 20: "1MiB", 16 << 20: "16MiB"}[size]
		b.Run(name+"/verify", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if r := verifyBundle(b, data, f.trust); r.Verdict != Verified {
					b.Fatal(r.Verdict)
				}
			}
		})
		b.Run(name+"/sha256", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				sha256.Sum256(data)
			}
		})
	}
}
