package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tallystick/tallystick"
)

// problem returns the error of a problem document.
func problem(response *http.Response, body []byte) error {
	var p struct {
		Detail, Title, Hint string
		Code                tallystick.Code
		Instance            string
		Errors              []struct{ Message, Location string }
		Rejected            []Rejection
	}
	if to, err := response.Location(); err == nil && response.StatusCode/100 == 3 {
		return tallystick.Errorf(tallystick.Invalid, "the server answered %s and points to %s://%s", response.Status, to.Scheme, to.Host).
			WithHint("if that is the server, name it; nothing was sent there")
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
	if len(p.Rejected) > 0 {
		err.Err = &RejectedError{p.Rejected}
	}
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
