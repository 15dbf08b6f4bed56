// Package expectation tests monitors as their users write them: a file says what predictions come in and what a monitor is to
// say of them, and what it says is compared with that.
//
// Each test has a workspace of its own, which is thrown away: predictions are taken in, put into segments, and judged by the
// office that judges on a server, so that a test that holds is about what will happen there. The clock is the test's.
package expectation

import (
	"time"

	"github.com/tallystick/tallystick"
)

// APIVersion and Kind are the first two lines of every file of expectations.
const (
	APIVersion = "tallystick/v1"
	Kind       = "MonitorTest"
)

// Bounds of a file of expectations.
const (
	maxTests   = 1000
	maxWindows = 1000
	maxRows    = 1_000_000 // predictions of one input, and values of all series of a file
	maxTaken   = 2_000_000 // predictions of one test
)

// File is a file of expectations.
type File struct {
	Path     string
	Monitors []string // paths, from the directory of the file
	Tests    []Test
}

// Test is one test: predictions, and what a monitor is to say of them.
type Test struct {
	Name       string
	Line       int
	Monitor    string                       // its name; empty: the only one
	Champion   string                       // version that serves, if the monitor watches the champion
	Reference  *Input                       // pinned; nil: none is
	References map[tallystick.Digest]*Input // in the place of those that the monitor names by digest
	Input      *Input                       // predictions that say their times; nil: windows have them
	Windows    []Window
}

// Window is a window with what is expected of it.
type Window struct {
	Line   int
	At     time.Time     // a moment in it
	After  time.Duration // from its end until it is judged; 0: until it is due
	Labels time.Duration // from its end until its labels come, at most After; 0: at its end
	Input  *Input        // predictions of it; nil: there are none, or the test has them
	Expect Expected
}

// Expected is what is expected of a judgement. What is empty expects nothing.
type Expected struct {
	Verdict tallystick.Verdict
	Words   string // that the judgement's words have in them
	Others  bool   // whether every row that is not named has to pass
	Rows    []Row
}

// Row is what is expected of the row of a check.
type Row struct {
	Line           int
	Check, Subject string
	Slice          string // empty: the first of any
	Verdict        tallystick.Verdict
	Words          string
	Value          *[2]float64 // the least and greatest that its value may be
}
