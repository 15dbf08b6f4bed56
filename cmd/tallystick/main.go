// Command tallystick audits machine-learning models.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/tallystick/tallystick/internal/audit"
	"github.com/tallystick/tallystick/internal/cli"
)

func main() {
	if os.Getenv("GOMEMLIMIT") == "" { // whoever sets the runtime's own limit knows better
		debug.SetMemoryLimit(audit.SoftMemory)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
