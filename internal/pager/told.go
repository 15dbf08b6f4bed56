package pager

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/internal/durable"
)

// toldFor is how long it is known what was told. A repeat interval beyond it repeats sooner.
const toldFor = 5 * 24 * time.Hour

// Told is the log of what was told to whom, in a file. It holds an entry for each group and receiver of the last five days.
type Told struct {
	log  *nflog.Log
	path string
	mu   sync.Mutex // while the file is written
}

// OpenTold opens the log of a directory. One that cannot be read is put aside: it is better to tell twice than never.
func OpenTold(dir string, metrics prometheus.Registerer, logger *slog.Logger) (*Told, error) {
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("log of notifications: %w", err)
	}
	path := filepath.Join(dir, "told")
	open := func(r io.Reader) (*nflog.Log, error) {
		return nflog.New(nflog.Options{SnapshotReader: r, Retention: toldFor, Logger: logger, Metrics: metrics})
	}
	file, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		log, err := open(nil)
		return &Told{log: log, path: path}, err
	case err != nil:
		return nil, fmt.Errorf("log of notifications: %w", err)
	}
	log, err := open(file)
	_ = file.Close()              // it was read
	if err != nil && log != nil { // it is empty then
		logger.Warn("the log of notifications cannot be read: it is put aside, and what fires is told again", slog.String("file", path), slog.Any("error", err))
		if err := os.Rename(path, path+".damaged"); err != nil {
			return nil, fmt.Errorf("log of notifications: %w", err)
		}
		err = nil
	}
	return &Told{log: log, path: path}, err
}

// Log notes what a receiver was told, and returns when that is durable.
func (t *Told) Log(r *nflogpb.Receiver, group string, firing, resolved []uint64, store *nflog.Store, expiry time.Duration) error {
	if err := t.log.Log(r, group, firing, resolved, store, expiry); err != nil {
		return err
	}
	return t.save()
}

// Query returns what a receiver was told of a group.
func (t *Told) Query(params ...nflog.QueryParam) ([]*nflogpb.Entry, error) {
	return t.log.Query(params...)
}

func (t *Told) save() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := durable.WriteFile(t.path, 0o600, func(w io.Writer) error {
		_, err := t.log.Snapshot(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("log of notifications: %w", err)
	}
	return nil
}

// sweep forgets what is old.
func (t *Told) sweep() error {
	if _, err := t.log.GC(); err != nil {
		return fmt.Errorf("log of notifications: %w", err)
	}
	return t.save()
}
