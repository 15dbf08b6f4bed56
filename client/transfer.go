package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Put asks that what stands at path becomes in.
func (c *Client) Put(ctx context.Context, path string, in, out any) (Receipt, error) {
	return c.call(ctx, http.MethodPut, path, in, out)
}

// Upload sends size bytes to path as they are, in constant memory, and reads the answer into out, which
// may be nil. open is called for each try. A path that ends in the digest of the bytes makes a repetition
// harmless.
func (c *Client) Upload(ctx context.Context, path string, size int64, open func() (io.ReadCloser, error), out any) error {
	wait := firstWait
	for try := 1; ; try++ {
		again, err := c.uploadOnce(ctx, path, size, open, out)
		if err == nil || !again || try == tries {
			return err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return err
		}
	}
}

func (c *Client) uploadOnce(ctx context.Context, path string, size int64, open func() (io.ReadCloser, error), out any) (again bool, err error) {
	body, err := open()
	if err != nil {
		return false, err
	}
	r, err := c.request(ctx, http.MethodPut, path, body)
	if err != nil {
		_ = body.Close() // nothing was read from it
		return false, err
	}
	r.ContentLength = size
	if size == 0 {
		_ = body.Close() // likewise
		r.Body = http.NoBody
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	response, err := c.http.Do(r)
	if err != nil {
		return true, unreachable(c.config.Server, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return true, unreachable(c.config.Server, err)
	}
	if response.StatusCode/100 != 2 {
		return response.StatusCode == http.StatusServiceUnavailable, problem(response, answer)
	}
	if out == nil {
		return false, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return false, fmt.Errorf("PUT %s: read the answer: %w", path, err)
	}
	return false, nil
}

// Download begins to read the bytes at path, which the caller closes. An error in the middle is one of
// Read: what came before it is not all.
func (c *Client) Download(ctx context.Context, path string) (io.ReadCloser, error) {
	r, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/octet-stream, application/problem+json")
	response, err := c.http.Do(r)
	if err != nil {
		return nil, unreachable(c.config.Server, err)
	}
	if response.StatusCode/100 == 2 {
		return response.Body, nil
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, unreachable(c.config.Server, err)
	}
	return nil, problem(response, answer)
}
