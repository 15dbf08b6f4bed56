package journal

import (
	"testing"

	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

// engines runs a test on a file, or on PostgreSQL if TALLYSTICK_TEST_STATE is "postgres".
func engines(t *testing.T, test func(t *testing.T, fresh func(testing.TB) Options)) {
	t.Helper()
	t.Parallel()
	test(t, func(t testing.TB) Options { return Options{Dir: t.TempDir(), URL: postgrestest.IfChosen(t)} })
}
