package web_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
)

// claims are what no evidence can show.
var claims = regexp.MustCompile(`(?i)compliant|compliance achieved|conforms|certified`)

// The pages of obligations, for every framework, claim nothing, and say so.
func TestObligationPagesClaimNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	b := h.as(t, access.Viewer)
	c, err := h.obliged.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	pages := []string{"/models/credit/obligations", "/obligations"}
	for _, f := range c.Frameworks {
		for _, query := range []string{"?framework=" + f.ID, "?framework=" + f.ID + "&ahead=true"} {
			pages = append(pages, "/models/credit/obligations"+query, "/obligations"+query)
		}
	}
	for _, address := range pages {
		page := text(parse(t, b.get(address).Body.String()))
		if word := claims.FindString(page); word != "" {
			t.Errorf("%s says %q", address, word)
		}
		if !strings.Contains(page, "no legal advice") {
			t.Errorf("%s does not say what it is not", address)
		}
	}
}
