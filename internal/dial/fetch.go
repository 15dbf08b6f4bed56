package dial

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/tallystick/tallystick"
)

// maxRedirects is how often Fetch lets itself be sent elsewhere.
const maxRedirects = 5

// Fetch gets the file at rawURL, or where its host says that it is: every redirect is looked at like
// the first request, few are followed, and none from https to http. Any answer but 200 is an error.
// The caller closes the body, which ends as that of Do does.
func (c *Client) Fetch(ctx context.Context, rawURL string) (*http.Response, error) {
	for range maxRedirects + 1 {
		answer, err := c.Get(ctx, rawURL)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode == http.StatusOK {
			return answer, nil
		}
		next, err := redirected(answer)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return nil, err
		}
		rawURL = next
	}
	return nil, tallystick.Errorf(tallystick.Invalid, "more than %d redirects", maxRedirects).WithHint("give the URL to which they lead")
}

// redirected returns where an answer points to, or the error that it is.
func redirected(answer *http.Response) (string, error) {
	from := answer.Request.URL
	source := from.Scheme + "://" + from.Host
	switch answer.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	case http.StatusNotFound, http.StatusGone:
		return "", tallystick.Errorf(tallystick.NotFound, "%.200s answered %.100s", source, answer.Status).WithHint("check the URL")
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "", tallystick.Errorf(tallystick.Unavailable, "%.200s answered %.100s", source, answer.Status).WithHint("try again later")
	default:
		return "", tallystick.Errorf(tallystick.Invalid, "%.200s answered %.100s", source, answer.Status).
			WithHint("the file must be there for everybody who may reach the host; download it yourself if it takes credentials")
	}
	to, err := answer.Location()
	if err != nil {
		return "", tallystick.Errorf(tallystick.Invalid, "%.200s answered %.100s and does not say where to", source, answer.Status)
	}
	if from.Scheme == "https" && to.Scheme != "https" {
		return "", tallystick.Errorf(tallystick.Forbidden, "%.200s redirects from https to %.20q", source, to.Scheme)
	}
	return to.String(), nil
}

// Shown returns what can be told of a URL to everybody: without its query, in which secrets are, and
// without a fragment. One with credentials is an Invalid error.
func Shown(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Opaque != "" || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", tallystick.Errorf(tallystick.Invalid, "%.200q is no URL of a file", redacted(rawURL)).WithHint("write https://host/path")
	}
	if u.User != nil {
		return "", tallystick.Errorf(tallystick.Invalid, "the URL carries credentials, which would be on record").
			WithHint("download the file yourself and register it from there")
	}
	u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = "", false, "", ""
	return u.String(), nil
}
