package provenance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// Code is the state of a Git repository.
type Code struct {
	Commit    string            `json:"commit,omitempty" doc:"of HEAD; none before the first"`
	Remote    string            `json:"remote,omitempty" doc:"URL of origin, without credentials"`
	Path      string            `json:"path,omitempty" doc:"of the directory within the repository"`
	Dirty     bool              `json:"dirty" doc:"there are changes that are not committed"`
	Diff      tallystick.Digest `json:"diff,omitempty" doc:"of git diff --binary HEAD, if there are changes"`
	Untracked int               `json:"untracked,omitempty" doc:"files that Git neither tracks nor ignores"`
	Others    tallystick.Digest `json:"others,omitempty" doc:"of the list of these files with their digests"`
}

const (
	gitTime      = 30 * time.Second
	maxDiff      = 256 << 20 // bytes of a diff
	maxUntracked = 2000      // files
	maxFilters   = 100
)

// readCode returns nil if the directory is in no repository or there is no Git.
func readCode(ctx context.Context, p Place) (*Code, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	if !inRepository(p.Dir) {
		return nil, nil
	}
	path, err := exec.LookPath("git")
	if err != nil {
		return nil, errors.New("there is a repository, but no git to read it")
	}
	g := git{path: path, dir: p.Dir, search: p.variable("PATH")}
	if err := g.disarm(ctx); err != nil {
		return nil, err
	}
	var c Code
	if c.Path, err = g.line(ctx, "rev-parse", "--show-prefix"); err != nil {
		return nil, err
	}
	c.Path = strings.TrimSuffix(c.Path, "/")
	if remote, err := g.line(ctx, "config", "--local", "--get", "remote.origin.url"); err == nil {
		c.Remote = withoutCredentials(remote)
	}
	against := "HEAD"
	if c.Commit, err = g.line(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}"); err != nil {
		// Before the first commit everything differs from the empty tree.
		if against, err = g.line(ctx, "hash-object", "-t", "tree", "/dev/null"); err != nil {
			return nil, err
		}
		c.Commit = ""
	}
	h := digester{limit: maxDiff}
	if err := g.run(ctx, &h, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary", "--full-index", "--ignore-submodules=dirty", against, "--"); err != nil {
		return nil, err
	}
	if h.n > 0 {
		c.Dirty, c.Diff = true, h.sum()
	}
	if err := g.untracked(ctx, &c); err != nil {
		return nil, err
	}
	return &c, nil
}

// inRepository reports whether the directory or one above it has a .git.
func inRepository(dir string) bool {
	dir, err := filepath.Abs(dir)
	for err == nil {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return false
}

// git runs Git in a repository that is not trusted.
type git struct {
	path, dir, search string
	config            []string // -c arguments that turn filters off
}

// disarm finds the filters that the repository configures, which git diff would run as programs.
func (g *git) disarm(ctx context.Context) error {
	var out bytes.Buffer
	err := g.run(ctx, limited(&out, maxSmall), "config", "--local", "--includes", "--null", "--name-only", "--get-regexp", `^filter\.`)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil // there are none
	}
	if err != nil {
		return err
	}
	var names []string
	for key := range strings.SplitSeq(out.String(), "\x00") {
		if i := strings.LastIndexByte(key, '.'); i > 0 {
			names = append(names, key[:i])
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > maxFilters {
		return fmt.Errorf("the repository configures %d filters", len(names))
	}
	for _, name := range names {
		if strings.ContainsAny(name, "=\n") { // could not be written as an argument
			return fmt.Errorf("the repository configures a filter %q", name)
		}
		for _, setting := range []string{".clean=", ".smudge=", ".process=", ".required=false"} {
			g.config = append(g.config, "-c", name+setting)
		}
	}
	return nil
}

// run runs git without the user's configuration, hooks, monitors, pagers, prompts and network.
func (g *git) run(ctx context.Context, stdout io.Writer, args ...string) error {
	all := slices.Concat([]string{
		"--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=false",
		"-c", "protocol.allow=never", "-c", "log.showSignature=false", "-c", "core.quotePath=true",
	}, g.config, args)
	cmd := exec.CommandContext(ctx, g.path, all...) //nolint:gosec // G204: git with arguments of ours; names of filters cannot end their argument
	cmd.Dir = g.dir
	cmd.Env = []string{
		"PATH=" + g.search, "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_NO_REPLACE_OBJECTS=1",
	}
	cmd.WaitDelay = time.Second
	var complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, limited(&complaint, 4<<10)
	if err := cmd.Run(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		return fmt.Errorf("git %s: %w %s", args[0], err, first)
	}
	return nil
}

func (g *git) line(ctx context.Context, args ...string) (string, error) {
	var out bytes.Buffer
	err := g.run(ctx, limited(&out, 64<<10), args...)
	return strings.TrimSpace(out.String()), err
}

func (g *git) untracked(ctx context.Context, c *Code) error {
	var out bytes.Buffer
	if err := g.run(ctx, limited(&out, maxSmall), "ls-files", "--others", "--exclude-standard", "-z"); err != nil {
		return err
	}
	names := strings.Split(strings.TrimSuffix(out.String(), "\x00"), "\x00")
	if out.Len() == 0 {
		return nil
	}
	slices.Sort(names)
	c.Untracked, c.Dirty = len(names), true
	var list strings.Builder
	for _, name := range names[:min(len(names), maxUntracked)] {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(g.dir, filepath.FromSlash(name))
		digest := tallystick.Digest("unread")
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			if d, err := digestFile(path, maxPin); err == nil {
				digest = d
			}
		}
		fmt.Fprintf(&list, "%s %q\n", digest, name)
	}
	fmt.Fprintf(&list, "%d\n", len(names))
	c.Others = tallystick.DigestOf([]byte(list.String()))
	return nil
}

var userinfo = regexp.MustCompile(`://[^/?#\s]*@`)

// withoutCredentials takes name and password out of a URL.
func withoutCredentials(url string) string { return userinfo.ReplaceAllString(url, "://") }
