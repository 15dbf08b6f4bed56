package monitor

import (
	"time"

	"github.com/tallystick/tallystick"
)

// APIVersion and Kind are the first two lines of every monitor.
const (
	APIVersion = "tallystick/v1"
	Kind       = "Monitor"
)

// Champion stands for the version that serves as champion when a window begins.
const Champion = "champion"

// Document is a monitor as it was written.
type Document struct {
	Name        string
	Description string
	Model       string
	Version     string            // whose predictions count: a name, champion, or empty for all
	Environment string            // where; empty: anywhere
	Width       time.Duration     // of months: that of the longest
	Months      *time.Location    // windows are the months of this zone; nil: all have the same width
	Delay       time.Duration     // how long late records are waited for
	From        time.Time         // windows before it are not judged by themselves; zero: from when the monitor was applied
	Reference   tallystick.Digest // empty: the one that is pinned
	Checks      Checks

	source []byte
}

// Source returns the bytes that the document was read from.
func (d *Document) Source() []byte { return d.source }

// Limits are shares from which a verdict is warn or fail. Origin says whose they are: default, or monitor.
type Limits struct {
	Warn, Fail float64
	Origin     string
}

// defaultDelay is how long late records are waited for if the monitor says nothing.
const defaultDelay = 5 * time.Minute

const (
	ofDefault = "default"
	ofMonitor = "monitor"
	// ofReference is a threshold that follows from the reference.
	ofReference = "reference"
)
