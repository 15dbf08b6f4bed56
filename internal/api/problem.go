package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
)

// Problem is a problem document (RFC 9457) with what a person, or our client, does about it.
type Problem struct {
	huma.ErrorModel
	Code    string `json:"code" doc:"class of the error: invalid, unauthorized, forbidden, not_found, conflict, unavailable or internal"`
	Hint    string `json:"hint,omitempty" doc:"what to do about it"`
	headers http.Header
}

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// refusal makes a problem of ours from what was found wrong with a request before it came to us.
func refusal(_ huma.Context, _ string, v any) (any, error) {
	found, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &Problem{ErrorModel: *found, Code: string(tallystick.Invalid), Hint: "what the operation takes is in " + Prefix + "/openapi.json"}
	for _, code := range []tallystick.Code{tallystick.Unauthorized, tallystick.Forbidden, tallystick.NotFound, tallystick.Conflict, tallystick.Unavailable, tallystick.Internal} {
		if code.HTTPStatus() == found.Status {
			p.Code = string(code)
		}
	}
	return p, nil
}

// problem returns the answer to a request that failed, as an operation returns it.
func (s *server) problem(err error) error { return s.explain(err) }

// explain returns the problem document of an error. What is our own fault is told to the log alone.
func (s *server) explain(err error) *Problem {
	code := tallystick.CodeOf(err)
	p := &Problem{Code: string(code), headers: http.Header{}}
	p.Status = code.HTTPStatus()
	p.Title = http.StatusText(p.Status)
	p.Detail, p.Hint = tallystick.Words(err)
	switch code {
	case tallystick.Internal:
		id := tallystick.NewID(s.Now())
		s.Logger.Error("a request failed", slog.String("instance", id), slog.Any("error", err))
		p.Detail, p.Instance = "a fault of ours; its cause is in the server's log under this instance", "urn:uuid:"+id
	case tallystick.Unauthorized:
		p.headers.Set("WWW-Authenticate", `Bearer realm="tallystick"`)
	case tallystick.Unavailable:
		p.headers.Set("Retry-After", "1")
	}
	return p
}

// strayed answers requests that are for no operation: 404, or 405 if the path takes another method.
func (s *server) strayed(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var others []string
		for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); pattern != elsewhere {
				others = append(others, method)
			}
		}
		err := tallystick.Errorf(tallystick.NotFound, "the API has nothing at %.200q", r.URL.Path)
		p := s.explain(err.WithHint("what there is stands in %s/openapi.json", Prefix))
		if len(others) > 0 {
			p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
			p.Code, p.Detail = string(tallystick.Invalid), fmt.Sprintf("%s does not take %.20q", r.URL.Path, r.Method)
			p.headers.Set("Allow", strings.Join(others, ", "))
		}
		s.write(w, p)
	}
}
