package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	attemptTime = 20 * time.Second // of one attempt, by whatever channel
	maxAnswer   = 64 << 10         // bytes of an answer that are read and thrown away
	maxWait     = time.Hour        // that a receiver can ask for
)

// fault is why an attempt failed.
type fault struct {
	err    error
	status int           // that the receiver answered; 0: none
	wait   time.Duration // that it asks for; 0: none
	gone   bool          // it says that it is there no longer
}

// post sends one request to a receiver and returns the status of its answer, of which nothing else is
// looked at.
func (c *Courier) post(ctx context.Context, to Address, headers map[string]string, body []byte) (int, *fault) {
	if c.config.Client == nil {
		return 0, &fault{err: tallystick.Errorf(tallystick.Unavailable, "this server sends nothing out")}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return 0, &fault{err: tallystick.Errorf(tallystick.Invalid, "the address is no URL")} // without the cause, which repeats it
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	if to.Authorization != "" {
		r.Header.Set("Authorization", to.Authorization)
	}
	r.Header.Set("User-Agent", "tallystick")
	answer, err := c.config.Client.Do(r)
	if err != nil {
		return 0, &fault{err: err}
	}
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer) // so that the connection can be used again
	_ = answer.Body.Close()                             // nothing more is wanted of it
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return answer.StatusCode, nil
	}
	f := &fault{status: answer.StatusCode, gone: answer.StatusCode == http.StatusGone, err: fmt.Errorf("the receiver answered %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))}
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		f.err = fmt.Errorf("%w: redirects are not followed, give the address that it leads to", f.err)
	}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		f.wait = min(time.Duration(min(seconds, int(maxWait/time.Second)))*time.Second, maxWait)
	}
	return answer.StatusCode, f
}

// messageID names a notification towards its receiver: the same at each attempt, whatever happened
// between.
func messageID(subscription, event string) string {
	return "msg_" + subscription[len(subscriptionPrefix):] + "_" + event
}

// webhookHeaders are those of Standard Webhooks 1.0.
func webhookHeaders(id string, at time.Time, secrets []Secret, body []byte, kind string) map[string]string {
	return map[string]string{
		"Content-Type": kind, "Webhook-Id": id, "Webhook-Timestamp": strconv.FormatInt(at.Unix(), 10),
		"Webhook-Signature": signatures(secrets, id, at, body),
	}
}
