// Command seed writes the workspace of a large organisation, for benchmarks: models, versions, evidence, what
// serves where, lineage, and people who touch it all for two years. Everything goes by the trail, as it
// does in life; the same seed gives the same content, but for ids, salts and keys.
//
//	go run ./bench/seed --dir DIR [--size 1]
//
// Size 1 is 10,000 models, 100,000 versions, a lineage of a million edges and five million events. An
// auditor named in the output can sign in.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
)

func main() {
	p := plan{Models: 10_000, Versions: 10, Edges: 1_000_000, Events: 5_000_000, Seed: 1}
	var dir string
	var size float64
	var seal bool
	flag.StringVar(&dir, "dir", "", "directory that is made, for the workspace and its anchors")
	flag.Float64Var(&size, "size", 1, "share of the full size")
	events := flag.Int("events", 0, "events, if not by the size")
	flag.Uint64Var(&p.Seed, "seed", p.Seed, "seed of what is chosen at random")
	flag.BoolVar(&seal, "seal", false, "seal the trail into the ledger as well")
	flag.Parse()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	p = p.scaled(size)
	if *events > 0 {
		p.Events = *events
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := p.write(ctx, dir, seal, logger); err != nil {
		logger.Error("seed", slog.Any("error", err))
		os.Exit(1)
	}
	fmt.Printf("name %s\npassphrase %s\n", person, passphrase)
}
