package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/durable"
)

func (a *app) download() *cobra.Command {
	var dir, format string
	cmd := &cobra.Command{
		Use:   "download MODEL@VERSION [FILE...] -o DIR",
		Short: "Download the files of a version; the trail keeps who, when and what for",
		Long: `Download writes the files of a version, or those named, into a directory. Every file is checked
against the digest that was registered, and only then gets its name. Models of tier high are read with
--purpose only.`,
		Example: `  tallystick download credit@3 -o model --purpose "validation of finding 12"
  tallystick download credit@3 model.safetensors -o .`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir == "" {
				return usageError(cmd, "--output is missing")
			}
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			got, err := a.runDownload(cmd.Context(), s, args, dir)
			if err = errors.Join(err, s.Close(cmd.Context(), true)); err != nil {
				return err
			}
			if format == "json" {
				return a.printJSON(got)
			}
			_, err = fmt.Fprintf(a.Out, "%d files, %d bytes of %s in %s; every digest is the registered one\n", len(got.Files), got.Bytes, got.Version, got.Directory)
			return err
		},
	}
	cmd.Flags().StringVarP(&dir, "output", "o", "", "`directory` to write into; it is made if there is none")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// downloaded is what came of a download, of which every digest is the registered one.
type downloaded struct {
	Version   string          `json:"version"` // MODEL@VERSION
	Directory string          `json:"directory"`
	Bytes     int64           `json:"bytes"`
	Files     []artifact.File `json:"files"`
}

func (a *app) runDownload(ctx context.Context, s *session, args []string, dir string) (got downloaded, err error) {
	model, version, err := versionName(args[0])
	if err != nil {
		return got, err
	}
	files, err := manifest(ctx, s, model, version)
	if err != nil {
		return got, err
	}
	for _, name := range args[1:] {
		if !slices.ContainsFunc(files, func(f artifact.File) bool { return f.Name == name }) {
			return got, tallystick.Errorf(tallystick.NotFound, "version %s has no file %q", args[0], name).WithHint("`tallystick version show %s` lists its files", args[0])
		}
	}
	if len(args) > 1 {
		files = slices.DeleteFunc(files, func(f artifact.File) bool { return !slices.Contains(args[1:], f.Name) })
	}
	progress := a.progress()
	defer progress.done()
	var done, total int64
	for _, f := range files {
		total += f.Size
	}
	for _, f := range files {
		// The name comes from a server: it must not lead out of dir.
		if err := artifact.ValidateFileName(f.Name); err != nil {
			return got, err
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if exists(path) {
			return got, tallystick.Errorf(tallystick.Conflict, "%s exists", path).WithHint("name an empty directory with --output")
		}
	}
	for _, f := range files {
		tell := func(n int64) { progress.show("downloading", done+n, total) }
		if err := fetch(ctx, s, versionPath(model, version), f, dir, tell); err != nil {
			return got, fmt.Errorf("download %s: %w", f.Name, err)
		}
		done += f.Size
	}
	return downloaded{Version: args[0], Directory: dir, Bytes: total, Files: files}, nil
}

// fetch downloads one file. It has its name only once its digest is right.
func fetch(ctx context.Context, s *session, version string, f artifact.File, dir string, tell func(n int64)) error {
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	r, err := s.Download(ctx, version+"/files/"+url.PathEscape(f.Name))
	if err != nil {
		return err
	}
	defer r.Close()
	if err := durable.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return durable.CreateFile(path, 0o644, func(w io.Writer) error {
		hash := sha256.New()
		n, err := io.Copy(io.MultiWriter(w, hash, teller(tell)), io.LimitReader(r, f.Size+1))
		if err != nil {
			return tallystick.Errorf(tallystick.Unavailable, "the connection broke after %d of %d bytes: %w", n, f.Size, err).WithHint("run the command again")
		}
		if got := tallystick.Digest(fmt.Sprintf("sha256:%x", hash.Sum(nil))); n != f.Size || got != f.Digest {
			return tallystick.Errorf(tallystick.Conflict, "what came has the digest %s, not %s, and was thrown away", got.Short(), f.Digest.Short()).
				WithHint("tell the people who run the server: its store is damaged, or it lies")
		}
		return nil
	})
}

// teller tells how much has been written to it.
func teller(tell func(n int64)) io.Writer { return &writeTeller{tell: tell} }

type writeTeller struct {
	n    int64
	tell func(n int64)
}

func (t *writeTeller) Write(p []byte) (int, error) {
	t.n += int64(len(p))
	t.tell(t.n)
	return len(p), nil
}
