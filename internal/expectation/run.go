package expectation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
)

// Result is what became of one test.
type Result struct {
	File    string   `json:"file"`
	Line    int      `json:"line"`
	Test    string   `json:"test"`
	Passed  bool     `json:"passed"`
	Windows []Judged `json:"windows"`
	Faults  []Fault  `json:"faults"` // never null
}

// Judged is a window as the monitor judged it.
type Judged struct {
	Window  monitor.Window     `json:"window"`
	Verdict tallystick.Verdict `json:"verdict"`
	Words   string             `json:"words"`
}

// Fault is one thing that is not as expected.
type Fault struct {
	Line     int    `json:"line"`
	Window   string `json:"window"`
	What     string `json:"what"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
	Words    string `json:"words,omitempty"` // of the row
}

// Run runs the tests of a file. What is wrong with the file or the input of a test is an error; what a monitor says
// otherwise than expected is a fault of the result. tests, if it is not empty, is a part of the names of those that are run.
func Run(ctx context.Context, path, tests string) (results []Result, err error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	f, err := Parse(data, path)
	if err != nil {
		return nil, err
	}
	monitors, err := f.monitors()
	if err != nil {
		return nil, err
	}
	for i := range f.Tests {
		t := &f.Tests[i]
		if !strings.Contains(t.Name, tests) {
			continue
		}
		doc, err := t.monitor(f, monitors)
		if err != nil {
			return nil, err
		}
		r, err := f.run(ctx, t, doc)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: test %q: %w", f.Path, t.Line, t.Name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// read returns a file that is no larger than a monitor may be.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s cannot be read: %w", path, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, monitor.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(data) > monitor.MaxBytes {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is larger than %d bytes", path, monitor.MaxBytes)
	}
	return data, nil
}

func (f *File) monitors() (map[string]*monitor.Document, error) {
	all := map[string]*monitor.Document{}
	for _, name := range f.Monitors {
		path := filepath.Join(filepath.Dir(f.Path), name)
		data, err := read(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		doc, err := monitor.Parse(data, path)
		if err != nil {
			return nil, err
		}
		all[doc.Name] = doc
	}
	return all, nil
}

func (t *Test) monitor(f *File, all map[string]*monitor.Document) (*monitor.Document, error) {
	names := slices.Sorted(maps.Keys(all))
	name := t.Monitor
	if name == "" && len(names) == 1 {
		name = names[0]
	}
	if doc := all[name]; doc != nil {
		return doc, nil
	}
	if name == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s:%d: test %q does not say which monitor it is about", f.Path, t.Line, t.Name).WithHint("monitors are %s", strings.Join(names, ", "))
	}
	return nil, tallystick.Errorf(tallystick.Invalid, "%s:%d: test %q is about the monitor %q, which is none of the file's", f.Path, t.Line, t.Name, name).WithHint("monitors are %s", strings.Join(names, ", "))
}

// run runs one test in a workspace of its own.
func (f *File) run(ctx context.Context, t *Test, doc *monitor.Document) (r Result, err error) {
	r = Result{File: f.Path, Line: t.Line, Test: t.Name, Faults: []Fault{}}
	s, err := f.script(ctx, t, doc)
	if err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp("", "tallystick-monitor-test-")
	if err != nil {
		return r, fmt.Errorf("make room for a workspace: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h, err := open(ctx, dir, s.begins)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := s.prepare(ctx, h); err != nil {
		return r, err
	}
	r.Windows = make([]Judged, len(t.Windows))
	for _, a := range s.acts {
		h.now = a.at
		switch {
		case a.send != nil:
			err = h.send(ctx, a.send)
		case a.tell != nil:
			err = h.tell(ctx, doc.Model, a.tell)
		default:
			var j *monitor.WindowJudgement
			if j, err = h.judge(ctx, doc.Name, t.Windows[a.judge].At); err == nil {
				r.Windows[a.judge] = Judged{monitor.Window{From: j.From, To: j.To}, j.Verdict, j.Words}
				r.Faults = append(r.Faults, t.Windows[a.judge].compare(j)...)
			}
		}
		if err != nil {
			return r, err
		}
	}
	slices.SortStableFunc(r.Faults, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	r.Passed = len(r.Faults) == 0
	return r, nil
}

// defaultVersion makes predictions that do not say which version did.
const defaultVersion = "1"
