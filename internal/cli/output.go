package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/term"

	"github.com/tallystick/tallystick/internal/audit"
	"github.com/tallystick/tallystick/internal/report"
)

// tool names this program and its version, from what the Go tool has built in.
func tool() report.Tool {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	return report.Tool{Name: "tallystick", Version: version}
}

// terminal returns the width of a stream's terminal; ok is false where it is none.
func terminal(stream any) (width int, ok bool) {
	file, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 { // a terminal that does not know its size
		width = plainWidth
	}
	return width, true
}

const plainWidth = 100 // columns where there is no terminal

// width returns the columns to write into.
func (a *app) width() int {
	if width, ok := terminal(a.Out); ok {
		return width
	}
	return plainWidth
}

// colour reports whether to write colours (no-color.org).
func (a *app) colour() bool {
	_, ok := terminal(a.Out)
	return ok && os.Getenv("NO_COLOR") == ""
}

func (a *app) printJSON(value any) error { return writeJSON(a.Out, value) }

func writeJSON(out io.Writer, value any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

// marshal encodes as writeJSON does.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	err := writeJSON(&b, value)
	return b.Bytes(), err
}

// printGuesses says what was guessed; more than fits on one screen stands in the report.
func (a *app) printGuesses(guesses []string) {
	const shown = 3
	for i, guess := range guesses {
		margin := "           "
		if i == 0 {
			fmt.Fprintln(a.Out)
			margin = "Guessed    "
		}
		if rest := len(guesses) - i; i+1 == shown && rest > 1 {
			fmt.Fprintf(a.Out, "%sand %d more, which the report lists\n", margin, rest)
			return
		}
		fmt.Fprintln(a.Out, margin+guess)
	}
}

func (a *app) printAudit(result audit.Result, out string) error {
	if err := report.WriteSummary(a.Out, result.Document, a.width(), a.colour()); err != nil {
		return err
	}
	a.printGuesses(result.Document.Guesses)
	_, err := fmt.Fprintf(a.Out, "\nReport    %s\nEvidence  %s  (event %d; check it: tallystick verify %[2]s)\n",
		filepath.Join(out, audit.HTMLFile), filepath.Join(out, audit.EvidenceFile), result.Event.Sequence)
	return err
}
