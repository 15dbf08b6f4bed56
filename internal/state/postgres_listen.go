package state

import (
	"context"
	"log/slog"
	"time"
)

const (
	listenPause = time.Second      // before a lost connection is made again
	listenQuiet = 30 * time.Second // after which the connection is tried
)

func (d *postgresDB) listen(ctx context.Context, changed func()) {
	for ctx.Err() == nil {
		if err := d.listenOnce(ctx, changed); err != nil && ctx.Err() == nil {
			d.config.Logger.WarnContext(ctx, "listen for changes", slog.String("database", d.name), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenPause):
		}
	}
}

// listenOnce listens on one connection until it is lost.
func (d *postgresDB) listenOnce(ctx context.Context, changed func()) error {
	conn, err := d.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing depends on it
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	changed() // there may have been changes before
	for {
		wait, cancel := context.WithTimeout(ctx, listenQuiet)
		_, err := conn.WaitForNotification(wait)
		quiet := wait.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			changed()
		case !quiet:
			return err
		default:
			if err := conn.Ping(ctx); err != nil {
				return err
			}
		}
	}
}
