// Command registry measures a real server over a seeded workspace: how long it takes to be ready, how long each
// list and page takes, how much of the processor and how many rows of the database, and how much memory it then has had. It prints one line for each;
// those over their limit end in OVER.
//
// Each question is put under three loads. One client, who waits for each answer, sees how long it takes by itself.
// Many who ask at random moments, at a rate that leaves the processors time, see what people see. Both count for the
// limit. Clients who each ask again at once keep all processors busy: on two, four of them wait about twice as
// long as the answer takes, whatever that is. That is printed, and counted by itself.
//
//	go run ./bench/registry --server bin/tallystick --dir DIR
//
// DIR is what bench/seed has written. The server is started with it, and stopped at the end.
package main

import (
	"context"
	"errors"
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
	flag.Float64Var(&o.rate, "rate", 40, "requests a second of the many; 0 leaves them out")
	flag.IntVar(&o.clients, "clients", 4, "clients who never pause; 0 leaves them out")
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
	rate                           float64
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
	if err := s.settle(ctx); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer func() { err = errors.Join(err, tw.Flush()) }() // what was measured before an error, too
	fmt.Fprintf(tw, "start to ready\t\t%s\t\t\t\t\t\t\t\t<= %s%s\n", milliseconds(s.ready), milliseconds(readyLimit), mark(s.ready <= readyLimit))
	fmt.Fprintf(tw, "\tONE CLIENT\t\t%g A SECOND\t\t%d CLIENTS\t\n", o.rate, o.clients)
	fmt.Fprintln(tw, "GET\tP50\tP99\tP50\tP99\tP50\tP99\tCPU EACH\tROWS\tBYTES\tLIMIT OF P99")
	over, crowded := 0, 0
	for _, q := range questions(known) {
		if !q.named(o.only) {
			continue
		}
		var under [3]measured
		for i, l := range []load{{clients: 1}, {perSecond: o.rate}, {clients: o.clients}} {
			if l.clients == 0 && l.perSecond == 0 {
				continue // left out
			}
			if under[i], err = c.measure(ctx, s, q, o.requests, l); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
		}
		within := max(under[0].percentile(99), under[1].percentile(99)) <= q.limit
		if !within {
			over++
		}
		if under[2].percentile(99) > q.limit {
			crowded++
		}
		fmt.Fprintf(tw, "%s\t", q.name)
		for _, m := range under {
			fmt.Fprintf(tw, "%s\t%s\t", milliseconds(m.percentile(50)), milliseconds(m.percentile(99)))
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t<= %s%s\n", milliseconds(under[0].each), under[0].rows, under[0].bytes, milliseconds(q.limit), mark(within))
	}
	memory, err := s.memory()
	if err != nil {
		return err
	}
	fmt.Fprintf(tw, "most resident memory\t\t%d MiB\t\t\t\t\t\t\t\t<= %d MiB%s\n", memory, memoryLimit, mark(memory <= memoryLimit))
	fmt.Fprintf(tw, "questions over their limit\t\t%d\n", over)
	fmt.Fprintf(tw, "over it with %d clients\t\t%d\n", o.clients, crowded)
	return nil
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
