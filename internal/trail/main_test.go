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

func TestMain(m *testing.M) {
	ledger.RouteLogs(slog.New(slog.DiscardHandler))
	if dir := os.Getenv(childVariable); dir != "" {
		fmt.Fprintln(os.Stderr, "child:", recordUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}
