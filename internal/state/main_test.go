package state

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// A process of this binary with roleVariable set plays a child: it works on the database at
// pathVariable, a path or a URL.
const (
	roleVariable = "TALLYSTICK_STATE_ROLE"
	pathVariable = "TALLYSTICK_STATE_PATH"
)

func TestMain(m *testing.M) {
	path := os.Getenv(pathVariable)
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "acknowledge", "acknowledge early":
		err = acknowledge(path, role == "acknowledge early")
	case "count":
		err = count(path)
	default:
		err = fmt.Errorf("no such role: %s", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

const (
	acknowledgeRounds  = 5
	acknowledgeCallers = 3
)

// acknowledge writes notes, a few callers at a time, and says so on descriptor 3: "ack NOTE" in one
// system call. It goes on after an error, to show that nothing is acknowledged after it. If early is
// set it runs without the syncs that the promise of Write rests on.
func acknowledge(path string, early bool) error {
	// strace counts the calls of each thread, so all syncs should come from one.
	config := Config{Path: path, checkpointPages: 12, begin: runtime.LockOSThread}
	if early {
		config.synchronous = "OFF"
	}
	db, err := Open(context.Background(), config)
	if err != nil {
		return err
	}
	acks := os.NewFile(3, "acknowledgements")
	var failed error
	var mu sync.Mutex
	for round := range acknowledgeRounds {
		var wg sync.WaitGroup
		for caller := range acknowledgeCallers {
			wg.Go(func() {
				note := fmt.Sprintf("note-%d-%d-%s", round, caller, rand())
				err := db.Write(context.Background(), insert(note))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed = err
					return
				}
				fmt.Fprintf(acks, "ack %s\n", note)
			})
		}
		wg.Wait()
	}
	if failed != nil {
		return failed // and let the process end as it would
	}
	return db.Close()
}

const countTimes = 100

// count adds to a counter, reading it first, so that a lost update shows.
func count(path string) error {
	config := Config{Path: path}
	if strings.HasPrefix(path, "postgres:") {
		config = Config{URL: path}
	}
	db, err := Open(context.Background(), config)
	if err != nil {
		return err
	}
	for range countTimes {
		if err := db.Write(context.Background(), increment); err != nil {
			return err
		}
	}
	return db.Close()
}

func increment(tx *Tx) error {
	var n int
	if err := tx.QueryRow("SELECT n FROM counter").Scan(&n); err != nil {
		return err
	}
	_, err := tx.Exec("UPDATE counter SET n = ?", n+1)
	return err
}
