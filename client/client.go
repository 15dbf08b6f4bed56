// Package client talks to a Tallystick server. It depends on the standard library and on the module's
// root only.
//
//	c, err := client.New(client.Config{Server: "https://tallystick.example.org", Token: os.Getenv("TALLYSTICK_TOKEN")})
//	var model struct{ Name, Tier string }
//	err = c.Get(ctx, "/models/credit", &model)
//
// Paths are those of the OpenAPI document at /api/v1/openapi.json, without /api/v1. Errors that the
// server tells are *tallystick.Error with its code, message and hint.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	prefix    = "/api/v1"
	maxAnswer = 64 << 20 // bytes of JSON
)

// Config says which server, and as whom. Server is required.
type Config struct {
	Server string // such as https://tallystick.example.org; without a path
	Token  string
	// Transport carries the requests; nil means a transport of its own with time-outs.
	Transport http.RoundTripper
	UserAgent string
	// Purpose is what the caller's acts and downloads are for; it goes on the trail.
	Purpose string
}

// Client is safe for use by many goroutines.
type Client struct {
	config Config
	base   string
	http   *http.Client
	long   *http.Client // for what takes a server long to answer
}

// New returns a client, or an Invalid error if config.Server is not the URL of a server. Plain HTTP is
// for this machine alone: over it tokens, passphrases and what a server answers could be read on the way.
func New(config Config) (*Client, error) {
	u, err := url.Parse(config.Server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "server %q is not the URL of a server", config.Server).WithHint("write https://host or http://127.0.0.1:8750")
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, tallystick.Errorf(tallystick.Invalid, "server %q would get tokens and passphrases in the clear", config.Server).WithHint("use https")
	}
	direct := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a redirect gets no token
	quick, patient := config.Transport, config.Transport
	if quick == nil {
		quick, patient = transport(answerWait), transport(longWait)
	}
	return &Client{
		config: config, base: u.Scheme + "://" + u.Host + prefix,
		http: &http.Client{Transport: quick, CheckRedirect: direct}, long: &http.Client{Transport: patient, CheckRedirect: direct},
	}, nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// transport returns one that waits so long from the end of a request to the beginning of its answer.
func transport(wait time.Duration) *http.Transport {
	own := http.DefaultTransport.(*http.Transport).Clone()
	own.ResponseHeaderTimeout = wait
	own.MaxIdleConnsPerHost = 64
	return own
}

// Receipt is the place of an act on the trail. It is zero if nothing had to be changed.
type Receipt struct {
	Event    string // id
	Sequence string
	Repeated bool // the server had done it before, for the same idempotency key
}

// Get reads path into out.
func (c *Client) Get(ctx context.Context, path string, out any) error {
	_, err := c.call(ctx, http.MethodGet, path, nil, out)
	return err
}

// Post asks for an act and reads the answer into out, which may be nil. It is repeated after a fault of the
// way, with the same idempotency key, so that the act happens once.
func (c *Client) Post(ctx context.Context, path string, in, out any) (Receipt, error) {
	return c.call(ctx, http.MethodPost, path, in, out)
}

// Await is Post of what takes a server long, such as to fetch a file.
func (c *Client) Await(ctx context.Context, path string, in, out any) (Receipt, error) {
	patient := *c
	patient.http = c.long
	return patient.call(ctx, http.MethodPost, path, in, out)
}

// Patch asks for a change of what stands at path.
func (c *Client) Patch(ctx context.Context, path string, in, out any) (Receipt, error) {
	return c.call(ctx, http.MethodPatch, path, in, out)
}

// PatchIf asks for a change of what stands at path, if that is still as it was when its header ETag was
// tag. Otherwise it is a Conflict.
func (c *Client) PatchIf(ctx context.Context, path, tag string, in, out any) (Receipt, error) {
	return c.call(ctx, http.MethodPatch, path, in, out, "If-Match", tag)
}

// Delete asks that what stands at path ends.
func (c *Client) Delete(ctx context.Context, path string, out any) (Receipt, error) {
	return c.call(ctx, http.MethodDelete, path, nil, out)
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// Items reads a list as it is walked, page by page. An error ends it.
func Items[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		query := clone(query)
		for {
			var page Page[T]
			err := c.Get(ctx, path+"?"+query.Encode(), &page)
			if err == nil && page.Next != "" && page.Next == query.Get("after") {
				err = fmt.Errorf("GET %s: the page after %q is that page again", path, page.Next)
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			query.Set("after", page.Next)
		}
	}
}

// List reads a list page by page, at most limit items, 0 meaning all.
func List[T any](ctx context.Context, c *Client, path string, query url.Values, limit int) (items []T, err error) {
	for item, err := range Items[T](ctx, c, path, query) {
		if err != nil {
			return nil, err
		}
		if items = append(items, item); len(items) == limit {
			break
		}
	}
	return items, nil
}

func clone(query url.Values) url.Values {
	copied := url.Values{}
	for name, values := range query {
		copied[name] = append([]string(nil), values...)
	}
	return copied
}

// call asks for in and reads the answer into out. header is pairs of a name and a value.
func (c *Client) call(ctx context.Context, method, path string, in, out any, header ...string) (receipt Receipt, err error) {
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return receipt, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	key := ""
	if method != http.MethodGet {
		key = rand.Text()
	}
	err = repeat(ctx, func() error {
		r, err := c.request(ctx, method, path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		if body != nil {
			r.Header.Set("Content-Type", "application/json")
		}
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		response, err := c.send(c.http, r)
		if err != nil {
			return err
		}
		receipt = receiptOf(response)
		return c.read(response, out)
	})
	return receipt, err
}

func receiptOf(response *http.Response) Receipt {
	return Receipt{
		Event: response.Header.Get("Tallystick-Event"), Sequence: response.Header.Get("Tallystick-Sequence"),
		Repeated: response.Header.Get("Tallystick-Repeated") == "true",
	}
}

// read reads an answer into out, or returns the error that it tells.
func (c *Client) read(response *http.Response, out any) error {
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return c.unreachable(response.Request, err)
	}
	if response.StatusCode/100 != 2 {
		return refused(response, problem(response, answer))
	}
	of := response.Request.Method + " " + strings.TrimPrefix(response.Request.URL.Path, prefix)
	if len(answer) > maxAnswer {
		return fmt.Errorf("%s: the answer is larger than %d bytes", of, maxAnswer)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: read the answer: %w", of, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	r.Header.Set("Accept", "application/json")
	if c.config.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.config.Token)
	}
	if c.config.UserAgent != "" {
		r.Header.Set("User-Agent", c.config.UserAgent)
	}
	if c.config.Purpose != "" {
		r.Header.Set("Tallystick-Purpose", c.config.Purpose)
	}
	return r, nil
}
