// Command registry measures a real server over a seeded workspace: how long it takes to be ready, how long each
// list and page takes for one client and for several at once, how much of the processor, and how much memory it then
// has had. It prints one line for each; those over their limit end in OVER.
//
//	go run ./bench/registry --server bin/tallystick --dir DIR
//
// DIR is what bench/seed has written. The server is started with it, and stopped at the end.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.program, "server", "bin/tallystick", "the program")
	flag.StringVar(&o.dir, "dir", "", "directory that bench/seed has written")
	flag.StringVar(&o.passphrase, "passphrase", "a workspace full of invented models", "of the auditor that bench/seed has added")
	flag.IntVar(&o.requests, "requests", 200, "requests of each kind")
	flag.IntVar(&o.clients, "clients", 4, "clients at once, measured beside one alone")
	flag.StringVar(&o.only, "only", "", "measure only addresses that contain this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}

// options say what is measured.
type options struct {
	program, dir, passphrase, only string
	requests, clients              int
}

// The limits that an installation of that size is to keep.
const (
	readyLimit  = 2 * time.Second
	listLimit   = 50 * time.Millisecond
	atLimit     = 10 * time.Millisecond
	walkLimit   = 100 * time.Millisecond
	memoryLimit = 300 // MiB
)

func run(ctx context.Context, o options) (err error) {
	s, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		if stopped := s.stop(); err == nil {
			err = stopped
		}
	}()
	c, err := signIn(ctx, s.address, o.passphrase)
	if err != nil {
		return err
	}
	known, err := c.look(ctx)
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "start to ready\t\t%s\t\t\t\t\t<= %s%s\n", milliseconds(s.ready), milliseconds(readyLimit), mark(s.ready <= readyLimit))
	fmt.Fprintf(tw, "\tONE CLIENT\t\t%d CLIENTS\t\n", o.clients)
	fmt.Fprintln(tw, "GET\tP50\tP99\tP50\tP99\tCPU EACH\tBYTES\tP99 OF ALL")
	over := 0
	for _, q := range questions(known) {
		if !q.named(o.only) {
			continue
		}
		alone, err := c.measure(ctx, s, q, o.requests, 1)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		many, err := c.measure(ctx, s, q, o.requests, o.clients)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		within := max(alone.percentile(99), many.percentile(99)) <= q.limit
		if !within {
			over++
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t<= %s%s\n", q.name, milliseconds(alone.percentile(50)), milliseconds(alone.percentile(99)),
			milliseconds(many.percentile(50)), milliseconds(many.percentile(99)), milliseconds(many.each), many.bytes, milliseconds(q.limit), mark(within))
	}
	memory, err := s.memory()
	if err != nil {
		return err
	}
	fmt.Fprintf(tw, "most resident memory\t\t%d MiB\t\t\t\t\t<= %d MiB%s\n", memory, memoryLimit, mark(memory <= memoryLimit))
	fmt.Fprintf(tw, "questions over their limit\t\t%d\n", over)
	return tw.Flush()
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// mark marks what is over its limit.
func mark(within bool) string {
	if within {
		return ""
	}
	return "  OVER"
}
