package journal

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// A process of this binary with roleVariable set plays a child: it works on the journal in the directory
// of dirVariable, or in the database of urlVariable with its mark there.
const (
	roleVariable = "TALLYSTICK_JOURNAL_ROLE"
	dirVariable  = "TALLYSTICK_JOURNAL_DIR"
	urlVariable  = "TALLYSTICK_JOURNAL_URL"
)

func TestMain(m *testing.M) {
	o := Options{Dir: os.Getenv(dirVariable), URL: os.Getenv(urlVariable)}
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "write":
		err = writeForever(o)
	case "acknowledge", "acknowledge early", "acknowledge unmarked":
		o.unsynced = role == "acknowledge early"
		o.unmarked = role == "acknowledge unmarked"
		err = acknowledge(o)
	default:
		err = fmt.Errorf("no such role: %s", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

const killWriters = 32

// writeForever lets 32 writers append until the process is killed. Each acknowledgement goes to standard
// output, "ack SEQUENCE HEAD RECORD...", in one system call. Meanwhile a reader puts records away, in a
// file, and trims: "put SEQUENCE RECORD".
func writeForever(o Options) error {
	ctx := context.Background()
	j, err := Open(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "open %d\n", j.Head().Sequence)
	start := j.Head().Sequence
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for writer := range killWriters {
		wg.Go(func() {
			for n := 0; failed.Load() == nil; n++ {
				b := killBatch(start, writer, n)
				r, err := j.Append(ctx, b)
				if err != nil {
					failed.Store(&err)
					return
				}
				line := fmt.Sprintf("ack %d %s", r.Sequence, r.Head)
				for record := range Records(recordsOf(b)) {
					line += " " + string(record)
				}
				fmt.Fprintln(os.Stdout, line)
			}
		})
	}
	wg.Go(func() {
		if err := putAway(ctx, j, filepath.Join(o.Dir, "put")); err != nil {
			failed.Store(&err)
		}
	})
	wg.Wait()
	return *failed.Load()
}

// killBatch is the nth batch of a writer in the round that began when the journal ended with start: one to
// three records, and now and then a large one.
func killBatch(start uint64, writer, n int) Batch {
	b := Batch{ID: killID(start, writer, n), Payload: new(Payload)}
	for i := range 1 + n%3 {
		b.Payload.Add(fmt.Appendf(nil, "%d/%d/%d/%d", start, writer, n, i))
	}
	return b
}

func killID(start uint64, writer, n int) (id BatchID) {
	binary.BigEndian.PutUint64(id[:], start+1)
	binary.BigEndian.PutUint32(id[8:], uint32(writer))
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

func putAway(ctx context.Context, j *Journal, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for {
		var last uint64
		var lines []byte
		for e, err := range j.Read(ctx, 0) {
			if err != nil {
				return err
			}
			for record := range Records(e.Payload) {
				lines = fmt.Appendf(lines, "put %d %s\n", e.Sequence, record)
			}
			if last = e.Sequence; len(lines) > 1<<16 {
				break
			}
		}
		if _, err := f.Write(lines); err != nil {
			return err
		}
		if last == 0 {
			runtime.Gosched()
			continue
		}
		if err := j.Trim(ctx, last); err != nil {
			return err
		}
	}
}

const (
	acknowledgeRounds  = 5
	acknowledgeCallers = 3
)

// acknowledge appends notes, a few callers at a time, and says so on descriptor 3: "ack NOTE" in one
// system call. It goes on after an error, to show that nothing is acknowledged after it.
func acknowledge(o Options) error {
	o.begin = runtime.LockOSThread // strace counts the calls of each thread: all syncs come from one
	j, err := Open(context.Background(), o)
	if err != nil {
		return err
	}
	acks := os.NewFile(3, "acknowledgements")
	var failed atomic.Pointer[error]
	for round := range acknowledgeRounds {
		var wg sync.WaitGroup
		for caller := range acknowledgeCallers {
			wg.Go(func() {
				note := fmt.Sprintf("note-%d-%d-%d", round, caller, os.Getpid())
				r, err := j.Append(context.Background(), batchOf(0, note))
				if err != nil {
					failed.Store(&err)
					return
				}
				fmt.Fprintf(acks, "ack %s %d\n", note, r.Sequence)
			})
		}
		wg.Wait()
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return j.Close()
}
