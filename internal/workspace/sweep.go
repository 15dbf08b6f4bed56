package workspace

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/tallystick/tallystick/internal/blob"
)

// maxScratch bounds how many copies of interrupted backups go at once.
const maxScratch = 100

// sweep removes what processes have left behind that were killed: files that never got their name, and
// copies of the database for a backup. Whoever calls it holds the ledger, so that nobody else makes a
// backup. That something cannot be removed does no harm but to the space on the disk.
func (w *Workspace) sweep(ctx context.Context) {
	for name, store := range map[string]*blob.Store{artifactDir: w.Artifacts, evidenceDir: w.blobs, predictions: w.Segments} {
		swept, err := store.Sweep()
		if err != nil {
			w.cfg.Logger.WarnContext(ctx, "files of interrupted writes were not removed", slog.String("store", name), slog.Any("error", err))
		}
		if swept.Files > 0 {
			w.cfg.Logger.InfoContext(ctx, "files of interrupted writes were removed", slog.String("store", name), slog.Int("files", swept.Files), slog.Int64("bytes", swept.Bytes))
		}
	}
	removed := 0
	entries, err := os.ReadDir(w.cfg.Dir)
	for _, entry := range entries {
		if entry.IsDir() && strings.HasPrefix(entry.Name(), scratchPrefix) && removed < maxScratch {
			err = errors.Join(err, os.RemoveAll(w.path(entry.Name())))
			removed++
		}
	}
	if err != nil {
		w.cfg.Logger.WarnContext(ctx, "copies of interrupted backups were not removed", slog.Any("error", err))
	}
	if removed > 0 {
		w.cfg.Logger.InfoContext(ctx, "copies of interrupted backups were removed", slog.Int("copies", removed))
	}
}
