package cli

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tallystick/tallystick/internal/state/postgrestest"
)

// TestScripts runs testdata/*.txtar, each in a directory that holds the sample tables (see
// sample_test.go), with workspace and anchors below it; with TALLYSTICK_TEST_STATE=postgres the state of
// each is in a database of its own. The commands of the scripts, besides those
// of testscript:
//
//	code N PROGRAM ARG...    runs the program, which must exit with N
//	let NAME FILE            the variable NAME is the one line of FILE from now on
//	refuse REGEXP ARG...     tallystick ARG... must exit with 2, print nothing, complain in one line
//	                         that REGEXP matches, and make no directory of --out
//	await REGEXP ARG...      runs tallystick ARG... again and again, half a minute at most, until its
//	                         output matches REGEXP
//	json FILE PATH VALUE     the member of FILE at PATH (a.b.0.c; "length" counts a list) must be VALUE
//	flip FILE N              flips the lowest bit of byte N; a negative N counts from the end
//	cut FILE N               cuts the file after N bytes
//	edit FILE OLD NEW        replaces every OLD
//	unzip FILE NAME TO       takes one file out of a zip archive
//	server start ARG...      runs `tallystick serve ARG...`, see cmdServer
//	server kill|stop
//	pipeline NAME FILE       writes the shell of a template in examples/ci, see cmdPipeline
//	files start              serves files, and takes what is posted, over HTTP at $FILES, see cmdFiles
//	files take PATH N FILE   what was posted to a path, which must be N times
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		ContinueOnError:     true,
		Setup: func(env *testscript.Env) error {
			for name, value := range homes(env.WorkDir) {
				env.Setenv(name, value)
			}
			if url := postgrestest.IfChosen(env.T().(testing.TB)); url != "" {
				env.Setenv("TALLYSTICK_DATABASE", url)
			}
			env.Values[servingKey] = &serving{}
			env.Values[postedKey] = &posted{came: map[string][]json.RawMessage{}}
			return writeSamples(env.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": cmdCode, "refuse": cmdRefuse, "json": cmdJSON, "flip": cmdFlip, "cut": cmdCut, "edit": cmdEdit, "unzip": cmdUnzip,
			"await": cmdAwait, "server": cmdServer, "files": cmdFiles, "pipeline": cmdPipeline, "let": cmdLet,
		},
	})
}

// homes are the environment variables that put everything below dir.
func homes(dir string) map[string]string {
	return map[string]string{
		"HOME": dir, "XDG_DATA_HOME": filepath.Join(dir, "data"), "XDG_STATE_HOME": filepath.Join(dir, "state"),
		"TALLYSTICK_WORKSPACE": "", "TALLYSTICK_DATABASE": "", "NO_COLOR": "1",
	}
}

func cmdLet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: let NAME FILE")
	}
	line := strings.TrimSpace(ts.ReadFile(args[1]))
	if line == "" || strings.ContainsAny(line, "\n") {
		ts.Fatalf("%s does not have one line: %q", args[1], line)
	}
	ts.Setenv(args[0], line)
}

// run runs a program and returns its exit code.
func run(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	ts.Fatalf("%v", err)
	return -1
}

func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := run(ts, args[1:]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdRefuse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: refuse REGEXP ARG...")
	}
	out := ""
	if i := slices.Index(args, "--out"); i >= 0 && !exists(ts.MkAbs(args[i+1])) {
		out = ts.MkAbs(args[i+1])
	}
	if got := run(ts, append([]string{"tallystick"}, args[1:]...)); got != exitUsage {
		ts.Fatalf("exit code %d, want %d", got, exitUsage)
	}
	if printed := ts.ReadFile("stdout"); printed != "" {
		ts.Fatalf("something on standard output: %q", printed)
	}
	complaint := ts.ReadFile("stderr")
	if !strings.HasPrefix(complaint, "tallystick: ") || strings.Count(complaint, "\n") != 1 || !strings.HasSuffix(complaint, "\n") {
		ts.Fatalf("not one line of complaint")
	}
	if !regexp.MustCompile(args[0]).MatchString(complaint) {
		ts.Fatalf("the complaint does not match %q", args[0])
	}
	if len(complaint) > 400 {
		ts.Fatalf("the complaint is %d bytes long", len(complaint))
	}
	if out != "" && exists(out) {
		ts.Fatalf("the refused command left %s", out)
	}
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await REGEXP ARG...")
	}
	want := regexp.MustCompile("(?m)" + args[0])
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		if run(ts, append([]string{"tallystick"}, args[1:]...)) == 0 && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("it never matched %q", args[0])
}

func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: [!] json FILE PATH VALUE")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	dec.UseNumber()
	var value any
	ts.Check(dec.Decode(&value))
	got := fmt.Sprint(member(ts, value, args[1]))
	if (got == args[2]) == neg {
		ts.Fatalf("%s is %s", args[1], got)
	}
}

// member walks into decoded JSON.
func member(ts *testscript.TestScript, value any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			if _, ok := v[step]; !ok {
				ts.Fatalf("%s: there is no %s", path, step)
			}
			value = v[step]
		case []any:
			if step == "length" {
				value = len(v)
				continue
			}
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				ts.Fatalf("%s: there is no element %s of %d", path, step, len(v))
			}
			value = v[i]
		default:
			ts.Fatalf("%s: nothing is below %v", path, reflect.TypeOf(value))
		}
	}
	return value
}

// rewrite changes the bytes of a file.
func rewrite(ts *testscript.TestScript, name string, change func([]byte) []byte) {
	path := ts.MkAbs(name)
	data, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, change(data), 0o600))
}

func cmdFlip(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	rewrite(ts, args[0], func(data []byte) []byte {
		data[(n+len(data))%len(data)] ^= 1
		return data
	})
}

func cmdCut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	rewrite(ts, args[0], func(data []byte) []byte { return data[:n] })
}

func cmdEdit(ts *testscript.TestScript, _ bool, args []string) {
	rewrite(ts, args[0], func(data []byte) []byte {
		if !bytes.Contains(data, []byte(args[1])) {
			ts.Fatalf("%s does not hold %q", args[0], args[1])
		}
		return bytes.ReplaceAll(data, []byte(args[1]), []byte(args[2]))
	})
}

func cmdUnzip(ts *testscript.TestScript, _ bool, args []string) {
	archive, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer archive.Close()
	file, err := archive.Open(args[1])
	ts.Check(err)
	defer file.Close()
	data, err := io.ReadAll(file)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o600))
}
