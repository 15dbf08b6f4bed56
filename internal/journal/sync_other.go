//go:build !linux

package journal

import "os"

// syncData flushes what has been written to f.
func syncData(f *os.File) error { return f.Sync() }
