package client

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// expectFrom is from how many bytes on a body waits for the server to want it, so that one that is
// refused is not sent first.
const expectFrom = 64 << 10

// Put asks that what stands at path becomes in.
func (c *Client) Put(ctx context.Context, path string, in, out any) (Receipt, error) {
	return c.call(ctx, http.MethodPut, path, in, out)
}

// Upload sends size bytes to path as they are, in constant memory, and reads the answer into out, which
// may be nil. open is called for each try. A path that ends in the digest of the bytes makes a repetition
// harmless.
func (c *Client) Upload(ctx context.Context, path string, size int64, open func() (io.ReadCloser, error), out any) error {
	return repeat(ctx, func() error {
		body, err := open()
		if err != nil {
			return err
		}
		r, err := c.request(ctx, http.MethodPut, path, body)
		if err != nil {
			_ = body.Close() // nothing was read from it
			return err
		}
		r.ContentLength = size
		if size == 0 {
			end := exactly(body, 0).end()
			_ = body.Close() // nothing is to be read from it
			if !errors.Is(end, io.EOF) {
				return end
			}
			r.Body = http.NoBody
		}
		if size >= expectFrom {
			r.Header.Set("Expect", "100-continue")
		}
		r.Header.Set("Content-Type", "application/octet-stream")
		response, err := c.send(c.long, r)
		if err != nil {
			return err
		}
		return c.read(response, out)
	})
}

// Download begins to read the bytes at path, which the caller closes. An error in the middle is one of
// Read: what came before it is not all.
func (c *Client) Download(ctx context.Context, path string) (io.ReadCloser, error) {
	r, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/octet-stream, application/problem+json")
	response, err := c.send(c.http, r)
	if err == nil && response.StatusCode/100 == 2 {
		return response.Body, nil
	}
	if err == nil {
		err = c.read(response, nil)
	}
	if once := (passing{}); errors.As(err, &once) {
		err = once.error
	}
	return nil, err
}
