package cli

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// program runs the command line as cmd/tallystick does.
func program() {
	os.Exit(Main(context.Background(), os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tallystick": program})
}
