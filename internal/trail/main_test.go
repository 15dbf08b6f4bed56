package trail

import (
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/ledger"
)

// childVariable names the directory in which a process of this binary plays the child of TestKill.
const childVariable = "TALLYSTICK_TRAIL_CHILD"

// serverVariable is the URL of the database in which a process of this binary records childEvents events.
const (
	serverVariable = "TALLYSTICK_TRAIL_SERVER"
	childEvents    = 50
)

func TestMain(m *testing.M) {
	ledger.RouteLogs(slog.New(slog.DiscardHandler))
	if dir := os.Getenv(childVariable); dir != "" {
		fmt.Fprintln(os.Stderr, "child:", recordUntilKilled(dir))
		os.Exit(1)
	}
	if url := os.Getenv(serverVariable); url != "" {
		if err := recordSome(url); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
