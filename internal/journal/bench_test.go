package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

const (
	benchRecord  = 400 // bytes
	benchClients = 32
	benchSlice   = 100 * time.Millisecond // of one contestant's turn
)

// BenchmarkJournal measures durable records a second with 32 clients, beside two others in the same run, turn
// by turn: the same group commit onto a bare file that is only appended to and synced ("plain"), onto one of zeros
// that does not grow, as the journal's own log does not ("zeros": the harder limit, because a sync of a file that grows costs a
// transaction of the file system), and COPY into PostgreSQL, a row a record, a transaction a batch, a connection a client.
func BenchmarkJournal(b *testing.B) {
	for _, size := range []int{1, 500} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			contestants := []*contestant{newJournalBench(b, size), newPlainBench(b, size, 0), newPlainBench(b, size, zerosSize)}
			if os.Getenv("TALLYSTICK_TEST_POSTGRES") != "" {
				contestants = append(contestants, newCopyBench(b, size))
			}
			for range 4 { // to warm up
				for _, c := range contestants {
					c.turn(b)
				}
			}
			for _, c := range contestants {
				c.batches, c.spent, c.rates = 0, 0, nil
			}
			for b.Loop() {
				for _, c := range contestants {
					c.turn(b)
				}
			}
			b.ReportMetric(0, "ns/op")
			for _, c := range contestants {
				b.ReportMetric(float64(c.batches*size)/c.spent.Seconds(), c.name+"_records/s")
				if c.name != "journal" {
					b.ReportMetric(ratio(contestants[0].rates, c.rates), "x_"+c.name)
				}
			}
		})
	}
}

// ratio is the median over the rounds: what else the machine does disturbs both turns of a round alike, and
// rounds not at all.
func ratio(own, other []float64) float64 {
	ratios := make([]float64, len(own))
	for i := range own {
		ratios[i] = own[i] / other[i]
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

type contestant struct {
	name    string
	write   func(client int) error
	between func() error // not timed
	batches int
	spent   time.Duration
	rates   []float64 // batches a second, by turn
}

// turn lets all clients write for a while.
func (c *contestant) turn(b *testing.B) {
	b.Helper()
	var n atomic.Int64
	var wg sync.WaitGroup
	started := time.Now()
	for client := range benchClients {
		wg.Go(func() {
			for time.Since(started) < benchSlice {
				if err := c.write(client); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	took := time.Since(started)
	c.spent += took
	c.rates = append(c.rates, float64(n.Load())/took.Seconds())
	c.batches += int(n.Load())
	if err := c.between(); err != nil {
		b.Fatal(err)
	}
}

// appends returns what appends a client's own batch to j.
func appends(j *Journal, size int) func(client int) error {
	batches := make([]Batch, benchClients)
	for client := range batches {
		batches[client] = batchOf(0, slices.Repeat([]string{string(make([]byte, benchRecord))}, size)...)
	}
	return func(client int) error {
		_, err := j.Append(context.Background(), batches[client])
		return err
	}
}

func newJournalBench(b *testing.B, size int) *contestant {
	j := mustOpen(b, Options{Dir: b.TempDir()})
	return &contestant{
		name:  "journal",
		write: appends(j, size),
		// As in life, what has been put away is trimmed.
		between: func() error { return j.Trim(context.Background(), j.Head().Sequence) },
	}
}

// plainFile is the least that a durable log can be.
type plainFile struct {
	Log
	f    *os.File
	at   int64
	size int64 // 0: it grows
}

// zerosSize is more than a turn writes.
const zerosSize = 256 << 20

func (p *plainFile) Append(_ context.Context, blocks []Block) (bool, error) {
	for _, b := range blocks {
		if p.size > 0 && p.at+int64(len(b.Frames)) > p.size {
			p.at = 0
		}
		if _, err := p.f.WriteAt(b.Frames, p.at); err != nil {
			return false, err
		}
		p.at += int64(len(b.Frames))
	}
	return false, nil
}

func (p *plainFile) Sync() error { return syncData(p.f) }

func newPlainBench(b *testing.B, size int, zeroed int64) *contestant {
	b.Helper()
	name := "plain"
	if zeroed > 0 {
		name = "zeros"
	}
	f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
	if err != nil {
		b.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range zeroed / int64(len(zeros)) {
		if _, err := f.Write(zeros); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	j := newJournal(Options{Dir: f.Name()}.withDefaults(), &plainFile{f: f, size: zeroed}, marked{}, newMemory(0))
	go j.run()
	b.Cleanup(func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	})
	return &contestant{
		name:  name,
		write: appends(j, size),
		between: func() error {
			j.mu.Lock()
			j.stored = 0
			j.mu.Unlock()
			return nil
		},
	}
}

func newCopyBench(b *testing.B, size int) *contestant {
	record := make([]byte, benchRecord)
	url := postgrestest.New(b)
	postgrestest.Exec(b, url, "CREATE TABLE records (id BIGINT GENERATED ALWAYS AS IDENTITY, record BYTEA NOT NULL)")
	conns := make([]*pgx.Conn, benchClients)
	for i := range conns {
		conn, err := pgx.Connect(b.Context(), url)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close(context.Background()) })
		conns[i] = conn
	}
	return &contestant{
		name: "copy",
		write: func(client int) error {
			_, err := conns[client].CopyFrom(context.Background(), pgx.Identifier{"records"}, []string{"record"},
				pgx.CopyFromSlice(size, func(int) ([]any, error) { return []any{record}, nil }))
			return err
		},
		between: func() error { return nil },
	}
}
