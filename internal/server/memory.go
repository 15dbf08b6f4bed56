package server

import (
	"os"
	"runtime/debug"
)

// The collector runs when the heap has grown by this much. Questions make much that is soon over, and little
// lasts, a few megabytes: at the usual hundred it ran at one decision of the gate in fifteen, and made each of
// those the slowest in a hundred. A server that has much to keep comes to its
// soft limit first, and the collector then runs more often. What SQLite keeps and the program itself come on
// top of that, about 100 MiB where there are five million events.
const (
	growth     = 800       // percent
	softMemory = 120 << 20 // bytes of the runtime
)

// spend lets the collector run less often, unless whoever started the process has said how (GOGC, GOMEMLIMIT).
func spend() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(growth)
		debug.SetMemoryLimit(softMemory)
	}
}
