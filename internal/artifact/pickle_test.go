package artifact

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
)

func inspectBytes(t testing.TB, data []byte) Inspection {
	t.Helper()
	i, err := Inspect(t.Context(), "f", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// The pickles are written opcode by opcode, and never loaded.
func TestPicklesThatRunCode(t *testing.T) {
	t.Parallel()
	const (
		posixSystem = "\x8c\x05posix\x8c\x06system\x93"
		arg         = "\x8c\x02id\x85"
	)
	// An array wrapper of joblib with a shape of one dimension: %s is the dtype.
	wrapper := func(dtype, n string) string {
		return "\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(\x8c\x05shapeK" + n + "\x85\x8c\x05dtype" + dtype +
			"\x8c\x1bnumpy_array_alignment_bytesNub"
	}
	f8 := "cnumpy\ndtype\n\x8c\x02f8\x89\x88\x87R"
	for name, c := range map[string]struct{ pickle, rule, message string }{
		"protocol 0":                 {"cos\nsystem\n(S'id'\ntR.", "pickle.global", `"os.system"`},
		"protocol 0, no end":         {"cos\nsystem\n(S'id'\ntR", "pickle.global", `"os.system"`},
		"protocol 2":                 {"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R.", "pickle.global", `"posix.system"`},
		"protocol 4":                 {"\x80\x04" + posixSystem + arg + "R.", "pickle.global", `"posix.system"`},
		"framed":                     {"\x80\x04\x95\x19\x00\x00\x00\x00\x00\x00\x00" + posixSystem + arg + "R.", "pickle.global", `"posix.system"`},
		"memo indirection":           {"\x80\x04\x8c\x05posixq\x07\x8c\x06systemr\x09\x00\x00\x000" + "0h\x07j\x09\x00\x00\x00\x93" + arg + "R.", "pickle.global", `"posix.system"`},
		"memo by MEMOIZE":            {"\x80\x04\x8c\x06system\x940\x8c\x05posix\x940h\x01h\x00\x93" + arg + "R.", "pickle.global", `"posix.system"`},
		"text memo":                  {"\x80\x02S'posix'\np0\n0S'system'\np1\n0g0\ng1\n\x93" + arg + "R.", "pickle.global", `"posix.system"`},
		"duplicated":                 {"\x80\x04" + posixSystem + "20" + arg + "R.", "pickle.global", `"posix.system"`},
		"INST":                       {"(S'id'\nios\nsystem\n.", "pickle.global", `"os.system"`},
		"OBJ":                        {"(cos\nsystem\nS'id'\no.", "pickle.global", `"os.system"`},
		"NEWOBJ":                     {"\x80\x02csubprocess\nPopen\nX\x02\x00\x00\x00id\x85\x81.", "pickle.global", `"subprocess.Popen"`},
		"NEWOBJ_EX":                  {"\x80\x04csubprocess\nPopen\n" + arg + "}\x92.", "pickle.global", `"subprocess.Popen"`},
		"eval":                       {"\x80\x04cbuiltins\neval\n" + arg + "R.", "pickle.global", `"builtins.eval"`},
		"Python 2 eval":              {"\x80\x02c__builtin__\neval\n\x85R.", "", ""},
		"getattr chain":              {"\x80\x04cbuiltins\ngetattr\ncbuiltins\n__import__\n\x8c\x02os\x85R\x8c\x06system\x86R" + arg + "R.", "pickle.call", "does not name"},
		"dotted name":                {"\x80\x04\x8c\x05torch\x8c\x17serialization.os.system\x93" + arg + "R.", "pickle.global", "torch.serialization.os.system"},
		"space in a name":            {"\x80\x04\x8c\x08builtins\x8c\x08set list\x93" + arg + "R.", "pickle.global", "set list"},
		"nested pickle":              {"\x80\x04c_pickle\nloads\nC\x10cos\nsystem\n(tR...\x85R.", "pickle.global", `"_pickle.loads"`},
		"torch's nested pickle":      {"\x80\x02ctorch.storage\n_load_from_bytes\nC\x01.\x85R.", "pickle.global", "_load_from_bytes"},
		"unknown library":            {"\x80\x04cnumpy.testing._private.utils\nrunstring\n" + arg + "R.", "pickle.global", "runstring"},
		"computed name":              {"\x80\x04\x8c\x02os]\x93" + arg + "R.", "pickle.global", "computes the name"},
		"name from a call":           {"\x80\x04\x8c\x02oscbuiltins\nstr\n)R\x93" + arg + "R.", "pickle.global", "computes the name"},
		"EXT1":                       {"\x80\x02\x82\x01)R.", "pickle.extension", "extension registry"},
		"EXT4":                       {"\x80\x02\x84\x01\x00\x00\x00)R.", "pickle.extension", "extension registry"},
		"persistent id":              {"\x80\x02X\x01\x00\x00\x00aQ.", "pickle.persistent", "persistent id"},
		"text persistent id":         {"Pabc\n.", "pickle.persistent", "persistent id"},
		"second pickle":              {"\x80\x04N.\x80\x04" + posixSystem + arg + "R.", "pickle.global", `"posix.system"`},
		"patched class":              {"\x80\x04ccollections\nOrderedDict\n}\x8c\x04keyscbuiltins\nlist\nsb.", "pickle.patch", "collections.OrderedDict"},
		"items of a class":           {"\x80\x04ccollections\nOrderedDict\nNNs.", "pickle.patch", "no container"},
		"before an unknown opcode":   {"\x80\x04" + posixSystem + arg + "R\xff", "pickle.global", `"posix.system"`},
		"in an array of objects":     {wrapper("cnumpy\ndtype\n\x8c\x02O8\x89\x88\x87R", "\x01") + "\x80\x04" + posixSystem + arg + "R..", "pickle.global", `"posix.system"`},
		"behind an array":            {wrapper(f8, "\x01") + "01234567" + posixSystem + arg + "R.", "pickle.global", `"posix.system"`},
		"in the numbers of an array": {wrapper(f8, "\x04") + posixSystem + arg + "R.5678901234567890123456789012345678901234567890.", "pickle.global", `"posix.system"`},
		"objects by the type's state": {"\x80\x04\x8c\x08builtins\x94\x8c\x04list\x9400" + wrapper("cnumpy\ndtype\n\x8c\x02V8\x89\x88\x87R(K\x03\x8c\x01|NNNK\x08K\x01K?tb", "\x03")[2:] +
			"\x80\x04\x8c\x05posix\x940\x8c\x06system\x940h\x00h\x01\x93)R..", "pickle.global", `"posix.system"`}, // for joblib alone
		"memo with a gap": {"\x80\x04\x8c\x06systemq\x050\x8c\x05posix\x940h\x01h\x05\x93)R.", "pickle.global", `"posix.system"`},
		"memo of two readers": {"\x80\x04\x8c\x05posix\x94\x8c\x06system\x9400" + wrapper("cnumpy\ndtype\n\x8c\x02O8\x89\x88\x87R", "\x01")[2:] +
			"\x80\x04\x8c\x08builtins\x940\x8c\x04list\x940h\x00h\x01\x93)R..", "pickle.global", `"posix.system"`},
		"wrapper in disguise": {"\x80\x04ccopyreg\n_reconstructor\n(cjoblib.numpy_pickle\nNumpyArrayWrapper\ncbuiltins\nobject\nNtR.", "pickle.wrapper", "array wrappers"},
	} {
		if name == "Python 2 eval" {
			c = struct{ pickle, rule, message string }{"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.", "pickle.global", `"__builtin__.eval"`}
		}
		i := inspectBytes(t, []byte(c.pickle))
		found := false
		for _, f := range i.Findings {
			found = found || f.Rule == c.rule && strings.Contains(f.Message, c.message) && f.Severity.Verdict() == tallystick.Fail && strings.Contains(f.Where, "f, byte ")
		}
		if i.Verdict != tallystick.Fail || !found {
			t.Errorf("%s: %s %v", name, i.Verdict, i.Findings)
		}
	}
}

func TestPickleFindingNamesTheByte(t *testing.T) {
	t.Parallel()
	i := inspectBytes(t, []byte("\x80\x04\x8c\x05posix\x8c\x06system\x93)R."))
	if want := "f, byte 17"; len(i.Findings) == 0 || i.Findings[0].Where != want { // of STACK_GLOBAL
		t.Errorf("%v, want %s", i.Findings, want)
	}
}

func TestPicklesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, pickle := range map[string]string{
		"truncated":              "\x80\x04\x8c\x05pos",
		"no stop":                "\x80\x04N",
		"empty stack":            "\x80\x04.",
		"unknown opcode":         "\x80\x04\xfe.",
		"no mark":                "\x80\x04Nt.",
		"below the mark":         "\x80\x04N(0" + "00.",
		"missing memo":           "\x80\x04h\x00.",
		"huge memo":              "\x80\x04Nr\xff\xff\xff\xff.",
		"huge string":            "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab.",
		"huge number":            "\x80\x04\x8b\xff\xff\xff\xffab.",
		"unknown protocol":       "\x80\x04\x80\x09N.",
		"garbage behind":         "\x80\x04N.\xff\xff",
		"joblib without a shape": "\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}b.",
	} {
		i := inspectBytes(t, []byte(pickle))
		if i.Verdict != tallystick.Insufficient || len(i.Findings) == 0 {
			t.Errorf("%s: %s %v, want insufficient", name, i.Verdict, i.Findings)
		}
	}
}

// TestTextIsNoPickle guards against words that begin with an opcode.
func TestTextIsNoPickle(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"cat\ndog\nbird\n", "class Model:\n    pass\n", "import os\nos.system('id')\n", "I am\na text.\n", "Notes.\n\nN. B.: this is text.\n",
		"(see\nbelow)\n", "# Model\n", "name,label\n1,2\n", "}\n", "ios\nsystem\n",
	} {
		if i := inspectBytes(t, []byte(text)); i.Format != FormatText || i.Verdict != tallystick.Pass {
			t.Errorf("%q: %s %s %v", text, i.Format, i.Verdict, i.Findings)
		}
	}
}

func TestPickleBoundsMemory(t *testing.T) {
	t.Parallel()
	for name, pickle := range map[string]string{
		"deep stack": "\x80\x04" + strings.Repeat("N", maxPickleStack+1) + ".",
		"deep marks": "\x80\x04" + strings.Repeat("(", maxPickleStack+1) + ".",
	} {
		if i := inspectBytes(t, []byte(pickle)); i.Verdict != tallystick.Insufficient {
			t.Errorf("%s: %s %v", name, i.Verdict, i.Findings)
		}
	}
}

func FuzzInspectPickle(f *testing.F) {
	for _, name := range []string{"data.0.pkl", "array.2.pkl", "array.5.pkl", "forest.pkl", "linear.joblib", "objects.joblib", "legacy.pt"} {
		data, err := os.ReadFile(filepath.Join("testdata", "real", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("(cos\nsystem\nS'id'\no."))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzInspect(t, data) })
}

// fuzzInspect checks what holds of every inspection, whatever the bytes.
func fuzzInspect(t *testing.T, data []byte) {
	i := inspectBytes(t, data)
	want := tallystick.Pass
	for _, f := range i.Findings {
		want = want.Worse(f.Severity.Verdict())
		if f.Rule == "" || f.Where == "" || f.Message == "" {
			t.Errorf("finding %+v is incomplete", f)
		}
	}
	if i.Verdict != want || i.Format == "" || len(i.Findings) > maxFindings+1 || i.Parameters < 0 || len(i.Metadata) > maxMetadata {
		t.Errorf("%+v", i)
	}
}
