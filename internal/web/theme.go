package web

import (
	"net/http"
	"strings"
)

const themeCookie = "tallystick_theme"

// themeOf returns what the reader has chosen, if anything. It is in a cookie that scripts may read
// and write, so that the page comes in the right colours at once.
func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// theme keeps the choice and goes back to the page.
func (s *server) theme(v *visit) error {
	//nolint:gosec // secure wherever the connection is, and for the script that switches at once to write
	c := &http.Cookie{Name: themeCookie, Path: "/", MaxAge: 365 * 24 * 3600, Secure: s.secure(v.r), SameSite: http.SameSiteStrictMode}
	switch choice := v.r.PostFormValue("theme"); choice {
	case "light", "dark":
		c.Value = choice
	default:
		c.MaxAge = -1 // that of the system
	}
	http.SetCookie(v.w, c)
	http.Redirect(v.w, v.r, local(v.r.PostFormValue("back")), http.StatusSeeOther)
	return nil
}

// local returns an address on this site, the root for any other.
func local(address string) string {
	if !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") || strings.ContainsAny(address, "\\\r\n\t") {
		return "/"
	}
	return address
}
