package provenance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
)

// Options says what to run and what to look after. Only Command is required.
type Options struct {
	Place
	Command []string
	Inputs  []string          // files and directories that the command reads, relative to Dir or absolute
	Outputs []string          // and those that it writes
	Params  map[string]string // as the caller knows them
	Env     []string          // names of variables whose values are kept

	Stdin          *os.File  // nil means none
	Stdout, Stderr io.Writer // nil discards; a file is handed over as it is
	Grace          time.Duration
	Now            func() time.Time // nil means time.Now
}

const (
	defaultGrace = 30 * time.Second // between SIGTERM and SIGKILL, when the context ends
	maxPaths     = 1000
	maxVariable  = 4096 // bytes
)

// Run is the record of a command that has run.
type Run struct {
	ID         string            `json:"id"`
	Command    []string          `json:"command"`
	Started    time.Time         `json:"started"`
	Ended      time.Time         `json:"ended"`
	ExitCode   int               `json:"exit_code" doc:"128 and the number of the signal, if one ended it"`
	Params     map[string]string `json:"params,omitempty"`
	Env        map[string]string `json:"env,omitempty"`
	Inputs     []Item            `json:"inputs,omitempty"`
	Outputs    []Item            `json:"outputs,omitempty"`
	Provenance Provenance        `json:"provenance" doc:"as it was before the command ran"`
	Notes      []string          `json:"notes,omitempty" doc:"what makes the record less than it should be"`
}

// Item is a file or directory that a run read or wrote.
type Item struct {
	Path      string            `json:"path"`
	Digest    tallystick.Digest `json:"digest,omitempty" doc:"of the file, or of the manifest of a directory"`
	Directory bool              `json:"directory,omitempty"`
	Size      int64             `json:"size" doc:"bytes"`
	Files     int               `json:"files"`
	After     tallystick.Digest `json:"after,omitempty" doc:"digest after the run, of an input that changed meanwhile"`
	Changed   bool              `json:"changed,omitempty" doc:"the input changed, or was removed, while the command ran"`
	Missing   bool              `json:"missing,omitempty" doc:"the command did not write this output"`
	Untouched bool              `json:"untouched,omitempty" doc:"the output was there before and is as it was"`
}

// Execute runs the command with the terminal, the signals and the exit code of its own, and returns
// what it read, wrote and ran with. The digests of inputs are those before it ran. That the command
// failed is no error but an exit code; an error says that it did not run, or that what it left could
// not be read, and then the record is as far as it came, with an ID if the command ran.
func Execute(ctx context.Context, o Options) (Run, error) {
	o.Place = o.withDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	r, err := o.begin()
	if err != nil {
		return Run{}, err
	}
	if r.Provenance, err = Read(ctx, o.Place); err != nil {
		return Run{}, err
	}
	before := map[string]stamp{}
	for _, path := range slices.Concat(o.Inputs, o.Outputs) {
		before[path] = stampOf(ctx, o.resolve(path))
	}
	for _, path := range o.Inputs {
		item, err := o.hash(ctx, path)
		if err != nil {
			return Run{}, fmt.Errorf("input %q: %w", path, err)
		}
		r.Inputs = append(r.Inputs, item)
	}
	if err := o.run(ctx, &r); err != nil {
		return Run{}, err
	}
	// What is left behind is read even if somebody has asked to stop: the command is over.
	return r, o.finish(context.WithoutCancel(ctx), &r, before)
}

func (o Options) begin() (Run, error) {
	if len(o.Command) == 0 || o.Command[0] == "" {
		return Run{}, tallystick.Errorf(tallystick.Invalid, "no command to run").WithHint("write it after --, such as: tallystick run -- python train.py")
	}
	if len(o.Inputs)+len(o.Outputs) > maxPaths {
		return Run{}, tallystick.Errorf(tallystick.Invalid, "more than %d inputs and outputs", maxPaths).WithHint("name their directories")
	}
	r := Run{Command: o.Command, Params: o.Params}
	for _, name := range o.Env {
		if secret(name) {
			return Run{}, tallystick.Errorf(tallystick.Invalid, "the variable %.80q looks like a secret and is not kept", name)
		}
		value := o.variable(name)
		if value == "" {
			continue
		}
		if len(value) > maxVariable {
			value = string(tallystick.DigestOf([]byte(value)))
		}
		if r.Env == nil {
			r.Env = map[string]string{}
		}
		r.Env[name] = value
	}
	return r, nil
}

// secret reports whether a variable of this name is likely to hold a secret.
func secret(name string) bool {
	name = strings.ToUpper(name)
	for _, word := range []string{"SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "PRIVATE", "API_KEY", "APIKEY", "ACCESS_KEY"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func (o Options) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(o.Dir, path)
}

// run runs the command until it ends. Once ctx ends, it is asked to.
func (o Options) run(ctx context.Context, r *Run) error {
	cmd := exec.CommandContext(ctx, o.Command[0], o.Command[1:]...) //nolint:gosec // G204: to run what the user says is what this is for
	cmd.Dir, cmd.Env = o.Dir, o.Environ
	cmd.Stdout, cmd.Stderr = o.Stdout, o.Stderr
	if o.Stdin != nil {
		cmd.Stdin = o.Stdin
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = cmp.Or(o.Grace, defaultGrace)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	r.Started = o.Now().UTC().Truncate(time.Millisecond)
	if err := cmd.Start(); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "run %q: %w", o.Command[0], err).WithHint("name a program that can be executed")
	}
	r.ID = tallystick.NewID(r.Started)
	// A terminal sends its signals to every process in the foreground, the command among them.
	shared := o.Stdin != nil && term.IsTerminal(int(o.Stdin.Fd()))
	ended, forwarded := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(forwarded)
		for {
			select {
			case s := <-signals:
				if !shared || s == syscall.SIGTERM || s == syscall.SIGHUP {
					_ = cmd.Process.Signal(s) // it may have ended just now
				}
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-forwarded
	r.Ended = o.Now().UTC().Truncate(time.Millisecond)
	r.ExitCode = exitCode(cmd.ProcessState)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		r.Notes = append(r.Notes, fmt.Sprintf("the end of the command: %v", err))
	}
	return nil
}

// exitCode returns what a shell would.
func exitCode(s *os.ProcessState) int {
	if s == nil {
		return 1
	}
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return s.ExitCode()
}

// finish looks at what the command left.
func (o Options) finish(ctx context.Context, r *Run, before map[string]stamp) error {
	for i, path := range o.Inputs {
		if now := stampOf(ctx, o.resolve(path)); now.same(before[path]) {
			continue
		}
		item, err := o.hash(ctx, path)
		in := &r.Inputs[i]
		switch {
		case err != nil:
			in.Changed = true
			r.Notes = append(r.Notes, fmt.Sprintf("input %q could not be read again after the run: %v", path, err))
		case item.Digest != in.Digest:
			in.Changed, in.After = true, item.Digest
			r.Notes = append(r.Notes, fmt.Sprintf("input %q changed while the command ran", path))
		}
	}
	for _, path := range o.Outputs {
		item, err := o.hash(ctx, path)
		switch {
		case tallystick.CodeOf(err) == tallystick.NotFound || errors.Is(err, fs.ErrNotExist):
			item = Item{Path: path, Missing: true}
			r.Notes = append(r.Notes, fmt.Sprintf("output %q was not written", path))
		case err != nil:
			return fmt.Errorf("output %q: %w", path, err)
		case before[path].files > 0 && before[path].same(stampOf(ctx, o.resolve(path))):
			item.Untouched = true
			r.Notes = append(r.Notes, fmt.Sprintf("output %q was there before and is as it was", path))
		}
		r.Outputs = append(r.Outputs, item)
	}
	slices.Sort(r.Notes)
	return nil
}

// hash returns the digest of a file, or that of the manifest of a directory.
func (o Options) hash(ctx context.Context, path string) (Item, error) {
	full := o.resolve(path)
	info, err := os.Stat(full)
	if err != nil {
		return Item{}, tallystick.Errorf(tallystick.NotFound, "%w", err)
	}
	m, err := artifact.Hash(ctx, []string{full}, artifact.HashOptions{FollowLinks: true})
	if err != nil {
		return Item{}, err
	}
	item := Item{Path: filepath.ToSlash(path), Directory: info.IsDir(), Size: m.Size(), Files: m.Len()}
	if !item.Directory {
		item.Digest = m.Files()[0].Digest
		return item, nil
	}
	item.Digest, err = m.Digest()
	return item, err
}

// stamp tells without reading whether files may have changed.
type stamp struct {
	files int
	marks map[string]string // by path: size and time of the last change
}

// stampOf returns the stamp of a file or directory; an empty one if there is none.
func stampOf(ctx context.Context, path string) stamp {
	s := stamp{marks: map[string]string{}}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	_ = filepath.WalkDir(path, func(p string, _ fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil || s.files > artifact.MaxFiles {
			return fs.SkipAll
		}
		info, err := os.Stat(p) // what a link leads to
		if err != nil || info.IsDir() {
			return nil //nolint:nilerr // hashing will say what is wrong with it
		}
		s.files++
		s.marks[p] = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
		return nil
	})
	return s
}

func (s stamp) same(other stamp) bool { return maps.Equal(s.marks, other.marks) }
