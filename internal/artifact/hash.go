package artifact

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick"
)

// hashBuffer is the size of one read. Larger ones fall out of the second-level cache.
const hashBuffer = 256 << 10

// HashOptions says what is hashed and how. The zero value hashes on every core.
type HashOptions struct {
	// Ignore lists paths that are left out, with all beneath them: exact, relative to the directory,
	// with slashes and without patterns. Left out besides, at the top of the directory only, are
	// .git, .gitignore, .gitattributes and .github, as OpenSSF Model Signing 1.0 does (section 6.2).
	Ignore []string
	// FollowLinks hashes what symbolic links to regular files point to, under the link's name.
	// Without it a link is refused, because its target can change without the version noticing.
	// Links to directories are always refused.
	FollowLinks bool
	// Workers bounds the files that are read at once; GOMAXPROCS if zero.
	Workers int
	// Progress, if set, is called now and then with the bytes that have been hashed and the bytes
	// that there are, never twice at once. It must not block for long.
	Progress func(done, total int64)
}

// Hash returns the manifest of the file or directory at each path. One file is named by the last
// element of its path; the files of one directory relative to it; of several paths, files by their
// last element and directories with theirs in front. It fails if a file changes while it is read.
func Hash(ctx context.Context, paths []string, o HashOptions) (Manifest, error) {
	sources, err := findSources(ctx, paths, o)
	if err != nil {
		return Manifest{}, err
	}
	// Names are judged before gigabytes are read.
	names := make([]File, len(sources))
	for i, s := range sources {
		names[i] = File{Name: s.name, Digest: tallystick.DigestOf(nil), Size: s.info.Size()}
	}
	if _, err := NewManifest(names); err != nil {
		return Manifest{}, err
	}
	files, err := hashAll(ctx, sources, o)
	if err != nil {
		return Manifest{}, err
	}
	return NewManifest(files)
}

// HashStream reads r to its end, in constant memory, and returns the file that name would be. The
// caller keeps the bytes, if it wants them, by way of [io.TeeReader]. Progress is told a total of 0.
func HashStream(ctx context.Context, name string, r io.Reader, progress func(done, total int64)) (File, error) {
	if err := ValidateFileName(name); err != nil {
		return File{}, err
	}
	m := &meter{report: progress}
	digest, size, err := hashReader(ctx, r, m, make([]byte, hashBuffer))
	if err != nil {
		return File{}, fmt.Errorf("hash %q: %w", name, err)
	}
	m.finish()
	return File{Name: name, Digest: digest, Size: size}, nil
}

// Check hashes the directory or file at path and returns a Conflict error that names the first
// file that differs from m, is missing or is not in m; see [Changes.Err].
func Check(ctx context.Context, path string, m Manifest, o HashOptions) error {
	found, err := Hash(ctx, []string{path}, o)
	if err != nil {
		return err
	}
	return Compare(m, found).Err()
}

func hashAll(ctx context.Context, sources []source, o HashOptions) ([]File, error) {
	m := &meter{report: o.Progress}
	for _, s := range sources {
		m.total += s.info.Size()
	}
	// The largest first, so that no core is left alone with one at the end.
	order := make([]int, len(sources))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(sources[b].info.Size(), sources[a].info.Size())
	})
	workers := cmp.Or(max(o.Workers, 0), runtime.GOMAXPROCS(0))
	work := make(chan int)
	files := make([]File, len(sources))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(work)
		for _, i := range order {
			select {
			case work <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range min(workers, len(sources)) {
		g.Go(func() error {
			buf := make([]byte, hashBuffer)
			for i := range work {
				f, err := sources[i].hash(ctx, m, buf)
				if err != nil {
					return err
				}
				files[i] = f
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	m.finish()
	return files, nil
}

// hash reads the file and refuses one that is not, before and after, what was found when the
// directory was listed.
func (s source) hash(ctx context.Context, m *meter, buf []byte) (File, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return File{}, fmt.Errorf("hash: %w", err)
	}
	defer f.Close()
	if err := s.unchanged(f.Stat()); err != nil {
		return File{}, err
	}
	digest, size, err := hashReader(ctx, f, m, buf)
	if err != nil {
		return File{}, fmt.Errorf("hash %q: %w", s.path, err)
	}
	if size != s.info.Size() {
		return File{}, s.errChanged()
	}
	if err := s.unchanged(f.Stat()); err != nil {
		return File{}, err
	}
	// The name may lead to another file by now.
	if err := s.unchanged(os.Stat(s.path)); err != nil {
		return File{}, err
	}
	return File{Name: s.name, Digest: digest, Size: size}, nil
}

func (s source) unchanged(now fs.FileInfo, err error) error {
	if err != nil {
		return fmt.Errorf("hash: %w", err)
	}
	if !os.SameFile(s.info, now) || now.Size() != s.info.Size() || !now.ModTime().Equal(s.info.ModTime()) {
		return s.errChanged()
	}
	return nil
}

func (s source) errChanged() error {
	return tallystick.Errorf(tallystick.Conflict, "file %q changed while it was read", s.path).
		WithHint("wait until nothing writes to it, or hash a copy")
}

// hashReader uses buf for reading. It looks at ctx before every read.
func hashReader(ctx context.Context, r io.Reader, m *meter, buf []byte) (tallystick.Digest, int64, error) {
	h := sha256.New()
	var size int64
	for {
		if err := ctx.Err(); err != nil {
			return "", size, err
		}
		n, err := r.Read(buf)
		h.Write(buf[:n])
		size += int64(n)
		m.add(int64(n))
		if err == io.EOF {
			return tallystick.Digest("sha256:" + hex.EncodeToString(h.Sum(nil))), size, nil
		}
		if err != nil {
			return "", size, err
		}
	}
}

// meterStep is how many bytes pass between two reports.
const meterStep = 16 << 20

// meter counts bytes of all workers and reports each step once.
type meter struct {
	report func(done, total int64)
	total  int64 // before the workers start

	mu       sync.Mutex // of what follows
	done     int64
	reported int64
}

func (m *meter) add(n int64) {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done += n
	if m.done-m.reported >= meterStep {
		m.reported = m.done
		m.report(m.done, m.total)
	}
}

// finish reports the bytes since the last step.
func (m *meter) finish() {
	if m.report == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done != m.reported || m.done == 0 {
		m.reported = m.done
		m.report(m.done, m.total)
	}
}
