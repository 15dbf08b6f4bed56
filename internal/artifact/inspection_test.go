package artifact

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

func realFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "real", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func rulesOf(i Inspection) string {
	var rules []string
	for _, f := range i.Findings {
		rules = append(rules, f.Rule)
	}
	return strings.Join(rules, " ")
}

// The files are those of testdata/make.py, which says what is in them.
func TestInspectRealFiles(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		format     Format
		verdict    tallystick.Verdict
		rules      string
		tensors    int64
		parameters int64
	}{
		"data.0.pkl":      {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"data.1.pkl":      {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"data.2.pkl":      {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"data.3.pkl":      {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"data.4.pkl":      {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"data.5.pkl":      {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"array.0.pkl":     {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"array.1.pkl":     {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"array.2.pkl":     {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"array.3.pkl":     {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"array.4.pkl":     {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"array.5.pkl":     {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"linear.pkl":      {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"forest.pkl":      {FormatPickle, tallystick.Warn, "pickle.format", 0, 0},
		"linear.joblib":   {FormatJoblib, tallystick.Warn, "pickle.format", 7, 16},
		"forest.joblib.z": {FormatJoblib, tallystick.Warn, "joblib.stream pickle.format", 9, 32},
		"objects.joblib":  {FormatJoblib, tallystick.Warn, "joblib.plain pickle.format", 1, 4},
		"objects.npy":     {FormatNumPy, tallystick.Warn, "numpy.objects pickle.format", 1, 2},
		"w.npy":           {FormatNumPy, tallystick.Pass, "", 1, 6},
		"w.npz":           {FormatNPZ, tallystick.Pass, "", 2, 8},
		"w.safetensors":   {FormatSafetensors, tallystick.Pass, "", 2, 10},
		"w.onnx":          {FormatONNX, tallystick.Pass, "", 1, 6},
		"external.onnx":   {FormatONNX, tallystick.Warn, "onnx.external onnx.custom", 1, 6},
		"w.gguf":          {FormatGGUF, tallystick.Pass, "gguf.template", 2, 96},
		"state.pt":        {FormatPyTorch, tallystick.Warn, "pickle.format", 0, 0},
		"legacy.pt":       {FormatPyTorchLegacy, tallystick.Warn, "pickle.format", 0, 0},
		"m.keras":         {FormatKeras, tallystick.Warn, "hdf5.format", 0, 0},
		"w.h5":            {FormatHDF5, tallystick.Warn, "hdf5.format", 0, 0},
		"model.tar.gz":    {FormatTar, tallystick.Pass, "", 3, 16},
	} {
		i := inspectBytes(t, realFile(t, name))
		if i.Format != want.format || i.Verdict != want.verdict || rulesOf(i) != want.rules || i.Tensors != want.tensors || i.Parameters != want.parameters {
			t.Errorf("%s: %+v, want %+v", name, i, want)
		}
	}
}

func TestInspectMetadata(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ metadata, dtypes any }{
		"w.safetensors": {map[string]string{"format": "np", "author": "test"}, map[string]int64{"F32": 6, "I8": 4}},
		"w.gguf": {
			map[string]string{"general.architecture": "llama", "general.author": "test", "general.name": "tiny", "gguf.version": "3"},
			map[string]int64{"F32": 32, "F16": 64},
		},
		"w.onnx": {
			map[string]string{"author": "test", "onnx.ir_version": "14", "onnx.opset.ai.onnx": "17", "onnx.producer": "make.py", "onnx.producer_version": "1"},
			map[string]int64{"FLOAT": 6},
		},
	} {
		i := inspectBytes(t, realFile(t, name))
		if diff := cmp.Diff(want.metadata, any(i.Metadata)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(want.dtypes, any(i.DTypes)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestTruncatedIsNeverSafe cuts every real file at every length: none may be judged better than whole,
// and none that has lost something may pass.
func TestTruncatedIsNeverSafe(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"data.2.pkl", "array.4.pkl", "linear.joblib", "objects.npy", "w.npy", "w.npz", "w.safetensors", "w.gguf", "state.pt", "m.keras", "model.tar.gz", "forest.joblib.z",
	} {
		data := realFile(t, name)
		for n := 16; n < len(data); n++ {
			i := inspectBytes(t, data[:n])
			// The padding at the end of a GGUF file and of a tar archive carries nothing.
			if i.Verdict == tallystick.Pass && !(name == "w.gguf" && len(data)-n < 32) {
				t.Errorf("%s, %d of %d bytes: %+v", name, n, len(data), i)
				break
			}
		}
	}
}

func TestInspectOtherFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data    string
		format  Format
		verdict tallystick.Verdict
		rules   string
	}{
		"empty":         {"", FormatEmpty, tallystick.Pass, ""},
		"text":          {"# Model\nIt é.\n", FormatText, tallystick.Pass, ""},
		"json":          {`{"hidden_size": 8}`, FormatJSON, tallystick.Pass, ""},
		"remote code":   {`{"auto_map": {"AutoModel": "modeling.Model"}}`, FormatJSON, tallystick.Warn, "transformers.code"},
		"program":       {"\x7fELF\x02\x01\x01", FormatExecutable, tallystick.Fail, "file.executable"},
		"script":        {"#!/bin/sh\nid\n", FormatExecutable, tallystick.Fail, "file.executable"},
		"unknown":       {"\x00\x01\x02\x03", FormatUnknown, tallystick.Insufficient, "file.unknown"},
		"xz":            {"\xfd7zXZ\x00\x00", FormatXZ, tallystick.Insufficient, "xz.unreadable"},
		"keras lambda":  {`{"layers":[{"class_name":"Lambda","config":{"function":"x"}}]}`, FormatJSON, tallystick.Fail, "keras.lambda"},
		"nested lambda": {`{"a":{"class_name":"Dense","config":{"activation":{"class_name":"__lambda__","config":{}}}}}`, FormatJSON, tallystick.Fail, "keras.lambda"},
		"keras module":  {`{"module":"subprocess","class_name":"Popen","config":{}}`, FormatJSON, tallystick.Fail, "keras.module"},
		"keras builtin": {`{"module":"builtins","class_name":"function","config":"sum"}`, FormatJSON, tallystick.Warn, "keras.function"},
		"keras torch":   {`{"module":"keras.utils","class_name":"TorchModuleWrapper","config":{}}`, FormatJSON, tallystick.Fail, "keras.pickle"},
		"json lines":    {"{}\n{}\n", FormatJSON, tallystick.Warn, "json.unreadable"},
		"lambda, twice": {`{"class_name":"Dense","class_name":"Lambda","config":{}}`, FormatJSON, tallystick.Fail, "json.unreadable keras.lambda"},
		"template":      {"{% for m in messages %}", FormatText, tallystick.Pass, ""},
		"label MZ":      {"MZ\nother\n", FormatText, tallystick.Pass, ""},
		"hdf5 lambda":   {"\x89HDF\r\n\x1a\n" + strings.Repeat("x", 300_000) + `{"class_name": "Lambda", "config"`, FormatHDF5, tallystick.Fail, "hdf5.format keras.lambda"},
	} {
		if i := inspectBytes(t, []byte(c.data)); i.Format != c.format || i.Verdict != c.verdict || rulesOf(i) != c.rules {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

func safetensorsFile(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestSafetensorsRefuses(t *testing.T) {
	t.Parallel()
	const a = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	if i := inspectBytes(t, safetensorsFile("{"+a+"}", 8)); i.Verdict != tallystick.Pass {
		t.Errorf("the sound one: %+v", i)
	}
	for name, data := range map[string][]byte{
		"overlap":          safetensorsFile(`{`+a+`,"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 8),
		"gap":              safetensorsFile(`{`+a+`,"b":{"dtype":"U8","shape":[4],"data_offsets":[9,13]}}`, 13),
		"data behind":      safetensorsFile("{"+a+"}", 9),
		"data missing":     safetensorsFile("{"+a+"}", 7),
		"wrong length":     safetensorsFile(strings.Replace("{"+a+"}", "[2]", "[3]", 1), 8),
		"overflow":         safetensorsFile(strings.Replace("{"+a+"}", "[2]", "[4294967296,4294967296,4]", 1), 8),
		"negative":         safetensorsFile(strings.Replace("{"+a+"}", "[2]", "[-2]", 1), 8),
		"backwards":        safetensorsFile(strings.Replace("{"+a+"}", "[0,8]", "[8,0]", 1), 8),
		"unknown type":     safetensorsFile(strings.Replace("{"+a+"}", "F32", "F31", 1), 8),
		"unknown member":   safetensorsFile(strings.Replace("{"+a+"}", `"dtype"`, `"x":1,"dtype"`, 1), 8),
		"twice":            safetensorsFile(`{`+a+`,`+a+`}`, 8),
		"metadata numbers": safetensorsFile(`{"__metadata__":{"a":1},`+a+`}`, 8),
		"not json":         safetensorsFile(`{a}`, 8),
		"long header":      append(binary.LittleEndian.AppendUint64(nil, 17<<20), append([]byte("{"), make([]byte, 18<<20)...)...),
	} {
		if i := inspectBytes(t, data); i.Format != FormatSafetensors || i.Verdict != tallystick.Insufficient {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

func TestGGUFRefuses(t *testing.T) {
	t.Parallel()
	u32 := func(v uint32) string { return string(binary.LittleEndian.AppendUint32(nil, v)) }
	u64 := func(v uint64) string { return string(binary.LittleEndian.AppendUint64(nil, v)) }
	text := func(s string) string { return u64(uint64(len(s))) + s }
	for name, data := range map[string]string{
		"version 1":       "GGUF" + u32(1) + u64(0) + u64(0),
		"big-endian":      "GGUF\x00\x00\x00\x03" + u64(0) + u64(0),
		"many tensors":    "GGUF" + u32(3) + u64(1<<40) + u64(0),
		"many entries":    "GGUF" + u32(3) + u64(0) + u64(1<<40),
		"huge string":     "GGUF" + u32(3) + u64(0) + u64(1) + text("a") + u32(ggufString) + u64(1<<60),
		"huge array":      "GGUF" + u32(3) + u64(0) + u64(1) + text("a") + u32(ggufArray) + u32(ggufUint64) + u64(1<<61),
		"deep arrays":     "GGUF" + u32(3) + u64(0) + u64(1) + text("a") + u32(ggufArray) + strings.Repeat(u32(ggufArray)+u64(1), 9),
		"unknown type":    "GGUF" + u32(3) + u64(0) + u64(1) + text("a") + u32(13),
		"alignment":       "GGUF" + u32(3) + u64(0) + u64(1) + text("general.alignment") + u32(ggufUint32) + u32(0),
		"overflow":        "GGUF" + u32(3) + u64(1) + u64(0) + text("t") + u32(2) + u64(1<<40) + u64(1<<40) + u32(0) + u64(0),
		"outside":         "GGUF" + u32(3) + u64(1) + u64(0) + text("t") + u32(1) + u64(64) + u32(0) + u64(0) + strings.Repeat("x", 64),
		"odd offset":      "GGUF" + u32(3) + u64(1) + u64(0) + text("t") + u32(1) + u64(1) + u32(0) + u64(1) + strings.Repeat("x", 64),
		"half a block":    "GGUF" + u32(3) + u64(1) + u64(0) + text("t") + u32(1) + u64(31) + u32(2) + u64(0) + strings.Repeat("x", 64),
		"many dimensions": "GGUF" + u32(3) + u64(1) + u64(0) + text("t") + u32(9),
	} {
		if i := inspectBytes(t, []byte(data)); i.Format != FormatGGUF || i.Verdict != tallystick.Insufficient {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

func TestONNXNamesFilesOutside(t *testing.T) {
	t.Parallel()
	good := realFile(t, "external.onnx")
	for name, location := range map[string]string{
		"climbing":  "../../x/w.bin"[:13],
		"absolute":  "/etc/passwd.."[:13],
		"backslash": `..\\..\\w.bin`[:13],
	} {
		location = (location + "xxxxxxxxxxxxx")[:len("weights/w.bin")]
		i := inspectBytes(t, bytes.Replace(good, []byte("weights/w.bin"), []byte(location), 1))
		if i.Verdict != tallystick.Fail || !strings.Contains(rulesOf(i), "onnx.external") {
			t.Errorf("%s: %+v", name, i)
		}
	}
	// A tag, and a length that is longer than what is left.
	for _, data := range []string{"\x08\x08\x3a\xff\xff\xff\xff\x0f", "\x08\x08\x3a\x05\x0a\x05xx", "\x08\x08\x12\x01a", "\x08\x08\x3a\x04\x0b\x0b\x0b\x0b"} {
		if i := inspectBytes(t, []byte(data)); i.Format != FormatONNX || i.Verdict != tallystick.Insufficient {
			t.Errorf("%q: %+v", data, i)
		}
	}
	// Graphs in graphs: field 7, then node, attribute, graph again and again.
	var nested []byte
	for range 200 {
		for _, tag := range []byte{0x32, 0x2a, 0x0a} {
			nested = append(append([]byte{tag}, binary.AppendUvarint(nil, uint64(len(nested)))...), nested...)
		}
	}
	nested = append(append([]byte{0x08, 0x08, 0x3a}, binary.AppendUvarint(nil, uint64(len(nested)))...), nested...)
	if i := inspectBytes(t, nested); i.Verdict != tallystick.Insufficient {
		t.Errorf("nested graphs: %+v", i)
	}
}

type zipEntry struct {
	name string
	data string
	edit func(*zip.FileHeader)
}

func zipFile(t testing.TB, entries ...zipEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Store}
		if e.edit != nil {
			e.edit(h)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const evilPickle = "\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."

func TestHostileZips(t *testing.T) {
	t.Parallel()
	deflate := func(h *zip.FileHeader) { h.Method = zip.Deflate }
	link := func(h *zip.FileHeader) { h.SetMode(os.ModeSymlink | 0o777) }
	plain := zipFile(t, zipEntry{name: "a.txt", data: "text"}, zipEntry{name: "b.txt", data: "text"})
	if i := inspectBytes(t, plain); i.Format != FormatZip || i.Verdict != tallystick.Pass {
		t.Errorf("the sound one: %+v", i)
	}
	// The second entry of the directory leads to the bytes of the first.
	overlap := bytes.Clone(plain)
	second := bytes.LastIndex(overlap, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(overlap[second+42:], 0)
	nested := []byte("text")
	for range maxInspectDepth + 2 {
		nested = zipFile(t, zipEntry{name: "z", data: string(nested)})
	}
	for name, c := range map[string]struct {
		data    []byte
		verdict tallystick.Verdict
		rule    string
	}{
		"pickle":             {zipFile(t, zipEntry{name: "x", data: evilPickle}), tallystick.Fail, "pickle.global"},
		"compressed pickle":  {zipFile(t, zipEntry{name: "x", data: evilPickle, edit: deflate}), tallystick.Fail, "pickle.global"},
		"pytorch":            {zipFile(t, zipEntry{name: "a/data.pkl", data: evilPickle}, zipEntry{name: "a/data/0", data: "x"}), tallystick.Fail, "pickle.global"},
		"pytorch, hidden":    {zipFile(t, zipEntry{name: "data/data.pkl", data: evilPickle}, zipEntry{name: "data.pkl", data: "N."}), tallystick.Fail, "pickle.global"},
		"array of objects":   {zipFile(t, zipEntry{name: "a.npy", data: string(npyObject()) + evilPickle}), tallystick.Fail, "pickle.global"},
		"keras lambda":       {zipFile(t, zipEntry{name: "config.json", data: strings.Repeat(" ", 5000) + `{"class_name":"Lambda","config":{}}`}), tallystick.Fail, "keras.lambda"},
		"keras NaN":          {zipFile(t, zipEntry{name: "config.json", data: `{"x":NaN,"class_name":"L\u0061mbda","config":{}}`}), tallystick.Insufficient, "json.unreadable"},
		"climbing":           {zipFile(t, zipEntry{name: "../x", data: "x"}), tallystick.Fail, "archive.name"},
		"absolute":           {zipFile(t, zipEntry{name: "/x", data: "x"}), tallystick.Fail, "archive.name"},
		"backslash":          {zipFile(t, zipEntry{name: `..\x`, data: "x"}), tallystick.Fail, "archive.name"},
		"link":               {zipFile(t, zipEntry{name: "x", data: "/etc/passwd", edit: link}), tallystick.Fail, "archive.link"},
		"twice":              {zipFile(t, zipEntry{name: "x", data: "x"}, zipEntry{name: "x", data: "y"}), tallystick.Fail, "archive.twice"},
		"bomb":               {zipFile(t, zipEntry{name: "x", data: strings.Repeat("\x00", 96<<20), edit: deflate}), tallystick.Fail, "archive.bomb"},
		"nested":             {nested, tallystick.Insufficient, "archive.depth"},
		"renamed in header":  {bytes.Replace(plain, []byte("a.txt"), []byte("c.txt"), 1), tallystick.Fail, "zip.mismatch"},
		"overlap":            {overlap, tallystick.Fail, "zip.overlap"},
		"wrong checksum":     {bytes.Replace(zipFile(t, zipEntry{name: "x", data: evilPickle}), []byte("id"), []byte("ls"), 1), tallystick.Fail, "pickle.global"},
		"truncated":          {plain[:len(plain)-1], tallystick.Insufficient, "zip.unreadable"},
		"unknown method":     {bytes.ReplaceAll(zipFile(t, zipEntry{name: "x", data: "y", edit: deflate}), []byte("\x08\x00\x08\x00"), []byte("\x08\x00\x63\x00")), tallystick.Insufficient, "zip.unreadable"},
		"nested zip, pickle": {zipFile(t, zipEntry{name: "in.zip", data: string(zipFile(t, zipEntry{name: "x", data: evilPickle})), edit: deflate}), tallystick.Fail, "pickle.global"},
	} {
		if i := inspectBytes(t, c.data); i.Verdict != c.verdict || !strings.Contains(rulesOf(i), c.rule) {
			t.Errorf("%s: %s %.600v", name, i.Verdict, i.Findings)
		}
	}
}

func npyObject() []byte {
	header := "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
	return append([]byte("\x93NUMPY\x01\x00"+string(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))), header...)
}

func TestNumPyHeadersThatPythonReadsOtherwise(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'descr': '|O'}",
		`{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'desc\x72': '|O'}`,
		`{'descr': '<f8', 'fortran_order': False, 'shape': (1,), "descr": '|O'}`,
		"{'descr': '<f8' and '|O', 'fortran_order': False, 'shape': (1,), }",
		"{'shape': (1,)}",
	} {
		data := "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header + evilPickle
		if i := inspectBytes(t, []byte(data)); i.Format != FormatNumPy || i.Verdict != tallystick.Insufficient {
			t.Errorf("%s: %+v", header, i)
		}
	}
}

func TestHostileTars(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header  tar.Header
		data    string
		verdict tallystick.Verdict
		rule    string
	}{
		"sound":    {tar.Header{Name: "./a.txt"}, "text", tallystick.Pass, ""},
		"pickle":   {tar.Header{Name: "x"}, evilPickle, tallystick.Fail, "pickle.global"},
		"climbing": {tar.Header{Name: "a/../../x"}, "x", tallystick.Fail, "archive.name"},
		"absolute": {tar.Header{Name: "/x"}, "x", tallystick.Fail, "archive.name"},
		"link":     {tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, "", tallystick.Fail, "archive.link"},
		"hardlink": {tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: "../y"}, "", tallystick.Fail, "archive.link"},
		"device":   {tar.Header{Name: "x", Typeflag: tar.TypeChar}, "", tallystick.Fail, "archive.special"},
		"bomb":     {tar.Header{Name: "x"}, strings.Repeat("\x00", 96<<20), tallystick.Fail, "archive.bomb"},
	} {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		c.header.Size, c.header.Mode = int64(len(c.data)), 0o600
		if err := errors.Join(w.WriteHeader(&c.header), errOf(io.WriteString(w, c.data)), w.Close(), z.Close()); err != nil {
			t.Fatal(err)
		}
		if i := inspectBytes(t, b.Bytes()); i.Format != FormatTar || i.Verdict != c.verdict || !strings.Contains(rulesOf(i), c.rule) {
			t.Errorf("%s: %+.600v", name, i)
		}
	}
}

func errOf(_ int, err error) error { return err }

func TestInspectEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	data := realFile(t, "linear.joblib")
	if _, err := Inspect(ctx, "f", bytes.NewReader(data), int64(len(data))); !errors.Is(err, context.Canceled) {
		t.Errorf("Inspect = %v", err)
	}
}

type brokenDisk struct{}

func (brokenDisk) ReadAt([]byte, int64) (int, error) { return 0, io.ErrClosedPipe }

func TestInspectReportsTheDisk(t *testing.T) {
	t.Parallel()
	if _, err := Inspect(t.Context(), "f", brokenDisk{}, 100); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Inspect = %v", err)
	}
}

func TestInspectFiles(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, map[string]string{"config.json": "{}", "sub/x.pkl": evilPickle, ".git/x": evilPickle})
	r, err := InspectFiles(t.Context(), []string{dir}, HashOptions{})
	if err != nil || r.Verdict != tallystick.Fail || len(r.Files) != 2 || r.Files[1].Name != "sub/x.pkl" || r.Files[0].Verdict != tallystick.Pass {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzInspectSafetensors(f *testing.F) {
	f.Add(realFile(f, "w.safetensors"))
	f.Add(safetensorsFile(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzInspect(t, data) })
}

func FuzzInspectONNX(f *testing.F) {
	f.Add(realFile(f, "w.onnx"))
	f.Add(realFile(f, "external.onnx"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzInspect(t, data) })
}

func FuzzInspectGGUF(f *testing.F) {
	f.Add(realFile(f, "w.gguf"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzInspect(t, data) })
}

func FuzzInspectArchive(f *testing.F) {
	for _, name := range []string{"state.pt", "m.keras", "w.npz", "model.tar.gz", "forest.joblib.z"} {
		f.Add(realFile(f, name))
	}
	f.Add(zipFile(f, zipEntry{name: "x", data: evilPickle}))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzInspect(t, data) })
}
