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
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	prefix    = "/api/v1"
	maxAnswer = 64 << 20 // bytes of JSON
	tries     = 4        // of a request that is safe to repeat
	firstWait = 200 * time.Millisecond
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
}

// New returns a client, or an Invalid error if config.Server is not the URL of a server. A token goes
// out over plain HTTP only to this machine.
func New(config Config) (*Client, error) {
	u, err := url.Parse(config.Server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "server %q is not the URL of a server", config.Server).WithHint("write https://host or http://127.0.0.1:8750")
	}
	if host := u.Hostname(); u.Scheme == "http" && config.Token != "" && host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return nil, tallystick.Errorf(tallystick.Invalid, "server %q would get the token in the clear", config.Server).WithHint("use https")
	}
	transport := config.Transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.ResponseHeaderTimeout = time.Minute
		own.MaxIdleConnsPerHost = 64
		transport = own
	}
	return &Client{
		config: config, base: u.Scheme + "://" + u.Host + prefix,
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
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

// Patch asks for a change of what stands at path.
func (c *Client) Patch(ctx context.Context, path string, in, out any) (Receipt, error) {
	return c.call(ctx, http.MethodPatch, path, in, out)
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

// List reads a list page by page, at most limit items, 0 meaning all.
func List[T any](ctx context.Context, c *Client, path string, query url.Values, limit int) (items []T, err error) {
	query = clone(query)
	for {
		var page Page[T]
		if err := c.Get(ctx, path+"?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if limit > 0 && len(items) >= limit {
			return items[:limit], nil
		}
		if page.Next == "" {
			return items, nil
		}
		query.Set("after", page.Next)
	}
}

func clone(query url.Values) url.Values {
	copied := url.Values{}
	for name, values := range query {
		copied[name] = append([]string(nil), values...)
	}
	return copied
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) (receipt Receipt, err error) {
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
	wait := firstWait
	for try := 1; ; try++ {
		again, err := c.once(ctx, method, path, key, body, out, &receipt)
		if err == nil || !again || try == tries {
			return receipt, err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return receipt, err
		}
	}
}

// once sends one request. again says that another try can help.
func (c *Client) once(ctx context.Context, method, path, key string, body []byte, out any, receipt *Receipt) (again bool, err error) {
	r, err := c.request(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return true, unreachable(c.config.Server, err)
	}
	defer response.Body.Close()
	*receipt = Receipt{
		Event: response.Header.Get("Tallystick-Event"), Sequence: response.Header.Get("Tallystick-Sequence"),
		Repeated: response.Header.Get("Tallystick-Repeated") == "true",
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return true, unreachable(c.config.Server, err)
	}
	if response.StatusCode/100 != 2 {
		return response.StatusCode == http.StatusServiceUnavailable, problem(response, answer)
	}
	if len(answer) > maxAnswer {
		return false, fmt.Errorf("%s %s: the answer is larger than %d bytes", method, path, maxAnswer)
	}
	if out == nil || len(answer) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return false, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return false, nil
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

func unreachable(server string, err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return tallystick.Errorf(tallystick.Unavailable, "server %s cannot be reached: %w", server, err).WithHint("is `tallystick serve` running there?")
}

// problem returns the error of a problem document.
func problem(response *http.Response, body []byte) error {
	var p struct {
		Detail, Title, Hint string
		Code                tallystick.Code
		Instance            string
		Errors              []struct{ Message, Location string }
	}
	if json.Unmarshal(body, &p) != nil || p.Title == "" {
		return tallystick.Errorf(codeOf(response.StatusCode), "the server answered %s", response.Status)
	}
	if p.Code == "" {
		p.Code = codeOf(response.StatusCode)
	}
	message := p.Detail
	for _, e := range p.Errors {
		message += fmt.Sprintf("; %s: %s", strings.TrimPrefix(e.Location, "body."), e.Message)
	}
	if p.Instance != "" {
		message += " (" + p.Instance + ")"
	}
	err := tallystick.Errorf(p.Code, "%s", message)
	if p.Hint != "" {
		err = err.WithHint("%s", p.Hint)
	}
	return err
}

// codeOf returns the code of an answer that does not say its own.
func codeOf(status int) tallystick.Code {
	switch status {
	case http.StatusUnauthorized:
		return tallystick.Unauthorized
	case http.StatusForbidden:
		return tallystick.Forbidden
	case http.StatusNotFound:
		return tallystick.NotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return tallystick.Conflict
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return tallystick.Unavailable
	}
	if status/100 == 4 {
		return tallystick.Invalid
	}
	return tallystick.Internal
}
