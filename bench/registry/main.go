// Command registry measures a real server over a seeded workspace: how long it takes to be ready, how long each
// list and page takes, on the clock and of the processor, and how much memory it then has had. It prints one line for each.
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
	flag.IntVar(&o.clients, "clients", 4, "clients at once")
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
	fmt.Fprintf(tw, "start to ready\t\t%s\t\t\ttarget <= %s\t%s\n", milliseconds(s.ready), milliseconds(readyLimit), met(s.ready <= readyLimit))
	fmt.Fprintln(tw, "GET\tP50\tP99\tCPU EACH\tBYTES\tTARGET\tMET")
	for _, q := range questions(known) {
		if !q.named(o.only) {
			continue
		}
		before, err := s.processor()
		if err != nil {
			return err
		}
		times, bytes, err := c.measure(ctx, q, o)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		after, err := s.processor()
		if err != nil {
			return err
		}
		each := (after - before) / time.Duration(len(times)+1)
		p99 := percentile(times, 99)
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%d\tp99 <= %s\t%s\n", q.name, milliseconds(percentile(times, 50)), milliseconds(p99), milliseconds(each), bytes, milliseconds(q.limit), met(p99 <= q.limit))
	}
	memory, err := s.memory()
	if err != nil {
		return err
	}
	fmt.Fprintf(tw, "most resident memory\t\t%d MiB\t\t\ttarget <= %d MiB\t%s\n", memory, memoryLimit, met(memory <= memoryLimit))
	return tw.Flush()
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func met(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}
