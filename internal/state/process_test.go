package state

import (
	"cmp"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// TestTwoProcesses lets three processes, this one among them, count in one row.
func TestTwoProcesses(t *testing.T) { databases(t, testTwoProcesses) }

func testTwoProcesses(t *testing.T, fresh func(testing.TB) Config) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	config := fresh(t)
	db := open(t, config)
	err := db.Write(t.Context(), func(tx *Tx) error {
		err := create(tx, "CREATE TABLE counter (n INTEGER NOT NULL) STRICT")
		if err == nil {
			_, err = tx.Exec("INSERT INTO counter (n) VALUES (0)")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 2 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), roleVariable+"=count", pathVariable+"="+cmp.Or(config.URL, config.Path))
		wg.Go(func() {
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	for range countTimes {
		if err := db.Write(t.Context(), increment); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	var n int
	err = db.Read(t.Context(), func(tx *Tx) error { return tx.QueryRow("SELECT n FROM counter").Scan(&n) })
	if err != nil || n != 3*countTimes {
		t.Errorf("counted %d, %v, want %d", n, err, 3*countTimes)
	}
}
