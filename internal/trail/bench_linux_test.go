package trail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/transparency-dev/formats/log"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

// BenchmarkRecorder measures durable events per second in a closed loop of many callers. An event
// is one change of the state (a row), the event with its commitments, and the disclosures, in one
// transaction. In the same run, interleaved, it measures two limits: the same bytes, leaf and
// disclosures, as bare inserts of one row through the same group commit (x_sqlite is the ratio), and
// as records of a plain file with a group-committed fdatasync (x_file). Each iteration is one round
// of all three, after one that is not counted; what is reported is the median over the rounds, and
// for the ratios the median of the rounds' own. What the columns for questions cost later, in a loop of
// nothing else, is columns_µs/event. Ask for seven at least: -benchtime 7x.
func BenchmarkRecorder(b *testing.B) {
	for _, callers := range []int{64, 1024} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			dir := b.TempDir()
			db, recorder := reopen(b, filepath.Join(dir, "events.db"))
			mustWrite(b, db, "CREATE TABLE subjects (id INTEGER PRIMARY KEY, name TEXT NOT NULL, audits INTEGER NOT NULL) STRICT")
			bare, _ := reopen(b, filepath.Join(dir, "bare.db"))
			mustWrite(b, bare, "CREATE TABLE rows (id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT")
			draft, err := recorder.Draft(registration())
			if err != nil {
				b.Fatal(err)
			}
			row := slices.Concat(record(b, recorder, registration()).leaf, draft.sealed.Openings())
			file := newGroupFile(b, filepath.Join(dir, "plain"))

			event := func(ctx context.Context) error { return recordRegistration(ctx, db, recorder) }
			insert := func(ctx context.Context) error { return insertRow(ctx, bare, row) }
			write := func(context.Context) error { return file.append(row) }

			const slice = time.Second
			var rounds, limits, files []sample
			for i := -1; i < 0 || b.Loop(); i++ {
				round := [...]sample{measure(b, callers, slice, event), measure(b, callers, slice, insert), measure(b, callers, slice, write)}
				if i >= 0 {
					rounds, limits, files = append(rounds, round[0]), append(limits, round[1]), append(files, round[2])
				}
			}
			ratio := func(to []sample) (ratios []float64) {
				for i := range rounds {
					ratios = append(ratios, rounds[i].perSecond/to[i].perSecond)
				}
				return ratios
			}
			b.ReportMetric(median(each(rounds, sample.cpuMicroseconds)), "cpu_µs/event")
			b.ReportMetric(median(each(limits, sample.cpuMicroseconds)), "cpu_µs/row")
			b.ReportMetric(median(each(rounds, sample.rate)), "events/s")
			b.ReportMetric(median(each(limits, sample.rate)), "rows/s")
			b.ReportMetric(median(each(files, sample.rate)), "records/s")
			b.ReportMetric(median(ratio(limits)), "x_sqlite")
			b.ReportMetric(median(ratio(files)), "x_file")
			reader := NewReader(db, origin)
			cpu := cpuTime(b)
			if err := reader.CatchUp(b.Context()); err != nil {
				b.Fatal(err)
			}
			cpu = cpuTime(b) - cpu
			events, err := reader.Count(b.Context(), Filter{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(events), "columns_µs/event")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkRecorderPostgres measures the same events and bare rows on a PostgreSQL server. x_rows is the
// ratio of the two; no bar hangs on it.
func BenchmarkRecorderPostgres(b *testing.B) {
	db, recorder := connect(b, state.Config{URL: postgrestest.New(b)})
	mustWrite(b, db, "CREATE TABLE subjects (name TEXT NOT NULL, audits BIGINT NOT NULL)")
	mustWrite(b, db, "CREATE TABLE rows (value BYTEA NOT NULL)")
	draft, err := recorder.Draft(registration())
	if err != nil {
		b.Fatal(err)
	}
	row := slices.Concat(record(b, recorder, registration()).leaf, draft.sealed.Openings())
	for _, callers := range []int{64, 1024} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			var events, rows, ratios []float64
			for i := -1; i < 0 || b.Loop(); i++ {
				event := measure(b, callers, time.Second, func(ctx context.Context) error { return recordRegistration(ctx, db, recorder) })
				bare := measure(b, callers, time.Second, func(ctx context.Context) error { return insertRow(ctx, db, row) })
				if i >= 0 {
					events, rows, ratios = append(events, event.perSecond), append(rows, bare.perSecond), append(ratios, event.perSecond/bare.perSecond)
				}
			}
			b.ReportMetric(median(events), "events/s")
			b.ReportMetric(median(rows), "rows/s")
			b.ReportMetric(median(ratios), "x_rows")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// recordRegistration records an event and the change that it tells of.
func recordRegistration(ctx context.Context, db *state.DB, recorder *Recorder) error {
	draft, err := recorder.Draft(registration())
	if err != nil {
		return err
	}
	return db.Write(ctx, func(tx *state.Tx) error {
		if _, err := tx.Exec("INSERT INTO subjects (name, audits) VALUES (?, ?)", "compas", 1); err != nil {
			return err
		}
		_, err := draft.RecordIn(tx)
		return err
	})
}

func insertRow(ctx context.Context, db *state.DB, row []byte) error {
	return db.Write(ctx, func(tx *state.Tx) error {
		_, err := tx.Exec("INSERT INTO rows (value) VALUES (?)", row)
		return err
	})
}

func mustWrite(b *testing.B, db *state.DB, query string) {
	b.Helper()
	if err := db.Write(b.Context(), func(tx *state.Tx) error {
		_, err := tx.Exec(query)
		return err
	}); err != nil {
		b.Fatal(err)
	}
}

// sample is what one slice of time has shown.
type sample struct {
	perSecond float64
	cpu       float64 // µs of the whole process for each; steadier than the rate on a busy machine
}

func (s sample) rate() float64            { return s.perSecond }
func (s sample) cpuMicroseconds() float64 { return s.cpu }

func each(samples []sample, of func(sample) float64) (values []float64) {
	for _, s := range samples {
		values = append(values, of(s))
	}
	return values
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure lets callers call fn over and over for about the given time.
func measure(b *testing.B, callers int, slice time.Duration, fn func(context.Context) error) sample {
	var done atomic.Int64
	var wg sync.WaitGroup
	started, cpu := time.Now(), cpuTime(b)
	for range callers {
		wg.Go(func() {
			for time.Since(started) < slice {
				if err := fn(context.Background()); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	n := float64(done.Load())
	return sample{
		perSecond: n / time.Since(started).Seconds(),
		cpu:       float64((cpuTime(b) - cpu).Microseconds()) / n,
	}
}

// groupFile is a file to which many callers append, synced once for all who wait.
type groupFile struct {
	queue chan groupRecord
}

type groupRecord struct {
	data []byte
	done chan error
}

func newGroupFile(b *testing.B, path string) *groupFile {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	g := &groupFile{queue: make(chan groupRecord, 1024)}
	b.Cleanup(func() { close(g.queue) })
	go func() {
		defer f.Close()
		var buffer []byte
		var group []groupRecord
		for first := range g.queue {
			group, buffer = append(group[:0], first), append(buffer[:0], first.data...)
			for more := true; more && len(group) < 1024; {
				select {
				case r, ok := <-g.queue:
					if more = ok; ok {
						group, buffer = append(group, r), append(buffer, r.data...)
					}
				default:
					more = false
				}
			}
			_, err := f.Write(buffer)
			if err == nil {
				err = syscall.Fdatasync(int(f.Fd()))
			}
			for _, r := range group {
				r.done <- err
			}
		}
	}()
	return g
}

func (g *groupFile) append(data []byte) error {
	r := groupRecord{data, make(chan error, 1)}
	g.queue <- r
	return <-r.done
}

// BenchmarkSealLatency measures the time from the moment at which an event is due to the checkpoint
// that covers it, on the real ledger, at 1,000 events per second in an open loop: a late event does
// not hold up the next. The limit is the checkpoint interval plus ten times the 99th percentile of a
// lone fdatasync in the same directory during the run.
func BenchmarkSealLatency(b *testing.B) {
	const (
		perSecond = 1000
		seconds   = 3
		interval  = 100 * time.Millisecond // that of openHouse
	)
	dir := b.TempDir()
	h, err := openHouse(b.Context(), dir, true)
	if err != nil {
		b.Fatal(err)
	}
	defer h.close(context.Background())
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go h.sealer.Run(ctx)

	var latencies, syncs []time.Duration
	for b.Loop() {
		stop := make(chan struct{})
		synced := make(chan []time.Duration)
		go func() { synced <- sampleSyncs(b, filepath.Join(dir, "sample"), stop) }()
		due := &dueEvents{at: make(map[uint64]time.Time)}
		looked := make(chan []time.Duration)
		go func() { looked <- due.watch(b, h, perSecond*seconds) }()
		started := time.Now()
		for n := range perSecond * seconds {
			at := started.Add(time.Duration(n) * time.Second / perSecond)
			time.Sleep(time.Until(at))
			go func() {
				receipt, err := h.recorder.Record(ctx, registration())
				if err != nil {
					b.Error(err)
					cancel()
				}
				due.add(receipt.Sequence, at)
			}()
		}
		latencies = append(latencies, <-looked...)
		close(stop)
		syncs = append(syncs, <-synced...)
	}
	limit := interval + 10*percentile(syncs, 99)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(percentile(latencies, 50)), "p50_ms")
	b.ReportMetric(ms(percentile(latencies, 99)), "p99_ms")
	b.ReportMetric(ms(percentile(syncs, 99)), "fdatasync_p99_ms")
	b.ReportMetric(ms(interval), "interval_ms")
	b.ReportMetric(ms(limit), "limit_ms")
	b.ReportMetric(ms(percentile(latencies, 99))/ms(limit), "x_limit")
	b.ReportMetric(0, "ns/op")
}

// dueEvents are the events that no published checkpoint covers yet, with the moments at which they
// were due.
type dueEvents struct {
	mu sync.Mutex
	at map[uint64]time.Time // by sequence
}

func (d *dueEvents) add(sequence uint64, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at[sequence] = at
}

// watch looks every half millisecond for a checkpoint, until n events have been covered, and returns
// for how long each had been due.
func (d *dueEvents) watch(b *testing.B, h house, n int) (latencies []time.Duration) {
	for len(latencies) < n && !b.Failed() {
		time.Sleep(500 * time.Microsecond)
		note, err := h.log.Checkpoint(context.Background(), 0)
		if err != nil {
			b.Error(err)
			return latencies
		}
		var checkpoint log.Checkpoint
		if _, err := checkpoint.Unmarshal(note); err != nil {
			b.Error(err)
			return latencies
		}
		d.mu.Lock()
		for sequence, at := range d.at {
			if sequence <= checkpoint.Size {
				latencies = append(latencies, time.Since(at))
				delete(d.at, sequence)
			}
		}
		d.mu.Unlock()
	}
	return latencies
}

// sampleSyncs writes and syncs a kilobyte every ten milliseconds and returns how long each sync took.
func sampleSyncs(b *testing.B, path string, stop <-chan struct{}) (took []time.Duration) {
	f, err := os.Create(path)
	if err != nil {
		b.Error(err)
		return nil
	}
	defer f.Close()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	block := make([]byte, 1024)
	for {
		select {
		case <-stop:
			return took
		case <-ticker.C:
		}
		if _, err := f.Write(block); err != nil {
			b.Error(err)
			return took
		}
		started := time.Now()
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Error(err)
			return took
		}
		took = append(took, time.Since(started))
	}
}

// percentile returns the smallest of values that p percent of them do not exceed.
func percentile(values []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)*p+99)/100-1]
}
