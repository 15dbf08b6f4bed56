package artifact

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed allowed_globals.txt
var allowedGlobalsText string

// allowedGlobals are the "module name" pairs that a pickle may name.
var allowedGlobals = sync.OnceValue(func() map[string]bool {
	allowed := map[string]bool{}
	for line := range strings.Lines(allowedGlobalsText) {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		for _, name := range fields[1:] {
			allowed[fields[0]+" "+name] = true
		}
	}
	return allowed
})

// dangers says what the best known attacks do, so that a finding can. Nothing depends on the list
// being complete: what is not allowed fails.
var dangers = []struct{ modules, names, reason string }{
	{"builtins __builtin__", "eval exec compile execfile", "runs code that the pickle brings"},
	{"builtins __builtin__", "getattr setattr delattr __import__ globals vars", "reaches any function of any module"},
	{"builtins __builtin__ io _io codecs pathlib", "open Path file FileIO", "opens files"},
	{"os posix nt subprocess _posixsubprocess pty commands platform popen2 multiprocessing concurrent", "", "starts programs"},
	{"runpy code timeit trace bdb pdb profile cProfile doctest importlib imp pkgutil zipimport _testcapi ctypes _ctypes", "", "runs or imports code"},
	{"pickle _pickle cPickle dill cloudpickle joblib marshal shelve", "", "loads another pickle or code"},
	{"operator _operator functools itertools types inspect sys gc weakref", "", "reaches or composes other functions"},
	{"socket ssl http urllib urllib2 urllib3 requests httpx aiohttp ftplib smtplib webbrowser asyncio", "", "talks to the network"},
	{"shutil tempfile glob zipfile tarfile sqlite3", "", "reads or writes files"},
	{"torch", "load _load_from_bytes", "loads another pickle or code"},
	{"torch.storage torch.serialization", "_load_from_bytes load", "loads another pickle"},
}

// judgeGlobal reports whether a pickle may name a global, and if not, what it is known to do.
func judgeGlobal(module, name string) (reason string, ok bool) {
	if allowedGlobals()[module+" "+name] && !strings.Contains(name, " ") {
		return "", true
	}
	top, _, _ := strings.Cut(module, ".")
	for _, d := range dangers {
		for m := range strings.FieldsSeq(d.modules) {
			if m != module && (m != top || d.names != "") {
				continue
			}
			if d.names == "" {
				return d.reason, false
			}
			for n := range strings.FieldsSeq(d.names) {
				if n == name {
					return d.reason, false
				}
			}
		}
	}
	return "", false
}
