package provenance_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/provenance"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// repository makes a repository with one commit.
func repository(t *testing.T) (dir string, git func(args ...string) string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	dir = t.TempDir()
	git = func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	write(t, filepath.Join(dir, "sub", "train.py"), "print(1)\n")
	git("add", ".")
	git("commit", "-qm", "first")
	git("remote", "add", "origin", "https://user:hush@git.example/y.git")
	return dir, git
}

func read(t *testing.T, dir string, environ ...string) provenance.Provenance {
	t.Helper()
	p, err := provenance.Read(t.Context(), provenance.Place{Dir: dir, Environ: append([]string{"PATH=" + os.Getenv("PATH")}, environ...)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCode(t *testing.T) {
	t.Parallel()
	dir, git := repository(t)
	want := &provenance.Code{Commit: git("rev-parse", "HEAD"), Remote: "https://git.example/y.git", Path: "sub"}
	if diff := cmp.Diff(want, read(t, filepath.Join(dir, "sub")).Code); diff != "" {
		t.Errorf("clean (-want +got):\n%s", diff)
	}
	write(t, filepath.Join(dir, "sub", "train.py"), "print(2)\n")
	dirty := read(t, dir).Code
	out := git("diff", "--binary", "--full-index", "HEAD") + "\n"
	if !dirty.Dirty || dirty.Diff != tallystick.DigestOf([]byte(out)) || dirty.Untracked != 0 {
		t.Errorf("dirty: %+v", dirty)
	}
	write(t, filepath.Join(dir, "new.py"), "x")
	with := read(t, dir).Code
	write(t, filepath.Join(dir, "new.py"), "y")
	other := read(t, dir).Code
	if with.Untracked != 1 || with.Others == "" || with.Others == other.Others || with.Diff != dirty.Diff {
		t.Errorf("untracked: %+v, %+v", with, other)
	}
	if p := read(t, t.TempDir()); p.Code != nil || len(p.Unread) > 0 {
		t.Errorf("no repository: %+v", p)
	}
}

func TestCodeBeforeFirstCommit(t *testing.T) {
	t.Parallel()
	dir, git := repository(t)
	git("checkout", "-q", "--orphan", "fresh")
	c := read(t, dir).Code
	if c == nil || c.Commit != "" || !c.Dirty || c.Diff == "" {
		t.Errorf("%+v", c)
	}
}

// TestHostileRepository configures every program that Git would run while it looks for changes.
func TestHostileRepository(t *testing.T) {
	t.Parallel()
	dir, git := repository(t)
	mark := filepath.Join(t.TempDir(), "ran")
	evil := filepath.Join(t.TempDir(), "evil.sh")
	write(t, evil, "#!/bin/sh\necho \"$0 $@\" >> "+mark+"\ncat\n")
	if err := os.Chmod(evil, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".gitattributes"), "* filter=evil diff=evil\n")
	git("add", ".")
	git("commit", "-qm", "attributes")
	for _, setting := range []string{
		"core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean", "filter.evil.process",
		"filter.evil.smudge", "gpg.program", "credential.helper", "pager.diff", "alias.diff",
	} {
		git("config", setting, evil)
	}
	git("config", "filter.evil.required", "true")
	write(t, filepath.Join(dir, ".git", "config.more"), "[filter \"Other One\"]\n\tclean = "+evil+"\n")
	git("config", "include.path", "config.more")
	for _, hook := range []string{"post-index-change", "fsmonitor-watchman", "pre-commit", "reference-transaction"} {
		write(t, filepath.Join(dir, ".git", "hooks", hook), "#!/bin/sh\n"+evil+"\n")
		if err := os.Chmod(filepath.Join(dir, ".git", "hooks", hook), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Remove(mark) // git config itself may page
	write(t, filepath.Join(dir, "sub", "train.py"), "print(3)\n")
	write(t, filepath.Join(dir, "other"), "new")
	p := read(t, dir)
	if p.Code == nil || !p.Code.Dirty || p.Code.Diff == "" || p.Code.Untracked != 1 {
		t.Errorf("%+v", p)
	}
	if ran, err := os.ReadFile(mark); err == nil {
		t.Errorf("the repository ran a program:\n%s", ran)
	}
}

// lock is a dvc.lock as DVC 3 writes it.
const lock = `schema: '2.0'
stages:
  prepare:
    cmd: python prepare.py
    deps:
    - path: data/raw.csv
      hash: md5
      md5: a304afb96060aad90176268345e10355
      size: 37891850
    - path: s3://user:hush@bucket/x
      etag: '"1"'
    outs:
    - path: data/clean
      hash: md5
      md5: 3a8f9bd7.dir
      size: 10
      nfiles: 2
    params:
      params.yaml:
        prepare.seed: 20170428
        prepare.split: 0.2
        prepare.columns: [a, b]
  train:
    cmd:
    - python train.py
    - echo done
    deps:
    - path: data/clean
      md5: 3a8f9bd7.dir
    outs:
    - path: model.pkl
      md5: e9ac3d5e
`

func TestDVCLock(t *testing.T) {
	t.Parallel()
	got, err := provenance.ParseDVCLock([]byte(lock))
	if err != nil {
		t.Fatal(err)
	}
	want := []provenance.Stage{
		{
			Name: "prepare", Command: "python prepare.py",
			Deps:   []provenance.Dep{{Path: "data/raw.csv", Hash: "md5:a304afb96060aad90176268345e10355", Size: 37891850}, {Path: "s3://bucket/x", Hash: `etag:"1"`}},
			Outs:   []provenance.Dep{{Path: "data/clean", Hash: "md5:3a8f9bd7.dir", Size: 10}},
			Params: map[string]string{"params.yaml:prepare.seed": "20170428", "params.yaml:prepare.split": "0.2", "params.yaml:prepare.columns": "- a\n- b"},
		},
		{
			Name: "train", Command: "python train.py\necho done",
			Deps: []provenance.Dep{{Path: "data/clean", Hash: "md5:3a8f9bd7.dir"}}, Outs: []provenance.Dep{{Path: "model.pkl", Hash: "md5:e9ac3d5e"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, text := range map[string]string{
		"schema": "schema: '1.0'\nstages: {}\n",
		"none":   "",
		"shape":  "schema: '2.0'\nstages: [1]\n",
		"bomb":   "schema: '2.0'\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\nstages: {s: {cmd: x, params: {p: {k: [*f,*f,*f,*f,*f,*f,*f,*f]}}}}\n",
		"long":   "schema: '2.0'\n#" + strings.Repeat("x", 4<<20),
	} {
		if _, err := provenance.ParseDVCLock([]byte(text)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseDVCLock(f *testing.F) {
	f.Add([]byte(lock))
	f.Add([]byte("schema: '2.0'\nstages: {a: {cmd: [x, y], deps: [{path: p, md5: 1}]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		stages, err := provenance.ParseDVCLock(data)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Invalid {
				t.Fatal(err)
			}
			return
		}
		if !slices.IsSortedFunc(stages, func(a, b provenance.Stage) int { return strings.Compare(a.Name, b.Name) }) {
			t.Fatal("stages are not in order")
		}
		again, err := provenance.ParseDVCLock(data)
		if err != nil || cmp.Diff(stages, again) != "" {
			t.Fatalf("it reads differently the second time: %v", err)
		}
	})
}

func TestMachine(t *testing.T) {
	t.Parallel()
	dir, root, venv := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, filepath.Join(root, "proc/cpuinfo"), "processor\t: 0\nmodel name\t: Zuse Z3\n")
	write(t, filepath.Join(root, "proc/meminfo"), "MemTotal:       64 kB\nMemFree: 1 kB\n")
	write(t, filepath.Join(root, "run/.containerenv"), "engine=\"podman-4\"\nimage=\"registry.example/train:1\"\nimageid=\"abc\"\n")
	write(t, filepath.Join(venv, "pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.7\n")
	for _, name := range []string{"numpy-2.1.0.dist-info", "scikit_learn-1.5.dist-info", "numpy"} {
		write(t, filepath.Join(venv, "lib/python3.11/site-packages", name, "x"), "")
	}
	write(t, filepath.Join(dir, "requirements.txt"), "numpy==2.1.0\n")
	if err := os.Mkdir(filepath.Join(dir, "go.mod"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := provenance.Read(t.Context(), provenance.Place{Dir: dir, Root: root, Environ: []string{"VIRTUAL_ENV=" + venv, "PYTHONHASHSEED=0", "MY_SEED=42", "OTHER=1"}})
	if err != nil {
		t.Fatal(err)
	}
	if h := p.Hardware; h.CPU != "Zuse Z3" || h.Memory != 64<<10 || h.Cores != runtime.NumCPU() {
		t.Errorf("hardware: %+v", h)
	}
	if p.Image != "registry.example/train:1@sha256:abc" {
		t.Errorf("image: %q", p.Image)
	}
	if p.Python == nil || p.Python.Version != "3.11.7" || !slices.Equal(p.Python.Packages, []string{"numpy==2.1.0", "scikit-learn==1.5"}) {
		t.Errorf("python: %+v", p.Python)
	}
	if diff := cmp.Diff(map[string]string{"PYTHONHASHSEED": "0", "MY_SEED": "42"}, p.Seeds); diff != "" {
		t.Errorf("seeds: %s", diff)
	}
	if len(p.Pins) != 1 || p.Pins[0].Digest != tallystick.DigestOf([]byte("numpy==2.1.0\n")) {
		t.Errorf("pins: %+v", p.Pins)
	}
	if len(p.Unread) != 1 || !strings.HasPrefix(p.Unread[0], "go.mod") {
		t.Errorf("unread: %q", p.Unread)
	}
}

func TestExecute(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "in.csv"), "a\n")
	write(t, filepath.Join(dir, "changing"), "before")
	write(t, filepath.Join(dir, "old"), "as it was")
	write(t, filepath.Join(dir, "data", "x"), "1")
	var stdout, stderr bytes.Buffer
	r, err := provenance.Execute(t.Context(), provenance.Options{
		Place:   provenance.Place{Dir: dir, Environ: []string{"PATH=" + os.Getenv("PATH"), "STAGE=dev"}},
		Command: []string{"sh", "-c", `cat in.csv; echo warn >&2; echo after > changing; echo model > model.bin; exit 3`},
		Inputs:  []string{"in.csv", "changing", "data"}, Outputs: []string{"model.bin", "absent", "old"},
		Params: map[string]string{"depth": "3"}, Env: []string{"STAGE", "NONE"}, Stdout: &stdout, Stderr: &stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.ExitCode != 3 || stdout.String() != "a\n" || stderr.String() != "warn\n" || r.ID == "" || r.Ended.Before(r.Started) {
		t.Errorf("%+v, %q, %q", r, &stdout, &stderr)
	}
	sum := func(s string) tallystick.Digest { return tallystick.DigestOf([]byte(s)) }
	inputs := []provenance.Item{
		{Path: "in.csv", Digest: sum("a\n"), Size: 2, Files: 1},
		{Path: "changing", Digest: sum("before"), After: sum("after\n"), Changed: true, Size: 6, Files: 1},
		{Path: "data", Digest: r.Inputs[2].Digest, Directory: true, Size: 1, Files: 1},
	}
	if diff := cmp.Diff(inputs, r.Inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	outputs := []provenance.Item{
		{Path: "model.bin", Digest: sum("model\n"), Size: 6, Files: 1}, {Path: "absent", Missing: true},
		{Path: "old", Digest: sum("as it was"), Size: 9, Files: 1, Untouched: true},
	}
	if diff := cmp.Diff(outputs, r.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"STAGE": "dev"}, r.Env); diff != "" || len(r.Notes) != 3 {
		t.Errorf("env %s, notes %q", diff, r.Notes)
	}
}

func TestExecuteRefuses(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]provenance.Options{
		"nothing":       {},
		"no such":       {Command: []string{"/nonexistent/program"}},
		"secret":        {Command: []string{"true"}, Env: []string{"AWS_SECRET_ACCESS_KEY"}},
		"too much":      {Command: []string{"true"}, Inputs: make([]string, 1001)},
		"missing input": {Command: []string{"true"}, Inputs: []string{"/nonexistent/input"}},
		"no directory":  {Command: []string{"true"}, Place: provenance.Place{Dir: "/nonexistent"}},
	} {
		r, err := provenance.Execute(t.Context(), o)
		if code := tallystick.CodeOf(err); code != tallystick.Invalid && code != tallystick.NotFound || r.ID != "" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// TestSignals runs in a process of its own, so that the signal meets only that one.
func TestSignals(t *testing.T) {
	if os.Getenv("TALLYSTICK_PROVENANCE_CHILD") != "" {
		r, err := provenance.Execute(context.Background(), provenance.Options{
			Command: []string{"sh", "-c", `trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done`}, Stdout: os.Stdout,
		})
		if err != nil {
			t.Fatal(err)
		}
		os.Exit(r.ExitCode)
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSignals$")
	cmd.Env = append(os.Environ(), "TALLYSTICK_PROVENANCE_CHILD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 6)
	if _, err := out.Read(line); err != nil || string(line) != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	_, _ = rest.ReadFrom(out)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 9 || rest.String() != "caught\n" {
		t.Errorf("exit code %d, %q", code, &rest)
	}
}

func TestContextEndsTheCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ready := writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	dir := t.TempDir()
	r, err := provenance.Execute(ctx, provenance.Options{
		Place: provenance.Place{Dir: dir}, Command: []string{"sh", "-c", "echo partial > out; echo ready; exec sleep 60"}, Stdout: ready, Outputs: []string{"out"}, Grace: 5 * time.Second,
	})
	if err != nil || r.ExitCode != 128+15 || len(r.Outputs) != 1 || r.Outputs[0].Missing {
		t.Errorf("%+v, %v", r, err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
