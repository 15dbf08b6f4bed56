package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	firstPause = time.Second
	lastPause  = time.Minute // unless the server asks for more
)

// Run sends what waits until ctx ends, which is no error. While the server cannot be reached, has no room or
// does not let the sender in, everything waits and is tried again: after the time that the server asks for,
// else after a second, and twice as long each time up to a minute. A disk that fails ends it.
func (p *Predictions) Run(ctx context.Context) error {
	pause := firstPause
	for {
		b, ok := p.first()
		if !ok {
			select {
			case <-p.wake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		err := p.send(ctx, b)
		if ctx.Err() != nil {
			return nil
		}
		var again passing
		switch {
		case err == nil:
			pause = firstPause
			continue
		case !errors.As(err, &again):
			return err
		}
		p.config.Trouble(again.error)
		if err := p.config.wait(ctx, max(again.wait, pause/2+rand.N(pause))); err != nil { //nolint:gosec // chance is enough for not all to come back at once
			return nil //nolint:nilerr // ctx has ended
		}
		pause = min(2*pause, lastPause)
	}
}

// answered is what a server says of a batch.
type answered struct {
	Rejected []Rejection `json:"rejected"`
}

// send sends a batch and takes it out of the queue, unless it is to be tried again, which is a passing error.
func (p *Predictions) send(ctx context.Context, b waiting) error {
	path := filepath.Join(p.config.Dir, b.name)
	packed, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read a batch of predictions: %w", err)
	}
	c := p.config.Client
	r, err := c.request(ctx, http.MethodPost, "/predictions", bytes.NewReader(packed))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Content-Encoding", "gzip")
	r.Header.Set("Batch-Id", b.id())
	response, err := c.send(c.http, r)
	if err != nil {
		return waits(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return waits(c.unreachable(r, err))
	}
	var told answered
	status := response.StatusCode
	if json.Unmarshal(body, &told) != nil && status/100 == 2 {
		return waits(tallystick.Errorf(tallystick.Unavailable, "the server answered %s, and not as it should", response.Status))
	}
	switch {
	case status/100 == 2 && len(told.Rejected) == 0:
		return p.drop(0)
	case status/100 == 2 || status == http.StatusUnprocessableEntity:
		return p.reject(b, packed, told.Rejected, nil)
	case status == http.StatusBadRequest || status == http.StatusConflict || status == http.StatusRequestEntityTooLarge:
		return p.reject(b, packed, nil, problem(response, body))
	}
	return waits(refused(response, problem(response, body)))
}

// waits makes an error one after which the batch is tried again.
func waits(err error) error {
	var again passing
	if errors.As(err, &again) {
		return again
	}
	return passing{error: err}
}

// putAside is one line of a file in rejected.
type putAside struct {
	Batch  string          `json:"batch"`
	Reason string          `json:"reason"`
	Record json.RawMessage `json:"record"`
}

// reject keeps what the server did not take of a batch, with the reasons: some records, or all for one cause.
func (p *Predictions) reject(b waiting, packed []byte, rejected []Rejection, cause error) error {
	text, err := unpack(packed)
	if err != nil { // the disk has changed it
		if err := putAway(filepath.Join(p.rejected, b.name), packed); err != nil {
			return fmt.Errorf("keep damaged predictions: %w", err)
		}
		p.config.Trouble(fmt.Errorf("batch of predictions %s is damaged: %w", b.name, err))
		return p.drop(b.size)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if cause != nil {
		for i := range lines {
			rejected = append(rejected, Rejection{Index: i, Code: tallystick.CodeOf(cause), Message: cause.Error()})
		}
	}
	var away bytes.Buffer
	for _, r := range rejected {
		if r.Index < 0 || r.Index >= len(lines) {
			return waits(tallystick.Errorf(tallystick.Unavailable, "the server rejected prediction %d of %d", r.Index, len(lines)))
		}
		line, err := json.Marshal(putAside{b.id(), r.Message, json.RawMessage(lines[r.Index])})
		if err != nil {
			return fmt.Errorf("batch of predictions %s: %w", b.name, err)
		}
		away.Write(append(line, '\n'))
	}
	if err := putAway(filepath.Join(p.rejected, strings.TrimSuffix(b.name, suffix)+".ndjson"), away.Bytes()); err != nil {
		return fmt.Errorf("keep rejected predictions: %w", err)
	}
	if len(rejected) > 0 {
		p.config.Trouble(tallystick.Errorf(rejected[0].Code, "the server did not take %d of %d predictions of the batch %s, the first because %s", len(rejected), len(lines), b.id(), rejected[0].Message).
			WithHint("they are in %s", p.rejected))
	}
	return p.drop(int64(away.Len()))
}

func pack(lines []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(lines); err != nil {
		return nil, err
	}
	err := w.Close()
	return packed.Bytes(), err
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxBatchSize+1))
}

// putAway makes a file durable, whole or not at all.
func putAway(path string, content []byte) (err error) {
	part := path + ".part"
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(part))
		}
	}()
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// syncDir makes the names in a directory durable, where a system has a way to ask for it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
