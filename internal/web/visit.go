package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// visit is one request, and what is known of who makes it.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	who     access.Principal // nobody until admitted
	session access.Secret
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// query returns a parameter of the address.
func (v *visit) query(name string) string { return v.r.URL.Query().Get(name) }

// discloses reports whether the visitor may see what is sealed.
func (v *visit) discloses() bool { return discloses(v.who) }

// admit lets in who is signed in and may do the action. Others are sent to sign in, or refused.
func (s *server) admit(v *visit, action access.Action) error {
	known, err := s.recognise(v)
	if err != nil {
		return err
	}
	if !known {
		return tallystick.Errorf(tallystick.Unauthorized, "nobody is signed in")
	}
	on, model := whole, v.r.PathValue("model")
	if model != "" {
		on = trail.Resource{Type: "model", ID: model}
	}
	return s.Registry.May(v.ctx(), registry.Command{Principal: v.who, Action: action, Resource: on, Model: model})
}

// handle answers requests by show. Errors become pages here and nowhere else.
func (s *server) handle(show func(*visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{w: w, r: r}
		w.Header().Set("Cache-Control", "no-store") // pages are for one person
		if err := show(v); err != nil {
			s.fail(v, err)
		}
	})
}

// problem is the page of an error.
type problem struct {
	Status  int
	Title   string
	Message string
	Hint    string
}

// fail shows the page of an error, or asks who is there. What is our own fault is told to the log
// alone.
func (s *server) fail(v *visit, err error) {
	code := tallystick.CodeOf(err)
	if code == tallystick.Unauthorized && v.r.Method == http.MethodGet {
		s.askWho(v)
		return
	}
	p := problem{Status: code.HTTPStatus(), Title: http.StatusText(code.HTTPStatus())}
	if code == tallystick.Internal {
		id := tallystick.NewID(s.Now())
		s.Logger.ErrorContext(v.ctx(), "a page failed", slog.String("instance", id), slog.String("path", v.r.URL.Path), slog.Any("error", err))
		p.Message, p.Hint = "A fault of ours.", "Its cause is in the server's log under "+id+"."
	} else {
		p.Message, p.Hint = words(err)
	}
	if code == tallystick.Unavailable {
		v.w.Header().Set("Retry-After", "1")
	}
	if err := s.render(v, "problem", p.Title, p.Status, p); err != nil {
		s.Logger.ErrorContext(v.ctx(), "the page of an error failed", slog.Any("error", err))
	}
}

// askWho sends the visitor to sign in and back. A link on another site comes without the cookie,
// which is strict: such a request is repeated once from here.
func (s *server) askWho(v *visit) {
	to := "/sign-in?" + url.Values{"next": {v.r.URL.RequestURI()}}.Encode()
	if v.r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		v.w.Header().Set("Refresh", "0; url="+v.r.URL.RequestURI())
		_ = s.render(v, "problem", "One moment", http.StatusOK, problem{Title: "One moment", Message: "The page opens."})
		return
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
}
