package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
)

type principalKey struct{}

// identify finds out who asks: nobody, if no token was sent.
func (s *server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := s.principal(r)
		if err != nil {
			s.refuse(w, err)
			return
		}
		known := r.WithContext(context.WithValue(r.Context(), principalKey{}, p))
		next.ServeHTTP(w, known)
		r.Pattern = known.Pattern // for whoever counts requests by what they asked for
	})
}

func (s *server) principal(r *http.Request) (access.Principal, error) {
	if s.Local != nil {
		return *s.Local, nil
	}
	sent := r.Header.Get("Authorization")
	if sent == "" {
		return access.Principal{}, nil
	}
	scheme, token, _ := strings.Cut(sent, " ")
	if _, password, basic := r.BasicAuth(); basic {
		token = password // of those who can say nothing but an address, as webhooks of Flagger: https://token:TOKEN@...
	} else if !strings.EqualFold(scheme, "bearer") {
		return access.Principal{}, tallystick.Errorf(tallystick.Unauthorized, "the header Authorization has the scheme %.32q", scheme).WithHint("send Authorization: Bearer TOKEN")
	}
	return s.Access.Authenticate(r.Context(), token)
}

// caller returns who asks.
func caller(ctx context.Context) access.Principal {
	p, _ := ctx.Value(principalKey{}).(access.Principal)
	return p
}

// refuse answers before the API has taken the request.
func (s *server) refuse(w http.ResponseWriter, err error) { s.write(w, s.explain(err)) }

func (s *server) write(w http.ResponseWriter, p *Problem) {
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller may have gone
}
